package libvirt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/digitalocean/go-libvirt"

	"github.com/philoxenia/philoxenia/service/workspace"
)

const system = libvirt.ErrSystemError

// said is what libvirt says, and of what kind that is.
var said = []struct {
	code libvirt.ErrorNumber
	text string
	want workspace.Kind
}{
	{system, "Failed to terminate process 4711 with SIGKILL: Device or resource busy",
		workspace.Transient},
	{system, "cannot fork child process: Resource temporarily unavailable",
		workspace.Transient},
	{system, "cannot fork child process: Cannot allocate memory", workspace.Transient},
	{system, "Unable to wait on migration: Interrupted system call", workspace.Transient},
	{system, "unable to connect to server at 'b:49152': Connection timed out",
		workspace.Transient},
	{system, "unable to connect to server at 'b:49152': No route to host",
		workspace.Transient},
	{system, "Failed to connect socket to '/run/libvirt/virtlogd-sock': Connection refused",
		workspace.Transient},
	{system, "Cannot recv data: Connection reset by peer", workspace.Transient},
	{system, "Cannot write data: Broken pipe", workspace.Transient},
	{system, "Unable to write /var/lib/7-memory: No space left on device",
		workspace.NoResource},
	{system, "cannot write data to file '/etc/x': Disk quota exceeded", workspace.NoResource},
	{libvirt.ErrOperationFailed, "/usr/libexec/libvirt_iohelper: Unable to write /m: " +
		"No space left on device", workspace.NoResource},
	{libvirt.ErrInternalError, "qemu-img failed: No space left on device (os error 28)",
		workspace.NoResource},
	{system, "Cannot access storage file '/disks/1-0-root': No such file or directory",
		workspace.Internal}, // NotFound would be the machine
	{system, "unable to set user and group to '64055:109' on '/d': Operation not permitted",
		workspace.Internal}, // Denied would be the host
	{system, "Cannot access backing file '/d': Permission denied", workspace.Internal},
	{system, "unable to read '/sys/x': Input/output error", workspace.Internal},
	{system, "Broken pipe dreams", workspace.Internal},
	{libvirt.ErrInternalError, "the guest says: Broken pipe", workspace.Internal},
	{libvirt.ErrNoDomain, "Domain not found", workspace.NotFound},
	{libvirt.ErrDomExist, "domain 'x' already exists", workspace.Conflict},
	{libvirt.ErrOperationInvalid, "domain is not running", workspace.Transient},
	{libvirt.ErrOperationTimeout, "Timed out during operation", workspace.Transient},
	{libvirt.ErrResourceBusy, "resource busy", workspace.Transient},
	{libvirt.ErrRPC, "Cannot write data: Broken pipe", workspace.Unavailable},
	{libvirt.ErrNoConnect, "no connection driver available", workspace.Unavailable},
	{libvirt.ErrConfigUnsupported, "unsupported configuration", workspace.Internal},
}

// TestKindOfWhatLibvirtSays gives libvirt's errors their kinds. One of the system (38)
// is told by the words that it ends in, which are glibc's.
func TestKindOfWhatLibvirtSays(t *testing.T) {
	for _, c := range said {
		err := fmt.Errorf("cannot do it: %w", libvirt.Error{Code: uint32(c.code), Message: c.text})
		if got := kindOf(err); got != c.want {
			t.Errorf("%d %q is %s, want %s", c.code, c.text, got, c.want)
		}
	}
	for err, want := range map[error]workspace.Kind{
		context.Canceled:           workspace.Transient,
		context.DeadlineExceeded:   workspace.Unavailable,
		io.EOF:                     workspace.Unavailable,
		libvirt.ErrInterrupted:     workspace.Unavailable,
		errors.New("what is this"): workspace.Internal,
		workspace.Refuse(workspace.Conflict, "%w", libvirt.Error{Code: 42}): workspace.Conflict,
	} {
		if got := kindOf(fmt.Errorf("cannot do it: %w", err)); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}
