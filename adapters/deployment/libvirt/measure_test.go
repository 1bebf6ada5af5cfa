package libvirt

import (
	"testing"

	"github.com/digitalocean/go-libvirt"
)

// TestGuestThatToldOfMoreMemory reads what a guest said before it gave memory back.
func TestGuestThatToldOfMoreMemory(t *testing.T) {
	const current, unused, mb = 112 << 10, 180 << 10, 1 << 20
	r := readingOf(7, []libvirt.TypedParam{
		{Field: "balloon.current", Value: *libvirt.NewTypedParamValueUllong(current)},
		{Field: "balloon.unused", Value: *libvirt.NewTypedParamValueUllong(unused)},
		{Field: "balloon.rss", Value: *libvirt.NewTypedParamValueUllong(unused)},
	})
	if r.Memory != 112*mb || r.Unused != 112*mb || r.Resident != 180*mb {
		t.Errorf("it reads %+v", r)
	}
}
