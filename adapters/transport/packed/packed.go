// Package packed lets images lie compressed in their repositories. It stands
// before another transport: an image whose name ends in .gz, .xz or .zst is
// expanded when it comes to the host, holes staying holes, and compressed when it
// goes back. A checksum is that of the file in the repository. It must not know
// how images move.
package packed

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// What stands beside a disk on the host while it is expanded or compressed, all
// of it among workspace.Leftovers.
const (
	packedSuffix = ".packed"       // the file as it lies in the repository
	stateSuffix  = ".packed.state" // what the disk was expanded from
)

// Transport expands and compresses what another transport moves.
type Transport struct{ inner workspace.Transport }

var (
	_ workspace.Transport = (*Transport)(nil)
	_ workspace.Directed  = (*Transport)(nil)
)

// New returns a Transport before inner.
func New(inner workspace.Transport) *Transport { return &Transport{inner} }

// Inner returns the transport behind, which moves files as they are.
func (t *Transport) Inner() workspace.Transport { return t.inner }

// Is reports whether the image at a location is compressed, by its name.
func Is(location string) bool { return methodOf(location) != nil }

// CheckLocation asks the transport behind.
func (t *Transport) CheckLocation(loc string) error { return t.inner.CheckLocation(loc) }

// Source says how a host fetches the image itself, when the transport behind can and
// nothing is to be expanded.
func (t *Transport) Source(loc string) (workspace.Source, bool) {
	d, ok := t.inner.(workspace.Directed)
	if !ok || methodOf(loc) != nil {
		return workspace.Source{}, false
	}
	return d.Source(loc)
}

// Check says whether the image at location could be fetched. Of a compressed one
// the size is that in the repository, and the format is not known.
func (t *Transport) Check(ctx context.Context, loc string) (workspace.ImageInfo, error) {
	info, err := t.inner.Check(ctx, loc)
	if err == nil && methodOf(loc) != nil {
		info.Format = ""
	}
	return info, err
}

// Fetch brings an image to the host and expands it there. What came before it
// was broken off is gone on with; the expansion begins anew.
func (t *Transport) Fetch(ctx context.Context, f workspace.Fetch) (workspace.ImageInfo, error) {
	m := methodOf(f.Location)
	if m == nil {
		return t.inner.Fetch(ctx, f)
	}
	info, err := t.expand(ctx, f, m)
	return transfer.Result("fetch the image", f.Location, info, err)
}

func (t *Transport) expand(
	ctx context.Context, f workspace.Fetch, m *method,
) (workspace.ImageInfo, error) {
	if info, ok := found(f); ok {
		return info, nil
	}
	in := f
	in.Path, in.Sync, in.Share = f.Path+packedSuffix, false, false
	in.Progress = half(f.Progress, 0)
	came, err := t.inner.Fetch(ctx, in)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	e := &expansion{Fetch: f, method: m}
	info, err := e.run(ctx, in.Path)
	if kind := transfer.Kind(err); err != nil && kind != workspace.Transient {
		os.Remove(in.Path) // it is bad, or its room is needed more
		return info, err
	}
	if err != nil {
		return info, err
	}
	info.SHA256 = came.SHA256
	if err := note(f, info); err != nil {
		return info, err
	}
	return info, os.Remove(in.Path)
}

// half makes a Progress for one of two parts of a task, each as long as the
// image in the repository is: what is done before it counts from the first on.
func half(report workspace.Progress, part int64) workspace.Progress {
	if report == nil {
		return nil
	}
	return func(done, total int64) { report(part*total+done, 2*total) }
}

// state says what a disk was expanded from, so that a repeated Fetch finds the
// work done.
type state struct {
	Location string
	SHA256   string // asked for
	Info     workspace.ImageInfo
	Modified time.Time // of the disk
}

func note(f workspace.Fetch, info workspace.ImageInfo) error {
	stat, err := os.Stat(f.Path)
	if err != nil {
		return err
	}
	text, err := json.Marshal(state{f.Location, f.SHA256, info, stat.ModTime()})
	if err != nil {
		return err
	}
	return os.WriteFile(f.Path+stateSuffix, text, 0o600)
}

// found tells whether an earlier Fetch has done the work.
func found(f workspace.Fetch) (workspace.ImageInfo, bool) {
	var s state
	text, err := os.ReadFile(f.Path + stateSuffix)
	if err != nil || json.Unmarshal(text, &s) != nil {
		return s.Info, false
	}
	same := s.Location == f.Location && s.SHA256 == f.SHA256
	return s.Info, same && transfer.Landed(transfer.Host{}, f.Path, s.Info.Size, s.Modified)
}

// Deliver compresses an image of the host, beside it, and brings it to its
// repository.
func (t *Transport) Deliver(
	ctx context.Context, d workspace.Deliver,
) (workspace.ImageInfo, error) {
	m := methodOf(d.Location)
	if m == nil {
		return t.inner.Deliver(ctx, d)
	}
	info, err := t.compress(ctx, d, m)
	return transfer.Result("deliver the image", d.Location, info, err)
}

func (t *Transport) compress(
	ctx context.Context, d workspace.Deliver, m *method,
) (workspace.ImageInfo, error) {
	if err := t.CheckLocation(d.Location); err != nil {
		return workspace.ImageInfo{}, err
	}
	path := d.Path + packedSuffix
	if err := pack(ctx, d, path, m); err != nil {
		os.Remove(path)
		return workspace.ImageInfo{}, err
	}
	out := d
	out.Path, out.Progress = path, half(d.Progress, 1)
	info, err := t.inner.Deliver(ctx, out)
	if kind := transfer.Kind(err); err != nil &&
		(kind == workspace.Transient || kind == workspace.Unavailable) {
		return info, err // it is gone on with
	}
	info.Format = ""
	return info, errors.Join(err, os.Remove(path))
}

// methodOf returns how the image of a location is compressed, nil when it is not.
func methodOf(location string) *method {
	for i := range methods {
		if strings.HasSuffix(location, methods[i].suffix) {
			return &methods[i]
		}
	}
	return nil
}
