package main

import (
	"reflect"
	"testing"

	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestPools: each address has the IPv6 address that goes with it, over the ends of
// octets, and what is asked for beside the pool has none.
func TestPools(t *testing.T) {
	c := &config.Config{Networks: []config.Network{
		{Name: "both", First: "10.0.0.254", Last: "10.0.1.1", Netmask: "255.255.0.0",
			First6: "2001:db8::ffff/64", Gateway6: "2001:db8::1", MACPrefix: "A2:AA:BB",
			Hostname: "node%d", Accept: []string{"10.0.1.0-10.0.1.2"}},
		{Name: "four", First: "10.1.0.1", Last: "10.1.0.1", Hostname: "four%d"},
	}}
	six := func(host, ip, ip6 string) workspace.Address {
		a := workspace.Address{Hostname: host, IP: ip, Netmask: "255.255.0.0", IP6: ip6}
		if ip6 != "" {
			a.Prefix6, a.Gateway6 = 64, "2001:db8::1"
		}
		return a
	}
	all := []workspace.Address{six("node1", "10.0.0.254", "2001:db8::ffff"),
		six("node2", "10.0.0.255", "2001:db8::1:0"), six("node3", "10.0.1.0", "2001:db8::1:1"),
		six("node4", "10.0.1.1", "2001:db8::1:2")}
	want := []workspace.Network{
		{Name: "both", MACPrefix: "A2:AA:BB", Addresses: all,
			Asked: []workspace.Address{all[2], all[3], six("node5", "10.0.1.2", "")}},
		{Name: "four", Addresses: []workspace.Address{{Hostname: "four1", IP: "10.1.0.1"}}},
	}
	if got := networks(c); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// TestOverlayOfTheSite: private networks span hosts as soon as any host has an address for
// it, be it one that is added later, unless the site keeps them on one; installations begin
// with other numbers.
func TestOverlayOfTheSite(t *testing.T) {
	c := &config.Config{Data: t.TempDir(),
		Overlay: config.Overlay{FirstVNI: 5, LastVNI: 9}}
	pool := host.NewPool(&host.Node{Host: workspace.Host{ID: "a"}})
	got := overlay(c, pool)
	mtu := func(what string, want int) {
		t.Helper()
		if got := got.MTU(); got != want {
			t.Errorf("%s it is %d, want %d", what, got, want)
		}
	}
	mtu("without an address", 0)
	pool.Add(&host.Node{Host: workspace.Host{ID: "b", Overlay: "10.0.0.1"}})
	mtu("with one that was added", 1450)
	pool.Add(&host.Node{Host: workspace.Host{ID: "c", Overlay: "fd00::1"}})
	mtu("with one of IPv6", 1430)
	c.Overlay.MTU = 8950
	mtu("with the site's own", 8950)
	if got.First != 5 || got.Last != 9 ||
		got.Offset != overlay(c, pool).Offset {
		t.Errorf("it is %+v, and then %+v", got, overlay(c, pool))
	}
	other := *c
	if other.Data = t.TempDir(); overlay(&other, pool).Offset == got.Offset {
		t.Error("two installations begin with the same number")
	}
	if c.Overlay.OneHost = true; overlay(c, pool).MTU != nil {
		t.Error("the site's own word does not count")
	}
}
