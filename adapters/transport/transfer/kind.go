package transfer

import (
	"context"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/image/format"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// errnoKinds says what the operating system's errors mean to who asked for an image.
var errnoKinds = map[unix.Errno]workspace.Kind{
	unix.ENOENT:       workspace.NotFound,
	unix.ENOTDIR:      workspace.NotFound,
	unix.EACCES:       workspace.Denied,
	unix.EPERM:        workspace.Denied,
	unix.EROFS:        workspace.Denied,
	unix.ENOSPC:       workspace.NoResource,
	unix.EDQUOT:       workspace.NoResource,
	unix.EFBIG:        workspace.NoResource,
	unix.EISDIR:       workspace.Invalid,
	unix.ELOOP:        workspace.Invalid,
	unix.ENAMETOOLONG: workspace.Invalid,
	unix.ENXIO:        workspace.Invalid, // a socket, or a fifo that nobody reads
	unix.EIO:          workspace.Transient,
	unix.EMFILE:       workspace.Transient,
	unix.ENFILE:       workspace.Transient,
	unix.ENOMEM:       workspace.Transient,
	unix.ETIMEDOUT:    workspace.Unavailable,
	unix.ESTALE:       workspace.Transient,
}

// Kind returns what sort of failure err is. A transfer that was called off is
// Transient: it goes on when asked again.
func Kind(err error) workspace.Kind {
	var known *workspace.Error
	var refused *format.Refused
	var errno unix.Errno
	switch {
	case errors.As(err, &known):
		return known.Kind
	case errors.As(err, &refused):
		return workspace.Invalid
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return workspace.Transient
	case errors.As(err, &errno):
		return errnoKinds[errno] // Internal when not there
	case errors.Is(err, fs.ErrNotExist):
		return workspace.NotFound
	case errors.Is(err, fs.ErrPermission):
		return workspace.Denied
	}
	return workspace.Internal
}

// Result is what a transport returns of op on the image at location: what came
// of it, or nothing with the error wrapped.
func Result(
	op, location string, info workspace.ImageInfo, err error,
) (workspace.ImageInfo, error) {
	if err != nil {
		return workspace.ImageInfo{}, Error(op, location, err)
	}
	return info, nil
}

// Error wraps err as the failure of op on the image at location.
func Error(op, location string, err error) error {
	return &workspace.Error{Op: op, Kind: Kind(err), ID: location, Err: err}
}
