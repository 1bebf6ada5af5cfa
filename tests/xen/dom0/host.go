package dom0

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bootLimit is how long Xen, dom0 and libvirtd may take to answer: 40 seconds
// on an idle computer.
const bootLimit = 15 * time.Minute

// What the machine has. One processor for dom0 and one that is left: on a busy
// computer two that wait for each other take twice the work.
const (
	memory     = "2560M"
	dom0Memory = "768M"
	xenLine    = "console=com1 com1=115200,8n1 loglvl=info guest_loglvl=info noreboot " +
		"smt=0 spec-ctrl=no xpti=no dom0_max_vcpus=1 dom0_mem=" + dom0Memory + ",max:" + dom0Memory
	// The clock is Xen's own: where the computer is busy while Xen boots, dom0 is told
	// a wrong rate of its processor's, by which an hour of dom0's became a day.
	dom0Line = "console=hvc0 quiet mitigations=off clocksource=xen no_timer_check init_on_alloc=0"
)

// Host is a running Xen host.
type Host struct {
	// Libvirt is the address of its libvirtd, neither encrypted nor authenticated.
	Libvirt string
	// SSH is the address of its SSH server, which lets root in with the key in KeyFile.
	SSH        string
	KeyFile    string
	KnownHosts string // file with the server's key
	// Booted is how long it took from QEMU's start to libvirtd's first answer.
	Booted time.Duration

	dir     string
	command *exec.Cmd
	ended   chan struct{} // closed when QEMU is gone
	shell   *shell
}

// Start boots a host whose disk and logs are in dir, and waits until its libvirtd
// answers. Files are put on its disk: by the path there, where each is here.
func Start(ctx context.Context, dir string, files map[string]string) (*Host, error) {
	parts, err := image(ctx)
	if err != nil {
		return nil, err
	}
	h := &Host{dir: dir, ended: make(chan struct{})}
	err = h.prepare(ctx, parts, files)
	if err != nil {
		return nil, fmt.Errorf("cannot prepare the Xen host: %w", err)
	}
	begun := time.Now()
	if err := h.run(parts); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	if err := h.await(ctx); err != nil {
		h.Stop()
		return nil, fmt.Errorf("the Xen host did not come up: %w\n%s", err, h.Said())
	}
	h.Booted = time.Since(begun)
	return h, nil
}

// image builds the parts of the host, or takes them from an earlier build.
func image(ctx context.Context) (map[string]string, error) {
	var out, errs bytes.Buffer
	build := exec.CommandContext(ctx, filepath.Join("dom0", "build"))
	build.Stdout, build.Stderr = &out, &errs
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("cannot build the dom0: %w\n%s", err, errs.String())
	}
	parts := make(map[string]string)
	for line := range strings.Lines(out.String()) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		parts[key] = value
	}
	return parts, nil
}

// prepare makes the disks and chooses the doors.
func (h *Host) prepare(ctx context.Context, parts, files map[string]string) error {
	if err := h.makeKeys(); err != nil {
		return err
	}
	if err := h.makeSeed(files); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw",
		"-b", parts["DOM0_IMAGE"], filepath.Join(h.dir, "root.qcow2")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot make its disk: %w: %s", err, out)
	}
	h.Libvirt, err = freeAddress()
	if err == nil {
		h.SSH, err = freeAddress()
	}
	if err == nil {
		err = h.tellKey()
	}
	return err
}

// freeAddress finds a port on which nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// run starts QEMU, which ends with this process at the latest.
func (h *Host) run(parts map[string]string) error {
	disk := func(name, options string) []string {
		return []string{"-drive", "if=none,id=" + name + "," + options,
			"-device", "virtio-blk-pci,drive=" + name}
	}
	args := []string{"-accel", "tcg,thread=multi", "-machine", "pc", "-cpu", "Nehalem",
		"-smp", "2", "-m", memory, "-nodefaults", "-display", "none", "-no-reboot",
		"-kernel", parts["XEN"], "-append", xenLine,
		"-initrd", parts["DOM0_KERNEL"] + " " + dom0Line + "," + parts["DOM0_INITRD"],
		"-netdev", "user,id=n,hostfwd=tcp:" + h.Libvirt + "-10.0.2.15:16509,hostfwd=tcp:" +
			h.SSH + "-10.0.2.15:22", "-device", "virtio-net-pci,netdev=n,romfile=",
		"-serial", "file:" + h.logPath()}
	args = append(args, disk("root", "format=qcow2,cache=unsafe,file="+h.dir+"/root.qcow2")...)
	args = append(args, disk("seed", "format=raw,readonly=on,file="+h.dir+"/seed.tar")...)
	h.command = exec.Command("qemu-system-x86_64", args...)
	h.command.Stderr = os.Stderr
	h.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := h.command.Start(); err != nil {
		return fmt.Errorf("cannot start QEMU: %w", err)
	}
	go func() {
		_ = h.command.Wait()
		close(h.ended)
	}()
	return nil
}

func (h *Host) logPath() string { return filepath.Join(h.dir, "console.log") }

// await waits until dom0 says that it is ready, and logs in.
func (h *Host) await(ctx context.Context) error {
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		switch said := h.Said(); {
		case strings.Contains(said, "dom0: ready"):
			var err error
			h.shell, err = login(h)
			return err
		case strings.Contains(said, "dom0: gave up"), strings.Contains(said, "cannot go on"):
			return errors.New("dom0 gave up")
		}
		select {
		case <-look.C:
		case <-h.ended:
			return errors.New("QEMU has ended")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Said returns what Xen and dom0 wrote on their console.
func (h *Host) Said() string {
	text, err := os.ReadFile(h.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Stages tells how far dom0 was when, in seconds of its own time.
func (h *Host) Stages() string {
	var all []string
	lines := bufio.NewScanner(strings.NewReader(h.Said()))
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "dom0: "); ok {
			all = append(all, strings.TrimSpace(text))
		}
	}
	return strings.Join(all, "; ")
}

// Stop ends the host as a power cut would.
func (h *Host) Stop() {
	if h.shell != nil {
		h.shell.close()
	}
	_ = h.command.Process.Kill()
	<-h.ended
}

// SSHPort returns the port of the SSH server.
func (h *Host) SSHPort() int {
	_, port, _ := net.SplitHostPort(h.SSH)
	n, _ := strconv.Atoi(port)
	return n
}
