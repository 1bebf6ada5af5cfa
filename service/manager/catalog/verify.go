package catalog

import (
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

// VerifyImage has the whole image read and its checksum computed, one image after the
// other; the view that is returned, and those to come, tell how far that is. What
// came of it is recorded; who may not change the entry may have it read all the same.
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
	c.mu.Lock()
	if !slices.Contains(c.waiting, v.ImageKey) {
		if r := c.readings[v.ImageKey]; r == nil || r.Fault != "" {
			c.readings[v.ImageKey] = new(workspace.ImageReading)
			c.waiting = append(c.waiting, v.ImageKey)
		}
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // it will look anyway
	}
	return c.view(v.Image), nil
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

// next returns the image that is to be read next.
func (c *Catalog) next() (workspace.ImageKey, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return workspace.ImageKey{}, false
	}
	key := c.waiting[0]
	c.waiting = c.waiting[1:]
	return key, true
}

// read reads an image and records what came of it.
func (c *Catalog) read(ctx context.Context, key workspace.ImageKey) {
	err := ctx.Err()
	if err == nil {
		err = c.verify(ctx, key)
	}
	_, gone := c.options.Store.Image(context.WithoutCancel(ctx), key)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && gone == nil {
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

// fits refuses a file that the spool is too small for.
func (c *Catalog) fits(ctx context.Context, t workspace.Transport, location string) error {
	info, err := t.Check(ctx, location)
	if most := c.options.SpoolMB << 20; err == nil && most > 0 && info.Size > most {
		return workspace.Errorf(workspace.NoResource, opVerify, location,
			"it has %d MB, and no more than %d are read here (spool_mb)", info.Size>>20,
			c.options.SpoolMB)
	}
	return nil // other failures are those of the fetch
}

// verify fetches the image into the spool. The error says why nothing is known of it
// now; that it is not what it should be is recorded.
func (c *Catalog) verify(ctx context.Context, key workspace.ImageKey) error {
	i, err := c.options.Store.Image(ctx, key)
	if err != nil {
		return err
	}
	t, err := c.raw(i.Location)
	if err != nil {
		return err
	}
	if err := errors.Join(c.fits(ctx, t, i.Location),
		os.MkdirAll(c.options.Spool, 0o700)); err != nil {
		return err
	}
	name := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s", key.Owner, key))
	path := filepath.Join(c.options.Spool, hex.EncodeToString(name[:16]))
	defer c.sweep(path)
	info, err := t.Fetch(ctx, workspace.Fetch{
		Location: i.Location, Path: path, Share: true, Progress: c.progress(key),
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

// sum computes the checksum of a file.
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
	h, done := sha256.New(), int64(0)
	for ctx.Err() == nil {
		n, err := io.CopyN(h, f, step)
		done += n
		p(done, stat.Size())
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", ctx.Err()
}

// step is how much is read between two looks at the context.
const step = 4 << 20

// forget drops what is known of the reading of an entry.
func (c *Catalog) forget(key workspace.ImageKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.readings, key)
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
