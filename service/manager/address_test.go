package manager_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// bringing lets requests bring 10.6.0.2 and 10.6.0.77 to the public network.
func bringing(r *rig) {
	may := manager.Addresses{Texts: []string{"10.6.0.2", "10.6.0.77"},
		Has: func(ip netip.Addr) bool {
			return ip.String() == "10.6.0.2" || ip.String() == "10.6.0.77"
		}}
	r.policy.Brought = map[string]manager.Brought{"public": {Accept: may, Advisory: may,
		Netmask: "255.255.255.0"}}
	extra := workspace.Address{Hostname: "extra", IP: "10.6.0.77", Netmask: "255.255.255.0",
		Gateway: "10.6.0.254"}
	r.networks[0].Asked = []workspace.Address{r.networks[0].Addresses[1], extra}
}

// brings is a request that brings its address.
func brings(method workspace.Method, a workspace.Address) workspace.Request {
	r := request(1)
	r.Initial = workspace.Propagated
	r.Spec.NICs[0].Method, r.Spec.NICs[0].Address = method, a
	return r
}

// TestAddressesThatRequestsBring are taken by the site's policy alone.
func TestAddressesThatRequestsBring(t *testing.T) {
	r := newRig(t, t.TempDir(), "", bringing)
	defer r.stop()
	good := workspace.Address{Hostname: "mine", IP: "10.6.0.77", Netmask: "255.255.255.0",
		Broadcast: "10.6.0.255"}
	with := func(change func(*workspace.Address)) workspace.Address {
		a := good
		change(&a)
		return a
	}
	type A = workspace.Address
	for name, tt := range map[string]struct {
		a                A
		element, expects string
	}{
		"another": {with(func(a *A) { a.IP = "10.6.0.78" }), "ipAddress",
			"10.6.0.2, 10.6.0.77"},
		"no address": {with(func(a *A) { a.IP = "10.6.0.077" }), "ipAddress", "dotted"},
		"another netmask": {with(func(a *A) { a.Netmask = "255.0.0.0" }), "netmask",
			"255.255.255.0"},
		"no gateway": {with(func(a *A) { a.Gateway = "here" }), "gateway", "dotted"},
		"a bad name": {with(func(a *A) { a.Hostname = "a b\n" }), "hostname", "host name"},
	} {
		_, err := r.manager.Create(t.Context(), brings(workspace.AcceptAndConfigure, tt.a))
		var e *workspace.Error
		if !errors.As(err, &e) || e.Where == nil ||
			!strings.HasSuffix(e.Where.Path, "nic[1]/ipConfig/"+tt.element) ||
			!strings.Contains(e.Where.Expected, tt.expects) {
			t.Errorf("%s: %v at %+v", name, err, e)
		}
	}
	elsewhere := brings(workspace.AcceptAndConfigure, good)
	elsewhere.Spec.NICs[0].Association = "private"
	if _, err := r.manager.Create(t.Context(), elsewhere); workspace.KindOf(err) !=
		workspace.Denied {
		t.Errorf("a network that takes none: %v", err)
	}
	two := brings(workspace.AcceptAndConfigure, good)
	two.Nodes = 2
	if _, err := r.manager.Create(t.Context(), two); workspace.KindOf(err) != workspace.Denied {
		t.Errorf("one address for two: %v", err)
	}
	if all, _ := r.manager.Workspaces(t.Context(), ada); len(all) > 0 {
		t.Errorf("what was refused left %d workspaces", len(all))
	}

	w := r.create(brings(workspace.AcceptAndConfigure, good))
	n := w.NICs[0]
	if n.IP != good.IP || n.Hostname != "mine" || n.Gateway != "10.6.0.254" ||
		n.Broadcast != "10.6.0.255" || n.MAC != "A2:AA:BB:06:00:4D" {
		t.Errorf("it got %+v", n)
	}
	_, err := r.manager.Create(t.Context(), brings(workspace.Advisory, good))
	if workspace.KindOf(err) != workspace.NoResource || !strings.Contains(err.Error(), "has it") {
		t.Errorf("an address twice: %v", err)
	}
	r.reach(w.ID, workspace.Propagated)
}

// TestEachMethodHasAddressesOfItsOwn: what may be brought in one way may not in another.
func TestEachMethodHasAddressesOfItsOwn(t *testing.T) {
	for allowed, asked := range map[workspace.Method]workspace.Method{
		workspace.AcceptAndConfigure: workspace.Advisory,
		workspace.Advisory:           workspace.AcceptAndConfigure,
	} {
		r := newRig(t, t.TempDir(), "", bringing, func(r *rig) {
			b := r.policy.Brought["public"]
			if allowed == workspace.Advisory {
				b.Accept = manager.Addresses{}
			} else {
				b.Advisory = manager.Addresses{}
			}
			r.policy.Brought["public"] = b
		})
		a := workspace.Address{IP: "10.6.0.77", Netmask: "255.255.255.0"}
		_, err := r.manager.Create(t.Context(), brings(asked, a))
		if workspace.KindOf(err) != workspace.Denied {
			t.Errorf("%s where %s is allowed: %v", asked, allowed, err)
		}
		if n := r.create(brings(allowed, a)).NICs[0]; n.IP != a.IP || n.Method != allowed {
			t.Errorf("%s got %+v", allowed, n)
		}
		r.stop()
	}
}

// TestHoldsAreForOperators holds and releases, and shows to each what is his.
func TestHoldsAreForOperators(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	defer r.stop()
	const eve = workspace.Owner("/O=Example/CN=Eve")
	h := workspace.Hold{First: "10.7.0.2", Last: "10.7.0.4", Comment: "printers"}
	for name, tt := range map[string]struct {
		owner workspace.Owner
		hold  workspace.Hold
		kind  workspace.Kind
	}{
		"no operator": {eve, h, workspace.Denied},
		"no reason":   {ada, workspace.Hold{First: h.First, Last: h.Last}, workspace.Invalid},
		"backwards": {ada, workspace.Hold{First: h.Last, Last: h.First, Comment: "x"},
			workspace.Invalid},
		"nowhere": {ada, workspace.Hold{First: "1.1.1.1", Last: "1.1.1.1", Comment: "x"},
			workspace.NotFound},
	} {
		if _, err := r.manager.Hold(t.Context(), tt.owner, tt.hold); workspace.KindOf(err) !=
			tt.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	held, err := r.manager.Hold(t.Context(), ada, h)
	if err != nil || held.Association != "private" || held.By != ada || held.Since.IsZero() {
		t.Fatalf("%+v, %v", held, err)
	}
	w := r.create(request(1))
	for owner, see := range map[workspace.Owner][2]int{ada: {1, 1}, eve: {0, 0}} {
		all, err := r.manager.Networks(t.Context(), owner)
		if err != nil || len(all) != 2 || len(all[1].Leases) != see[0] ||
			len(all[0].Holds) != see[1] || all[0].Held != 3 || all[1].Leased != 1 {
			t.Errorf("%s sees %+v, %v", owner, all, err)
		}
	}
	if _, err := r.manager.Release(t.Context(), eve, "", "10.7.0.3"); workspace.KindOf(err) !=
		workspace.Denied {
		t.Errorf("who is no operator released: %v", err)
	}
	was, err := r.manager.Release(t.Context(), ada, "", "10.7.0.3")
	if err != nil || was != held {
		t.Errorf("released %+v, %v", was, err)
	}
	r.reach(w.ID, workspace.Running)
}

// heeding is a host that notes the MACs and addresses of the machines it is to have.
type heeding struct {
	workspace.Deployment
	noted *notes
}

type notes struct {
	sync.Mutex
	all []string
}

func (n *notes) note(m workspace.Machine) {
	n.Lock()
	defer n.Unlock()
	n.all = append(n.all, m.NICs[0].MAC+" "+m.NICs[0].IP+" "+m.NICs[0].IP6)
}

func (h heeding) Define(ctx context.Context, m workspace.Machine) error {
	h.noted.note(m)
	return h.Deployment.Define(ctx, m)
}

func (h heeding) Migrate(
	ctx context.Context, id workspace.ID, m workspace.Migration,
) (workspace.Passage, error) {
	h.noted.note(m.As)
	m.Target = m.Target.(heeding).Deployment
	return h.Deployment.Migrate(ctx, id, m)
}

// TestMACsAreStable: a machine has its MAC and its addresses of both kinds after a
// shutdown, on another host, and under another daemon.
func TestMACsAreStable(t *testing.T) {
	dir, noted := t.TempDir(), new(notes)
	heeded := func(r *rig) {
		r.wrap = func(d workspace.Deployment) workspace.Deployment { return heeding{d, noted} }
		for i := range r.networks[0].Addresses {
			r.networks[0].Addresses[i].IP6 = fmt.Sprint("2001:db8::", i+1)
		}
	}
	again := func(r *rig, id workspace.ID) {
		r.check(r.manager.Shutdown(t.Context(), ada, id, workspace.ShutdownNormal, ""))
		r.reach(id, workspace.Propagated)
		r.check(r.manager.Start(t.Context(), ada, id))
		r.reach(id, workspace.Running)
	}
	r := newRig(t, dir, "", heeded)
	w := r.create(request(1))
	w = r.reach(w.ID, workspace.Running)
	again(r, w.ID)
	to, err := r.manager.Migrate(t.Context(), ada, w.ID, "", false)
	r.check(err)
	r.await(w.ID, to, workspace.Running)
	r.stop()
	r = newRig(t, dir, "", heeded)
	defer r.stop()
	again(r, w.ID)
	noted.Lock()
	defer noted.Unlock()
	want := w.NICs[0].MAC + " " + w.NICs[0].IP + " 2001:db8::1"
	for _, got := range noted.all {
		if got != want {
			t.Errorf("it has %s, want %s", got, want)
		}
	}
	if len(noted.all) < 4 {
		t.Errorf("it was made %d times, of a start, a second, a migration and a third",
			len(noted.all))
	}
}

// TestAddressIsFreeWhenTheMachineIsGone: not before, and at once then.
func TestAddressIsFreeWhenTheMachineIsGone(t *testing.T) {
	r := newRig(t, t.TempDir(), "* undefine times=3 fail=transient\n* undefine delay=300ms")
	defer r.stop()
	var all []*workspace.Workspace
	for range 6 {
		w := request(1)
		w.Demand.MemoryMB = 1
		all = append(all, r.create(w))
	}
	for _, w := range all {
		r.reach(w.ID, workspace.Running)
	}
	free := func() int {
		uses, err := r.manager.Networks(t.Context(), ada)
		r.check(err)
		return uses[1].Addresses - uses[1].Leased
	}
	r.check(r.manager.Destroy(t.Context(), ada, all[2].ID))
	if !until(func() bool { return free() > 0 }) {
		t.Fatal("the address is never free")
	}
	n, _ := r.pool.Node(all[2].Host)
	if now, err := n.Inspect(t.Context(), all[2].ID); err != nil || now !=
		workspace.ConditionAbsent {
		t.Errorf("its address was given back while the machine is %s, %v", now, err)
	}
	if w := r.create(request(1)); w.NICs[0].IP != all[2].NICs[0].IP {
		t.Errorf("the next got %s, want %s", w.NICs[0].IP, all[2].NICs[0].IP)
	}
}

// TestAddressInUseIsReplaced: it goes on hold with the reason, and the workspace
// gets another, in one transaction.
func TestAddressInUseIsReplaced(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	defer r.stop()
	req := request(1)
	req.Initial = workspace.Propagated
	w := r.create(req)
	r.reach(w.ID, workspace.Propagated)
	r.check(manager.Replace(r.store)(t.Context(), w.ID, 0, "in use by a printer"))
	now := r.reach(w.ID, workspace.Propagated)
	uses, err := r.manager.Networks(t.Context(), ada)
	r.check(err)
	if now.NICs[0].IP == w.NICs[0].IP || now.NICs[0].MAC == w.NICs[0].MAC ||
		len(uses[1].Holds) != 1 || uses[1].Holds[0].First != w.NICs[0].IP ||
		uses[1].Holds[0].Comment != "in use by a printer" || uses[1].Leased != 1 {
		t.Errorf("it has %+v, and %+v", now.NICs, uses[1])
	}
}

// TestPrivateGroupsAreTogether: their network is on one host.
func TestPrivateGroupsAreTogether(t *testing.T) {
	r := newRig(t, t.TempDir(), "", func(r *rig) {
		r.policy.Brought = map[string]manager.Brought{"private": {Private: true}}
	})
	defer r.stop()
	req := request(2)
	req.Demand.MemoryMB = 512
	req.Spec.NICs[0].Association = "private"
	made, err := r.manager.Create(t.Context(), req)
	r.check(err)
	if a, b := made.Workspaces[0].Host, made.Workspaces[1].Host; a != b || a == "" {
		t.Errorf("they are on %q and %q", a, b)
	}
	for _, w := range made.Workspaces {
		r.reach(w.ID, workspace.Running)
	}
}

// spanning lets private groups span hosts with the addresses.
func spanning(ips ...string) func(*rig) {
	return func(r *rig) {
		r.policy.Brought = map[string]manager.Brought{"private": {Private: true}}
		r.policy.Overlay = manager.Overlay{MTU: r.mtu, First: 7, Last: 8, Offset: 3}
		r.overlay = [2]string(ips)
	}
}

// mtu is that of groups as soon as any host of the pool has an address for them.
func (r *rig) mtu() int {
	for _, n := range r.pool.Nodes() {
		if n.Overlay != "" {
			return 1450
		}
	}
	return 0
}

// privately asks for a group with a private network.
func privately(nodes int, memory int64) workspace.Request {
	req := request(nodes)
	req.Demand.MemoryMB, req.Spec.NICs[0].Association = memory, "private"
	return req
}

// TestPrivateGroupsThatReachNobody are refused where they do not fit on one host.
func TestPrivateGroupsThatReachNobody(t *testing.T) {
	for name, ips := range map[string][]string{"no address": {"", ""}, "one": {"10.1.1.1", ""},
		"two kinds": {"10.1.1.1", "fd00::1"}} {
		r := newRig(t, t.TempDir(), "", spanning(ips...))
		_, err := r.manager.Create(t.Context(), privately(2, 600))
		if workspace.KindOf(err) != workspace.NoResource {
			t.Errorf("%s: a group that fits on no host: %v", name, err)
		}
		r.stop()
	}
}

// TestPrivateGroupsSpanHosts: their nodes are on hosts that reach each other, and no two
// groups have one VNI at a time.
func TestPrivateGroupsSpanHosts(t *testing.T) {
	r := newRig(t, t.TempDir(), "", spanning("10.1.1.1", "10.1.1.2"))
	defer r.stop()
	var all []*workspace.Workspace
	for range 2 {
		made, err := r.manager.Create(t.Context(), privately(2, 300))
		r.check(err)
		a, b := made.Workspaces[0], made.Workspaces[1]
		if a.NICs[0].VNI != b.NICs[0].VNI || a.NICs[0].MTU != 1450 || a.Host == "" ||
			a.Host != b.Host { // together, where they can be
			t.Errorf("on %s and %s they have %+v and %+v", a.Host, b.Host, a.NICs, b.NICs)
		}
		all = append(all, a, b)
		for _, w := range made.Workspaces {
			r.reach(w.ID, workspace.Running)
		}
	}
	one, two := all[0].NICs[0].VNI, all[2].NICs[0].VNI
	if one == two || min(one, two) != 7 || max(one, two) != 8 {
		t.Errorf("the groups have the VNIs %d and %d", one, two)
	}
	_, err := r.manager.Create(t.Context(), privately(2, 1))
	if workspace.KindOf(err) != workspace.NoResource || !strings.Contains(err.Error(), "VNI") {
		t.Errorf("a third group of two VNIs: %v", err)
	}
	for _, w := range all[:2] {
		r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	}
	r.settle()
	made, err := r.manager.Create(t.Context(), privately(4, 300))
	r.check(err)
	on := map[workspace.HostID]int{}
	for _, w := range made.Workspaces {
		w = r.reach(w.ID, workspace.Running)
		if on[w.Host]++; w.NICs[0].VNI != one {
			t.Errorf("the next group has the VNI %d, want %d", w.NICs[0].VNI, one)
		}
	}
	if len(on) != 2 {
		t.Errorf("four of which three fit on a host are on %v", on)
	}
}
