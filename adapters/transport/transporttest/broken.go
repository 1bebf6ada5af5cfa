package transporttest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// breakAt gives a context and a Progress that ends it once so much is done.
func breakAt(t *testing.T, offset int64) (context.Context, workspace.Progress) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, func(done, _ int64) {
		if done >= offset {
			cancel()
		}
	}
}

// first notes the first that a Progress is told.
func first(at *int64) workspace.Progress {
	*at = -1
	return func(done, _ int64) {
		if *at < 0 {
			*at = done
		}
	}
}

const brokenSize = 24<<20 + 1234

var brokenOffsets = []int64{0, 1, 1 << 20, 5<<20 + 3, 12 << 20, 20 << 20, brokenSize - 1}

func resumeFetch(t *testing.T, b *bench) {
	data := imagetest.Random(brokenSize, 20)
	clear(data[3<<20 : 9<<20])
	b.put(t, "image", data)
	for _, offset := range brokenOffsets {
		ctx, report := breakAt(t, offset)
		_, err := b.transport.Fetch(ctx, workspace.Fetch{Location: b.Location("image"),
			Path: b.target, SHA256: imagetest.Sum(data), Progress: report})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("broken off at %d: %v", offset, err)
		}
		if _, serr := os.Stat(b.target); err != nil && serr == nil {
			t.Fatalf("broken off at %d, the target is there", offset)
		}
		var began int64
		_, err = b.transport.Fetch(t.Context(), workspace.Fetch{Location: b.Location("image"),
			Path: b.target, SHA256: imagetest.Sum(data), Progress: first(&began)})
		ok(t, err)
		b.got(t, data)
		if b.Resumes && offset > 4<<20 && began >= 0 && began < 1<<20 {
			t.Errorf("broken off at %d, it began anew at %d", offset, began)
		}
		ok(t, os.Remove(b.target))
	}
}

func resumeDeliver(t *testing.T, b *bench) {
	data := imagetest.Random(brokenSize, 21)
	clear(data[3<<20 : 9<<20])
	writeFile(t, b.target, data)
	saved := filepath.Join(b.repository, "saved")
	for _, offset := range brokenOffsets {
		ctx, report := breakAt(t, offset)
		_, err := b.transport.Deliver(ctx, workspace.Deliver{
			Path: b.target, Location: b.Location("saved"), Progress: report})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("broken off at %d: %v", offset, err)
		}
		if _, serr := os.Stat(saved); err != nil && serr == nil {
			imagetest.Same(t, saved, data) // all was sent before it was broken off
		}
		var began int64
		_, err = b.transport.Deliver(t.Context(), workspace.Deliver{
			Path: b.target, Location: b.Location("saved"), Progress: first(&began)})
		ok(t, err)
		imagetest.Same(t, saved, data)
		imagetest.Becomes(t, b.repository, "saved", "saved.sha256")
		imagetest.Only(t, b.host, "disk")
		if b.Resumes && !b.Resends && offset > 20<<20-1 && began == 0 {
			t.Errorf("broken off at %d, it began anew", offset)
		}
		ok(t, os.Remove(saved))
		ok(t, os.Remove(saved+".sha256"))
	}
}

// truncated cuts the image while it is read, and before.
func truncated(t *testing.T, b *bench) {
	data := imagetest.Random(brokenSize, 22)
	b.put(t, "image", data)
	cut := func(done, _ int64) {
		os.Truncate(filepath.Join(b.repository, "image"), brokenSize/4)
	}
	_, err := b.transport.Fetch(t.Context(), workspace.Fetch{Location: b.Location("image"),
		Path: b.target, Progress: cut})
	kind(t, err, workspace.Transient)
	imagetest.Only(t, b.host)
	b.put(t, "image", data[:len(data)-1])
	writeFile(t, filepath.Join(b.repository, "image.sha256"),
		[]byte(imagetest.Sum(data)+"  image\n"))
	_, err = b.fetch(t.Context(), "image")
	kind(t, err, workspace.Invalid)
	imagetest.Only(t, b.host)
}

// replaced puts another image under the name while the first is read. Either
// may come, whole, or an error; a mixture never.
func replaced(t *testing.T, b *bench) {
	before, after := imagetest.Random(brokenSize, 23), imagetest.Random(brokenSize, 24)
	for _, rename := range []bool{true, false} {
		b.put(t, "image", before)
		swap := func(done, _ int64) {
			if rename {
				other := filepath.Join(b.repository, "other")
				os.WriteFile(other, after, 0o644)
				os.Rename(other, filepath.Join(b.repository, "image"))
				return
			}
			os.WriteFile(filepath.Join(b.repository, "image"), after, 0o644)
		}
		_, err := b.transport.Fetch(t.Context(), workspace.Fetch{Location: b.Location("image"),
			Path: b.target, Progress: swap})
		if err != nil {
			kind(t, err, workspace.Transient)
			_, err = b.fetch(t.Context(), "image")
			ok(t, err)
			b.got(t, after)
			continue
		}
		got, err := os.ReadFile(b.target)
		ok(t, err)
		if s := imagetest.Sum(got); s != imagetest.Sum(before) && s != imagetest.Sum(after) {
			t.Errorf("a mixture came (by rename: %t)", rename)
		}
	}
}

// replacedBetween makes sure that a broken fetch is not gone on with when the
// image is another.
func replacedBetween(t *testing.T, b *bench) {
	before, after := imagetest.Random(brokenSize, 25), imagetest.Random(brokenSize, 26)
	b.put(t, "image", before)
	ctx, report := breakAt(t, 10<<20)
	b.transport.Fetch(ctx, workspace.Fetch{Location: b.Location("image"), Path: b.target,
		Progress: report})
	b.put(t, "image", after)
	now := time.Now()
	ok(t, os.Chtimes(filepath.Join(b.repository, "image"), now, now))
	_, err := b.fetch(t.Context(), "image")
	ok(t, err)
	b.got(t, after)
}

// cancelled makes sure that nothing begins for a context that is over, and
// nothing is left of it.
func cancelled(t *testing.T, b *bench) {
	b.put(t, "image", imagetest.Random(1<<20, 27))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.fetch(ctx, "image")
	kind(t, err, workspace.Transient)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not the context's error", err)
	}
	imagetest.Only(t, b.host)
	writeFile(t, b.target, imagetest.Random(1<<20, 28))
	_, err = b.deliver(ctx, "saved")
	kind(t, err, workspace.Transient)
	imagetest.Becomes(t, b.repository, "image")
}

func hostFull(t *testing.T, b *bench) {
	small := newBenchIn(t, b.Fixture, b.repository, imagetest.Small(t, "1m"))
	small.put(t, "image", imagetest.Random(4<<20, 29))
	_, err := small.fetch(t.Context(), "image")
	kind(t, err, workspace.NoResource)
	imagetest.Only(t, small.host)
	small.put(t, "little", imagetest.Random(500<<10, 30))
	_, err = small.fetch(t.Context(), "little")
	ok(t, err)
}

func repositoryFull(t *testing.T, b *bench) {
	small := newBenchIn(t, b.Fixture, imagetest.Small(t, "1m"), b.host)
	writeFile(t, small.target, imagetest.Random(4<<20, 31))
	_, err := small.deliver(t.Context(), "saved")
	kind(t, err, workspace.NoResource)
	imagetest.Becomes(t, small.repository)
	imagetest.Only(t, small.host, "disk")
	writeFile(t, small.target, imagetest.Random(500<<10, 32))
	_, err = small.deliver(t.Context(), "saved")
	ok(t, err)
}
