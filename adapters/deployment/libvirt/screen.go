package libvirt

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// screenOpen is how long a screen's password is good for: it is asked for once,
// when somebody connects.
const screenOpen = time.Minute

// Screen sets the password and connects to the VNC server, which listens on the
// host's loopback alone.
func (h *Host) Screen(
	ctx context.Context, id workspace.ID, password string,
) (screen net.Conn, err error) {
	err = h.onMachine(ctx, "connect to the screen of", id, func(m *machine) error {
		vnc, err := h.vncOf(ctx, m)
		if err != nil {
			return err
		}
		if err := h.openScreen(ctx, m, *vnc, password); err != nil {
			return err
		}
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(vnc.Port))
		screen, err = h.dialHost(ctx, address)
		return err
	})
	return screen, err
}

// CheckScreen says whether there is a screen to connect to.
func (h *Host) CheckScreen(ctx context.Context, id workspace.ID) error {
	return h.onMachine(ctx, "connect to the screen of", id, func(m *machine) error {
		_, err := h.vncOf(ctx, m)
		return err
	})
}

// vncOf reads the machine's screen as it is now. Guests of Xen have none: QEMU is built
// for Xen without what passwords need, and their screens would be open to every account
// of dom0.
func (h *Host) vncOf(
	ctx context.Context, m *machine,
) (*libvirtxml.DomainGraphicVNC, error) {
	switch {
	case !m.inMemory():
		return nil, m.forbidden()
	case h.onXen():
		return nil, workspace.Refuse(workspace.Conflict,
			"guests of Xen have no screen here: its console is there")
	}
	now, err := h.readDomain(ctx, func(rpc *libvirt.Libvirt) (string, error) {
		return rpc.DomainGetXMLDesc(m.domain, 0)
	})
	if err != nil {
		return nil, err
	}
	for _, g := range now.Devices.Graphics {
		if g.VNC != nil && g.VNC.Port > 0 {
			return g.VNC, nil
		}
	}
	return nil, workspace.Refuse(workspace.Conflict, "it has no screen")
}

// openScreen gives the screen its password, for the minute.
func (h *Host) openScreen(
	ctx context.Context, m *machine, vnc libvirtxml.DomainGraphicVNC, password string,
) error {
	vnc.Passwd = password
	vnc.PasswdValidTo = time.Now().Add(screenOpen).UTC().Format("2006-01-02T15:04:05")
	graphic := libvirtxml.DomainGraphic{VNC: &vnc}
	text, err := graphic.Marshal()
	if err != nil {
		return err
	}
	return order(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) error {
		return rpc.DomainUpdateDeviceFlags(m.domain, text, libvirt.DomainDeviceModifyLive)
	})
}

// dialHost connects from the host to one of its own addresses: on another computer
// than ours only where somebody said how to log in there.
func (h *Host) dialHost(ctx context.Context, address string) (net.Conn, error) {
	if !h.sees() {
		return nil, workspace.Refuse(workspace.Conflict, "its screen is on a host that is "+
			"reached by libvirt alone: the site would have to say how to log in there")
	}
	return h.o.Access.Dial(ctx, "tcp", address)
}
