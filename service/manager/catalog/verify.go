package catalog

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

const opVerify = "verify the image"

// A wish is that of an owner to have an image read.
type wish struct {
	by  workspace.Owner
	key workspace.ImageKey
}

// VerifyImage has the whole image read and its checksum computed, one image after the
// other, and one of each owner before another of the same; the view that is returned, and
// those to come, tell how far that is. What came of it is recorded; who may not change the
// entry may have it read all the same.
func (c *Catalog) VerifyImage(
	ctx context.Context, owner workspace.Owner, reference string,
) (workspace.ImageView, error) {
	v, err := c.LibraryImage(ctx, owner, reference)
	if err != nil {
		return v, err
	}
	if _, err := c.raw(v.Location); err != nil {
		return v, wrap(opVerify, reference, err)
	}
	c.want(wish{owner, v.ImageKey})
	select {
	case c.wake <- struct{}{}:
	default: // it will look anyway
	}
	return c.view(v.Image), nil
}

// want notes a wish, unless the image is being read. Each owner's counts, lest who is the
// second to ask waits for all that the first one wants.
func (c *Catalog) want(w wish) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.waiting, w) {
		return
	}
	waits := slices.ContainsFunc(c.waiting, func(other wish) bool { return other.key == w.key })
	if r := c.readings[w.key]; r == nil || r.Fault != "" {
		c.readings[w.key] = new(workspace.ImageReading)
	} else if !waits {
		return
	}
	c.waiting = append(c.waiting, w)
}

// raw returns the transport of a location.
func (c *Catalog) raw(location string) (workspace.Transport, error) {
	scheme, _, _ := strings.Cut(location, "://")
	t := c.options.Raw[strings.ToLower(scheme)]
	if t == nil {
		return nil, workspace.Refuse(workspace.Denied, "scheme %q is not served here", scheme)
	}
	return t, nil
}

// Run reads the images that are to be verified, until ctx ends. What an earlier run
// left is removed first.
func (c *Catalog) Run(ctx context.Context) error {
	if err := os.RemoveAll(c.options.Spool); err != nil {
		return err
	}
	for {
		key, ok := c.next()
		if ok {
			c.read(ctx, key)
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.wake:
		}
	}
}

// next returns the image that is to be read next: the first wish of the owner whose last
// turn is the longest ago.
func (c *Catalog) next() (workspace.ImageKey, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.turns = nil
		return workspace.ImageKey{}, false
	}
	turn := func(w wish) int { return slices.Index(c.turns, w.by) } // -1: none yet
	first := slices.MinFunc(c.waiting, func(a, b wish) int { return turn(a) - turn(b) })
	c.turns = append(slices.DeleteFunc(c.turns, func(o workspace.Owner) bool {
		return o == first.by
	}), first.by)
	c.waiting = slices.DeleteFunc(c.waiting, func(w wish) bool { return w.key == first.key })
	return first.key, true
}

// read reads an image and records what came of it.
func (c *Catalog) read(ctx context.Context, key workspace.ImageKey) {
	err := ctx.Err()
	if err == nil {
		err = c.verify(ctx, key)
	}
	_, gone := c.options.Store.Image(context.WithoutCancel(ctx), key)
	if gone != nil {
		c.forget(key)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.readings[key] = &workspace.ImageReading{Fault: c.told(key, err)}
		return
	}
	delete(c.readings, key)
}

// told is an error as callers hear it: what is our own affair stands in the log.
func (c *Catalog) told(key workspace.ImageKey, err error) string {
	if workspace.KindOf(err) != workspace.Internal {
		return err.Error()
	}
	c.options.Logger.Error("image cannot be verified", "image", key.String(), "error", err)
	return "it could not be read; the service's log says why"
}

// fits refuses a file that the spool is too small for, and returns how many bytes it has;
// 0: that is not known.
func (c *Catalog) fits(
	ctx context.Context, t workspace.Transport, location string,
) (int64, error) {
	info, err := t.Check(ctx, location)
	if err != nil {
		return 0, nil // the fetch says why
	}
	if most := c.options.SpoolMB << 20; most > 0 && info.Size > most {
		return 0, workspace.Errorf(workspace.NoResource, opVerify, location,
			"it has %d MB, and no more than %d are read here (spool_mb)", info.Size>>20,
			c.options.SpoolMB)
	}
	return info.Size, nil
}

// verify fetches the image into the spool. The error says why nothing is known of it
// now; that it is not what it should be is recorded.
func (c *Catalog) verify(ctx context.Context, key workspace.ImageKey) (err error) {
	i, err := c.options.Store.Image(ctx, key)
	if err != nil {
		return err
	}
	t, err := c.raw(i.Location)
	if err != nil {
		return err
	}
	size, err := c.fits(ctx, t, i.Location)
	if err = errors.Join(err, os.MkdirAll(c.options.Spool, 0o700)); err != nil {
		return err
	}
	path := c.file(key)
	c.yield(path, size)
	defer func() { c.leave(path, err) }()
	info, err := t.Fetch(ctx, workspace.Fetch{
		Location: i.Location, Path: path, Share: true, Progress: c.progress(key),
		Promised: cmp.Or(size, c.options.SpoolMB<<20),
	})
	if err == nil && info.SHA256 == "" { // nobody had said what to expect
		info.SHA256, err = sum(ctx, path, c.progress(key))
	}
	found := workspace.ImageCheck{At: now(), SHA256: info.SHA256}
	switch kind := workspace.KindOf(err); {
	case err != nil && kind != workspace.Invalid && kind != workspace.NotFound &&
		kind != workspace.Conflict:
		return err
	case err != nil:
		found.Fault = err.Error()
	case i.SHA256 != "" && info.SHA256 != i.SHA256:
		found.Fault = fmt.Sprintf("its checksum is %s, expected %s", info.SHA256, i.SHA256)
	}
	return c.record(ctx, i, path, found)
}

// sum computes the checksum of a file, which may be another name of one that somebody
// writes to: then no more is read than it had, and its checksum is not known.
func sum(ctx context.Context, path string, p workspace.Progress) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for done := int64(0); done < stat.Size(); {
		n, err := io.CopyN(h, f, min(step, stat.Size()-done))
		if err = cmp.Or(ctx.Err(), err); err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		if n == 0 {
			break
		}
		done += n
		p(done, stat.Size())
	}
	now, err := f.Stat()
	if err == nil && (now.Size() != stat.Size() || !now.ModTime().Equal(stat.ModTime())) {
		err = workspace.Refuse(workspace.Transient, "somebody writes to it: it had %d bytes, "+
			"and has %d", stat.Size(), now.Size())
	}
	return hex.EncodeToString(h.Sum(nil)), err
}

// step is how much is read between two looks at the context.
const step = 4 << 20

// forget drops what is known, and kept, of the reading of an entry.
func (c *Catalog) forget(key workspace.ImageKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.readings, key)
	if path := c.file(key); c.broken == path {
		c.sweep(path)
		c.broken = ""
	}
}

// file is where the image of an entry is read.
func (c *Catalog) file(key workspace.ImageKey) string {
	name := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s", key.Owner, key))
	return filepath.Join(c.options.Spool, hex.EncodeToString(name[:16]))
}

// leave ends a reading into a file. What was broken off in a way that may pass stays, as
// far as it has come, in the place of what was before: the transport goes on with it, if the
// image is the same, when it is to be read again.
func (c *Catalog) leave(path string, err error) {
	kind := workspace.KindOf(err)
	again := err != nil && (kind == workspace.Transient || kind == workspace.Unavailable)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != "" && (c.broken != path || !again) {
		c.sweep(c.broken)
	}
	c.broken = path
	if _, there := os.Lstat(path + ".part"); !again || there != nil {
		c.sweep(path)
		c.broken = ""
	}
}

// yield removes what was broken off when another image is read, and not both may lie in
// the spool.
func (c *Catalog) yield(path string, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if most := c.options.SpoolMB << 20; c.broken == "" || c.broken == path || most == 0 ||
		size+c.held() <= most {
		return
	}
	c.sweep(c.broken)
	c.broken = ""
}

// held is how many bytes have come of the reading that was broken off.
func (c *Catalog) held() (bytes int64) {
	for _, suffix := range append([]string{""}, workspace.Leftovers...) {
		if info, err := os.Lstat(c.broken + suffix); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// progress tells of a reading.
func (c *Catalog) progress(key workspace.ImageKey) workspace.Progress {
	return func(done, total int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if r := c.readings[key]; r != nil {
			r.Done, r.Total = done, total
		}
	}
}

// sweep removes a file of the spool and what stands beside it.
func (c *Catalog) sweep(path string) {
	_ = os.Remove(path) // what is left goes at the next start
	for _, suffix := range workspace.Leftovers {
		_ = os.Remove(path + suffix)
	}
}

// record writes what came of a check, and what the entry did not say.
func (c *Catalog) record(
	ctx context.Context, read *workspace.Image, path string, found workspace.ImageCheck,
) error {
	var format string
	var size int64
	if found.Fault == "" {
		var err error
		if format, size, err = c.options.Examine(read.Location, path); err != nil {
			found.Fault = err.Error()
		}
	}
	return c.options.Store.Update(ctx, func(tx workspace.Tx) error {
		i, err := tx.LibraryImage(read.ImageKey)
		if err != nil {
			return err // it was removed meanwhile
		}
		if i.Location != read.Location || !i.Added.Equal(read.Added) {
			return nil // and another one was added in its place, of which this says nothing
		}
		changed := *i
		changed.Check = found
		if found.Fault == "" {
			if changed.SHA256 == "" {
				changed.SHA256 = found.SHA256
			}
			if changed.Format == "" {
				changed.Format = format
			}
			if changed.Size == 0 {
				changed.Size = size
			}
		}
		return tx.PutImage(&changed)
	})
}
