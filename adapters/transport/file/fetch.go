package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/format"
	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// CheckLocation says whether the location lies in the repository.
func (t *Transport) CheckLocation(loc string) error {
	_, err := t.name(loc)
	_, err = transfer.Result("use the location", loc, workspace.ImageInfo{}, err)
	return err
}

// Check says whether the image at location could be fetched. SHA256 is what
// the checksum beside it says, unverified.
func (t *Transport) Check(_ context.Context, loc string) (workspace.ImageInfo, error) {
	info, err := t.check(loc)
	return transfer.Result("check the image", loc, info, err)
}

func (t *Transport) check(loc string) (workspace.ImageInfo, error) {
	name, err := t.name(loc)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	src, err := t.openIn(name)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer src.Close()
	info, err := transfer.Inspect(src, src.info.Size(), 0)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	transfer.Mark(&info, src.info)
	info.SHA256, err = t.expected(name)
	return info, err
}

// Fetch copies an image of the repository to the host. A copy that was broken
// off begins anew: comparing what is there would cost as much as copying it.
// What was half made is removed when it fails.
func (t *Transport) Fetch(ctx context.Context, f workspace.Fetch) (workspace.ImageInfo, error) {
	info, err := t.fetch(ctx, f)
	return transfer.Result("fetch the image", f.Location, info, err)
}

func (t *Transport) fetch(ctx context.Context, f workspace.Fetch) (workspace.ImageInfo, error) {
	name, err := t.name(f.Location)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	if err := ctx.Err(); err != nil {
		return workspace.ImageInfo{}, err
	}
	if !filepath.IsAbs(f.Path) {
		return workspace.ImageInfo{}, fmt.Errorf("the target %q is no absolute path", f.Path)
	}
	src, err := t.openIn(name)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer src.Close()
	if err := transfer.Promised(f, src.info.Size()); err != nil {
		return workspace.ImageInfo{}, err
	}
	expected, err := transfer.Wanted(f.SHA256, func() (string, error) { return t.expected(name) })
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	j := job{src: src, dir: transfer.Host{}, target: f.Path, expected: expected,
		maxBytes: f.MaxBytes, sync: f.Sync, rate: f.Rate, progress: f.Progress}
	if f.Share {
		info, ok, err := j.share(ctx)
		if err != nil {
			return info, t.replaced(err, name, src)
		}
		if ok {
			return info, nil
		}
	}
	info, err := j.run(ctx)
	if err != nil {
		return info, t.replaced(err, name, src)
	}
	return info, nil
}

// replaced says of a checksum that does not match that the image was replaced
// while it was read, if so: then the next try may find both of one kind.
func (t *Transport) replaced(cause error, name string, src *source) error {
	if transfer.Kind(cause) != workspace.Invalid {
		return cause
	}
	now, err := t.root.Stat(name)
	if err == nil && os.SameFile(now, src.info) {
		return cause
	}
	return workspace.Errorf(workspace.Transient, "read the image", "",
		"it was replaced meanwhile: %w", cause)
}

// job is the copying of one opened image to one target.
type job struct {
	src      *source
	dir      transfer.Directory
	target   string
	expected string
	maxBytes int64
	sync     bool
	hash     bool // compute the checksum although none is expected
	rate     workspace.Rate
	progress workspace.Progress
}

func (j *job) run(ctx context.Context) (workspace.ImageInfo, error) {
	fill, modified := j.fill, j.src.info.ModTime()
	if j.tiny() {
		// Copying it again costs less than finding out that it is there.
		fill, modified = j.fillTiny, time.Time{}
	} else if info, ok := j.found(ctx); ok {
		return info, nil
	} else if _, err := j.inspect(j.src.File); err != nil {
		return workspace.ImageInfo{}, err // what would be refused after the copy, too
	}
	part, err := transfer.Create(j.dir, j.target)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer part.Close()
	info, err := fill(ctx, part)
	if err == nil {
		err = part.Land(j.sync, modified)
	}
	if err != nil {
		part.Discard()
		return workspace.ImageInfo{}, err
	}
	return info, nil
}

// tinyBytes is the size up to which an image is copied through memory.
const tinyBytes = 64 << 10

func (j *job) tiny() bool { return j.src.info.Size() <= tinyBytes }

// fillTiny reads the image once and judges what it read before writing it.
func (j *job) fillTiny(ctx context.Context, part *transfer.Part) (workspace.ImageInfo, error) {
	buffer := transfer.Buffer()
	defer transfer.Recycle(buffer)
	// One byte more than the image has tells when it grew.
	n, err := j.src.ReadAt((*buffer)[:j.src.info.Size()+1], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return workspace.ImageInfo{}, err
	}
	b := (*buffer)[:n]
	if int64(n) != j.src.info.Size() {
		return workspace.ImageInfo{}, cmp.Or(transfer.Unchanged(j.src, j.src.info),
			short(int64(n), j.src.info.Size()))
	}
	seen, err := format.InspectHead(b[:min(n, format.HeadBytes)], int64(n))
	if err == nil {
		err = seen.Admit(j.maxBytes)
	}
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	info := workspace.ImageInfo{Size: seen.FileSize, Format: seen.Format}
	if sum := j.newSum(); sum != nil {
		sum.Add(b)
		info.SHA256 = sum.Text()
		if err := sum.Verify(j.expected); err != nil {
			return workspace.ImageInfo{}, err
		}
	}
	if err := writeTiny(part, b); err != nil {
		return workspace.ImageInfo{}, err
	}
	transfer.NewMeter(j.progress, int64(n)).Reach(int64(n))
	return info, nil
}

// writeTiny writes all of an image, with its holes when it has any to speak of.
func writeTiny(part *transfer.Part, b []byte) error {
	if _, err := sparse.WriteAt(part, b, 0); err != nil {
		return err
	}
	if !sparse.Zero(b[len(b)-1:]) {
		return nil
	}
	return part.Truncate(int64(len(b)))
}

func (j *job) newSum() *transfer.Sum {
	if j.hash || j.expected != "" {
		return transfer.NewSum()
	}
	return nil
}

// fill copies and then judges the copy, not the source, which may change.
func (j *job) fill(ctx context.Context, part *transfer.Part) (workspace.ImageInfo, error) {
	c := copier{from: j.src, to: part, sum: j.newSum(),
		pace:  transfer.NewPace(j.rate, nil),
		meter: transfer.NewMeter(j.progress, j.src.info.Size())}
	if err := c.run(ctx); err != nil {
		return workspace.ImageInfo{}, err
	}
	if err := transfer.Unchanged(j.src, j.src.info); err != nil {
		return workspace.ImageInfo{}, err
	}
	if err := c.sum.Verify(j.expected); err != nil {
		return workspace.ImageInfo{}, err
	}
	info, err := j.inspect(part.File)
	info.SHA256 = c.sum.Text()
	return info, err
}

func (j *job) inspect(f *os.File) (workspace.ImageInfo, error) {
	return transfer.Inspect(f, j.src.info.Size(), j.maxBytes)
}

// found tells whether an earlier job has done the work: the target has the
// size, the time of modification and, where it matters, the bytes of the source.
func (j *job) found(ctx context.Context) (workspace.ImageInfo, bool) {
	if !transfer.Landed(j.dir, j.target, j.src.info.Size(), j.src.info.ModTime()) {
		return workspace.ImageInfo{}, false
	}
	info, err := j.inspect(j.src.File)
	if err != nil || j.expected == "" && !j.hash {
		return info, err == nil
	}
	expected := j.expected
	if j.hash {
		if expected, err = hashOf(ctx, j.src.whole()); err != nil {
			return workspace.ImageInfo{}, false
		}
	}
	info.SHA256, err = hashTarget(ctx, j.dir, j.target)
	return info, err == nil && info.SHA256 == expected
}

func hashTarget(ctx context.Context, dir transfer.Directory, target string) (string, error) {
	f, err := dir.OpenFile(target, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return hashOf(ctx, f)
}

func hashOf(ctx context.Context, r io.Reader) (string, error) {
	sum := transfer.NewSum()
	err := sum.AddReader(ctx, r)
	return sum.Text(), err
}
