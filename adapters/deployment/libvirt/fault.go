package libvirt

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/digitalocean/go-libvirt"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// fault gives an error its kind and says what could not be done.
func (h *Host) fault(op string, id workspace.ID, err error) error {
	if err == nil {
		return nil
	}
	e := &workspace.Error{Op: op + " on host " + string(h.o.Host), Kind: kindOf(err), Err: err}
	if id != 0 {
		e.ID = id.String()
	}
	return e
}

// kindOf tells the kinds apart: what we refuse ourselves, what the connection
// did to us, and what libvirt says.
func kindOf(err error) workspace.Kind {
	var own *workspace.Error
	var theirs libvirt.Error
	switch {
	case errors.As(err, &own):
		return own.Kind
	case errors.Is(err, context.Canceled):
		return workspace.Transient
	case cutOff(err):
		return workspace.Unavailable
	case errors.As(err, &theirs):
		return kindOfTheirs(theirs)
	}
	return workspace.Internal
}

// kindOfTheirs maps what libvirt says.
func kindOfTheirs(err libvirt.Error) workspace.Kind {
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if strings.Contains(strings.ToLower(err.Message), full.Error()) { // helpers say it too
			return workspace.NoResource
		}
	}
	code := libvirt.ErrorNumber(err.Code)
	if code == libvirt.ErrSystemError && passes(err.Message) {
		return workspace.Transient
	}
	return kindOfCode(code)
}

// passing are the errors of the host's system that may be otherwise the next time: a
// machine that takes long to die, or a daemon beside libvirt's that is started anew. A
// file that is not there, or may not be read, stays as it is; nor would that be the
// machine, or the way to the host, that NotFound and Denied speak of.
var passing = []syscall.Errno{
	syscall.EBUSY, syscall.EAGAIN, syscall.EINTR, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE,
	syscall.ETIMEDOUT, syscall.EPIPE, syscall.ECONNRESET, syscall.ECONNREFUSED,
	syscall.EHOSTUNREACH, syscall.ENETUNREACH,
}

// passes reports whether a text of libvirt's ends in the system's words for one of them.
// The number comes over the wire as well, but the library drops it; a daemon that speaks
// another language is not understood.
func passes(text string) bool {
	text = strings.ToLower(text)
	for _, number := range passing {
		if strings.HasSuffix(text, ": "+number.Error()) {
			return true
		}
	}
	return false
}

// full says of an error how much room there is where a file was to be written, if the
// want of it is why that failed.
func (h *Host) full(ctx context.Context, path string, err error) error {
	const low = 1 << 20
	if err == nil || h.o.Access == nil {
		return err
	}
	dir := filepath.Dir(path)
	free, _, failed := h.o.Access.Space(context.WithoutCancel(ctx), dir)
	if failed != nil || kindOf(err) != workspace.NoResource && free >= low {
		return err
	}
	return workspace.Refuse(workspace.NoResource, "the host's disk is full, %d bytes are free in "+
		"%s: %w", free, dir, err)
}

// cutOff reports whether err means that the host was not reached, or that the
// answer was lost.
func cutOff(err error) bool {
	var network net.Error
	for _, lost := range []error{
		errUnreachable, errClosed, context.DeadlineExceeded, libvirt.ErrInterrupted,
		syscall.EINVAL, syscall.EPIPE, syscall.ECONNRESET, net.ErrClosed, io.EOF,
	} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return errors.As(err, &network)
}

// kindOfCode maps libvirt's error numbers. We look before we ask, so an
// "operation invalid" means that the domain changed in between: trying again
// looks again.
func kindOfCode(code libvirt.ErrorNumber) workspace.Kind {
	switch code {
	case libvirt.ErrNoDomain:
		return workspace.NotFound
	case libvirt.ErrDomExist:
		return workspace.Conflict
	case libvirt.ErrOperationInvalid, libvirt.ErrOperationTimeout, libvirt.ErrResourceBusy:
		return workspace.Transient
	case libvirt.ErrNoConnect, libvirt.ErrRPC:
		return workspace.Unavailable
	}
	return workspace.Internal
}

// isCode reports whether libvirt answered with this error number.
func isCode(err error, code libvirt.ErrorNumber) bool {
	var theirs libvirt.Error
	return errors.As(err, &theirs) && theirs.Code == uint32(code)
}
