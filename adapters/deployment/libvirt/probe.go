package libvirt

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/digitalocean/go-libvirt"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// hypervisors are the words that people have for the drivers.
var hypervisors = map[string]string{"qemu": "QEMU", "xen": "Xen", "test": "test driver"}

// Version says which hypervisor answers, through which libvirt.
func (h *Host) Version(ctx context.Context) (string, error) {
	said, err := ask(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) (string, error) {
		hypervisor, err := rpc.ConnectGetVersion()
		if err != nil {
			return "", err
		}
		library, err := rpc.ConnectGetLibVersion()
		return fmt.Sprintf("%s %s, libvirt %s", hypervisors[h.at.driver],
			dotted(hypervisor), dotted(library)), err
	})
	return said, h.fault("ask for the version", 0, err)
}

// dotted writes a version as libvirt packs it: a million, a thousand, one.
func dotted(v uint64) string {
	const thousand = 1000
	return fmt.Sprintf("%d.%d.%d", v/thousand/thousand, v/thousand%thousand, v%thousand)
}

// Probe tests the connection, what guests run by, what the host has free, and
// its networks.
func (h *Host) Probe(ctx context.Context) []workspace.Finding {
	version, err := h.Version(ctx)
	if err != nil {
		return []workspace.Finding{{
			Check: "connection", Verdict: workspace.VerdictFail, Text: err.Error(),
			Do: "see that libvirtd runs there and takes connections: virsh -c " + h.o.URI +
				" version",
		}}
	}
	all := []workspace.Finding{
		{Check: "connection", Verdict: workspace.VerdictOK, Text: version},
		h.probeAccel(ctx), h.probeCapacity(ctx),
	}
	return append(all, h.probeNetworks(ctx)...)
}

// probeAccel boots a guest where the processor's virtualisation is to be used.
func (h *Host) probeAccel(ctx context.Context) workspace.Finding {
	f := workspace.Finding{Check: "acceleration", Verdict: workspace.VerdictOK}
	if h.at.driver != "qemu" {
		f.Text = "as the hypervisor does it"
		return f
	}
	if h.o.Accel == AccelTCG {
		f.Text = "tcg, as it was asked for: guests are emulated, which is slow"
		return f
	}
	why := h.tryKVM(ctx)
	switch {
	case why == nil:
		f.Text = "kvm: a guest booted under it"
	case h.o.Accel == AccelKVM:
		f.Verdict, f.Text = workspace.VerdictFail, why.Error()
		f.Do = "mend KVM on the host, or say acceleration auto or tcg"
	default:
		f.Verdict, f.Text = workspace.VerdictWarn, "tcg, for KVM does not work: "+why.Error()
		f.Do = "guests are emulated, which is slow; mend KVM on the host and restart the daemon"
	}
	return f
}

// probeCapacity measures what the host has, and what of its memory is free.
func (h *Host) probeCapacity(ctx context.Context) workspace.Finding {
	f := workspace.Finding{Check: "capacity", Verdict: workspace.VerdictOK}
	has, err := h.Capacity(ctx)
	if err != nil {
		f.Verdict, f.Text = workspace.VerdictFail, err.Error()
		return f
	}
	f.Text = fmt.Sprintf("%d CPUs, %d MB of memory", has.CPUs, has.MemoryMB)
	free, err := ask(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) (uint64, error) {
		return rpc.NodeGetFreeMemory()
	})
	if err == nil { // the test driver cannot say
		f.Text += fmt.Sprintf(", %d MB of it free", free>>20)
	}
	return f
}

// probeNetworks looks for the libvirt networks that guests are connected to.
func (h *Host) probeNetworks(ctx context.Context) (all []workspace.Finding) {
	for _, association := range slices.Sorted(maps.Keys(h.o.Networks)) {
		network := h.o.Networks[association]
		if network.Kind != NetworkLibvirt {
			continue
		}
		f := workspace.Finding{
			Check: "network " + association, Verdict: workspace.VerdictOK,
			Text: "libvirt's network " + network.Name + " is active",
		}
		active, err := ask(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) (int32, error) {
			found, err := rpc.NetworkLookupByName(network.Name)
			if err != nil {
				return 0, err
			}
			return rpc.NetworkIsActive(found)
		})
		if err != nil {
			f.Verdict, f.Text = workspace.VerdictFail, err.Error()
			f.Do = "define it on the host: virsh net-define, net-start, net-autostart"
		} else if active == 0 {
			f.Verdict, f.Text = workspace.VerdictFail, "libvirt's network "+network.Name+" is off"
			f.Do = "virsh net-start " + network.Name
		}
		all = append(all, f)
	}
	return all
}
