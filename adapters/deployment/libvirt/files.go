package libvirt

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// hostFiles is what the adapter does with files of its host, as a part of
// workspace.Access.
type hostFiles interface {
	Stat(ctx context.Context, path string) (workspace.FileStat, error)
	MakeDir(ctx context.Context, dir string, mode fs.FileMode) error
	Remove(ctx context.Context, paths ...string) error
	Read(ctx context.Context, path string, limit int64) ([]byte, error)
	Write(ctx context.Context, path string, data []byte, mode fs.FileMode) error
}

// files returns the host's.
func (h *Host) files() hostFiles {
	if h.o.Access != nil {
		return h.o.Access
	}
	return here{}
}

// sees reports whether the files that we see are the host's for certain.
func (h *Host) sees() bool {
	return h.at.network == "unix" || h.o.Access != nil && !h.o.Access.Local()
}

// removeFile removes a file of the host, which may be gone or have no name at all.
func (h *Host) removeFile(ctx context.Context, path string) error {
	if path == "" {
		return nil
	}
	return h.files().Remove(ctx, path)
}

// absent makes no error of a file that is not there.
func absent(err error) error {
	if workspace.KindOf(err) == workspace.NotFound {
		return nil
	}
	return err
}

// here is this computer.
type here struct{}

// inKind gives errors of the file system the kind that matters here.
func inKind(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &workspace.Error{Op: "reach the file", Kind: workspace.NotFound, Err: err}
	}
	return err
}

func (here) Stat(_ context.Context, path string) (workspace.FileStat, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return workspace.FileStat{}, inKind(err)
	}
	return workspace.FileStat{Path: path, Size: info.Size(), Changed: info.ModTime(),
		Dir: info.IsDir(), Regular: info.Mode().IsRegular(), Mode: info.Mode()}, nil
}

func (here) MakeDir(_ context.Context, dir string, mode fs.FileMode) error {
	return os.MkdirAll(dir, mode)
}

func (here) Remove(_ context.Context, paths ...string) error {
	var all []error
	for _, p := range paths {
		if err := os.Remove(p); !errors.Is(err, fs.ErrNotExist) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

func (here) Read(_ context.Context, path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, inKind(err)
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

func (here) Write(_ context.Context, path string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, mode)
}
