package crash

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// client sends random acts until the daemon no longer answers.
type client struct {
	style     style
	ledger    *ledger
	rand      *rand.Rand
	consumers *consumers
	addr      string
}

// run plays until an answer fails to come.
func (c *client) run() {
	caller := daemon.NewCaller(c.addr)
	defer caller.Close()
	for {
		a := c.next()
		if !c.ledger.send(caller, a) {
			return
		}
		if a.name == "subscribe" && !c.note(caller, a) {
			return
		}
		c.pause()
	}
}

// pause waits a while where the style says so.
func (c *client) pause() {
	if c.style.think > 0 {
		<-time.After(time.Duration(c.rand.Int64N(int64(c.style.think))))
	}
}

// weighted says how often an act is played, out of the sum of all.
type weighted struct {
	name   string
	weight int
}

// weights are those of clients that stay where they are.
var weights = []weighted{
	{"create", 22}, {"create group", 4}, {"extend", 12}, {"pause", 10}, {"start", 12},
	{"shutdown", 8}, {"reboot", 6}, {"save", 3}, {"destroy", 14}, {"destroy group", 2},
	{"subscribe", 10}, {"subscribe end", 5}, {"subscribe dead", 4},
	{"hold", 3}, {"release", 3}, {"read console", 4},
}

// next chooses an act that the ledger allows.
func (c *client) next() *act {
	l := c.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if a := c.make(c.draw()); a != nil {
			return a
		}
	}
}

// draw returns the name of an act by its weight, so that the crowd stays near
// its size.
func (c *client) draw() string {
	if c.style.crowd > 0 && len(c.ledger.living) > 2*c.style.crowd && c.rand.IntN(2) == 0 {
		return "destroy"
	}
	if len(c.ledger.living) < c.style.crowd/2 && c.rand.IntN(2) == 0 {
		return "create"
	}
	sum := 0
	for _, w := range c.style.acts {
		sum += w.weight
	}
	n := c.rand.IntN(sum)
	for _, w := range c.style.acts {
		if n -= w.weight; n < 0 {
			return w.name
		}
	}
	return "create"
}

// make fills an act in; nil when there is nothing to do it to. The ledger is
// locked.
func (c *client) make(name string) *act {
	a := &act{name: name, made: time.Now(), values: daemon.Values{Message: daemon.NewMessageID()}}
	a.answer = func([]byte) error { return nil }
	if kind, what, _ := strings.Cut(name, " "); kind == "create" {
		return c.create(a, what)
	}
	switch name {
	case "destroy group":
		return c.destroyGroup(a)
	case "hold", "release":
		return c.hold(a)
	case "add image":
		return c.addImage(a)
	case "verify image", "tag image", "remove image":
		return c.aboutImage(a)
	}
	if done := c.aboutHosts(a); done {
		return a
	}
	t := c.ledger.pick(c.rand, func(t *tenancy) bool {
		return name != "revert" && name != "unsnap" || len(keeping(t)) > 0
	})
	if t == nil {
		return nil
	}
	a.on, a.values.Key = []*tenancy{t}, t.key
	c.fill(a, t)
	return a
}

// create asks for one workspace or a group: of the image that was recorded, of one in the
// library, which may be taken off it meanwhile, of one that is staged in first and out when
// it is saved, or on a network of its own.
func (c *client) create(a *act, what string) *act {
	a.message, a.again = daemon.Create, true
	nodes, staged := 1, ""
	switch what {
	case "group":
		nodes = 3
	case "private":
		nodes, a.values.Association = 2, "private"
	case "listed":
		if a.values.Image = c.anyImage(); a.values.Image == "" {
			return nil
		}
	case "staged":
		staged = fmt.Sprintf("staged-%d", c.rand.IntN(4))
		a.values.Image = "file://" + staged
		a.values.Optional = daemon.Staged("file://"+sourceName, a.values.Image,
			fmt.Sprintf("file://out-%d", c.rand.IntN(4)))
	}
	if nodes > 1 {
		a.message, a.values.Nodes = daemon.CreateGroup, nodes
	}
	a.answer = c.ledger.created(a, nodes, staged)
	return a
}

// fill completes an act on one workspace.
func (c *client) fill(a *act, t *tenancy) {
	switch a.name {
	case "extend":
		c.extend(a, t)
	case "destroy":
		c.destroy(a, t)
	case "pause":
		a.message = daemon.Pause
	case "start":
		a.message = daemon.Begin
		t.begins++
	case "shutdown":
		a.message = daemon.Shutdown
		t.halts++
	case "reboot":
		a.message = daemon.Reboot
		t.reboots++
	case "save":
		a.message = daemon.Save
		t.saves++
		for name := range t.snapshots {
			t.snapshots[name] = false
		}
	case "serialize":
		a.message = daemon.Serialize
		t.halts++
	case "migrate", "migrate still":
		c.migrate(a, t)
	case "snapshot", "revert", "unsnap":
		c.snapshot(a, t)
	case "read console":
		c.readConsole(a, t)
	default:
		c.subscribe(a, t)
	}
}

func (c *client) extend(a *act, t *tenancy) {
	to := time.Now().Add(time.Hour + time.Duration(c.rand.Int64N(int64(9*time.Hour))))
	a.message, a.again, a.values.Time = daemon.Extend, true, to.UTC().Truncate(time.Millisecond)
	a.answer = func(reply []byte) error {
		given := daemon.Termination(reply)
		if !given.Equal(a.values.Time) {
			return fmt.Errorf("asked for %v, was given %v", a.values.Time, given)
		}
		t.ends = given
		return nil
	}
}

func (c *client) destroy(a *act, t *tenancy) {
	a.message = daemon.Destroy
	a.answer = func([]byte) error { c.ledger.destroyed(t); return nil }
	a.once("ResourceUnknownFault")
}

func (c *client) destroyGroup(a *act) *act {
	for _, group := range slices.Sorted(maps.Keys(c.ledger.groups)) {
		members := c.ledger.groups[group]
		if slices.ContainsFunc(members, func(t *tenancy) bool { return t.busy }) {
			continue
		}
		delete(c.ledger.groups, group)
		members = slices.DeleteFunc(members, func(t *tenancy) bool { return t.gone })
		if len(members) == 0 {
			continue
		}
		for _, t := range members {
			t.busy = true
		}
		a.message, a.values.Key, a.on = daemon.DestroyGroup, group, members
		a.answer = func([]byte) error { c.ledger.destroyed(members...); return nil }
		a.once("ResourceUnknownFault")
		return a
	}
	return nil
}

// subscribe gives each subscription an address of its own, by which its
// messages are told apart.
func (c *client) subscribe(a *act, t *tenancy) {
	a.message, a.values.Consumer = daemon.Subscribe, c.consumers.address()
	if a.name == "subscribe dead" {
		a.values.Consumer = c.consumers.dead[c.rand.IntN(len(c.consumers.dead))]
		return
	}
	s := &stream{path: pathOf(a.values.Consumer), end: a.name == "subscribe end"}
	if s.end {
		a.message = daemon.SubscribeEnd
	}
	t.streams = append(t.streams, s)
	a.answer = func([]byte) error { s.acked = true; return nil }
}

// note reads the state after a subscription was acknowledged: from then on
// the consumer must learn of every change.
func (c *client) note(caller *daemon.Caller, a *act) bool {
	t := a.on[0]
	_, reply, err := caller.Send(daemon.State, daemon.Values{Key: t.key})
	if err != nil {
		return false
	}
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	for _, s := range t.streams {
		if s.acked && s.path == pathOf(a.values.Consumer) {
			s.since = daemon.StateOf(reply)
		}
	}
	return true
}
