// Package catalog keeps the image library: who may see and change which entries, what
// their attestations are worth here, which entry a request means, and whether images
// are still what their entries say.
//
// It must not know how images move: it is handed transports. What a query means is
// the business of service/library.
package catalog

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/schema/attestation"
	"github.com/philoxenia/philoxenia/service/library"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Options are what a Catalog is made of.
type Options struct {
	Store workspace.Store
	// Check says whether an image can be fetched, and what its repository knows of it.
	Check func(ctx context.Context, location string) (workspace.ImageInfo, error)
	// Kernel says whether the site offers a kernel; empty means the default.
	Kernel func(image string) error
	// Raw are the transports by scheme, which bring files as they lie in repositories:
	// of these are checksums.
	Raw map[string]workspace.Transport
	// Examine returns the format of an image that was brought from the location to a file
	// of this machine, and the size of the disk in it; an empty format: it cannot tell.
	Examine func(location, path string) (format string, size int64, err error)
	Spool   string // directory for images that are read; its content is ours
	SpoolMB int64  // the largest file that is read into it; 0: no limit
	Trusted []attestation.Key
	// Operators may change the site's entries.
	Operators []workspace.Owner
	PerOwner  int          // entries on one shelf; 0: no limit
	Strict    bool         // only attested images may be deployed
	Logger    *slog.Logger // nil: nothing is logged
}

// Catalog answers the callers. It is safe for concurrent use.
type Catalog struct {
	options Options
	wake    chan struct{} // something is to be read

	mu       sync.Mutex
	waiting  []wish
	turns    []workspace.Owner // who had images read, the last one last
	broken   string            // file of the reading that was broken off last; empty: none
	readings map[workspace.ImageKey]*workspace.ImageReading
	// signed has whose attestations of an entry hold: entries do not change in
	// place, and to check signatures takes longer than all else.
	signed map[*workspace.Image][]string
}

// New returns a Catalog. Checks of whole images wait for Run.
func New(o Options) *Catalog {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Catalog{
		options: o, wake: make(chan struct{}, 1),
		readings: map[workspace.ImageKey]*workspace.ImageReading{},
		signed:   map[*workspace.Image][]string{},
	}
}

// entries returns those that the owner can see: the site's, and its own.
func (c *Catalog) entries(
	ctx context.Context, owner workspace.Owner,
) ([]library.Entry, error) {
	all, err := c.options.Store.Images(ctx)
	if err != nil {
		return nil, err
	}
	c.drop(all)
	seen := visible(all, owner)
	for n := range seen {
		seen[n].Signers = c.signers(seen[n].Image)
	}
	return seen, nil
}

// visible returns the entries that the owner can see, whoever signed them.
func visible(all []*workspace.Image, owner workspace.Owner) []library.Entry {
	var seen []library.Entry
	for _, i := range all {
		if i.Owner == "" || i.Owner == owner {
			seen = append(seen, library.Entry{Image: i})
		}
	}
	return seen
}

// drop forgets the signers of what are no entries any more, now and then.
func (c *Catalog) drop(all []*workspace.Image) {
	const least = 64
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.signed) <= 2*len(all)+least {
		return
	}
	left := make(map[*workspace.Image][]string, len(all))
	for _, i := range all {
		if names, known := c.signed[i]; known {
			left[i] = names
		}
	}
	c.signed = left
}

// signers returns whose attestations of the image hold.
func (c *Catalog) signers(i *workspace.Image) []string {
	c.mu.Lock()
	names, known := c.signed[i]
	c.mu.Unlock()
	if known {
		return names
	}
	for _, a := range c.judge(i) {
		if a.Status == workspace.AttestationVerified && !slices.Contains(names, a.Signer) {
			names = append(names, a.Signer)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signed[i] = names
	return names
}

// judge says what the attestations of an image are worth.
func (c *Catalog) judge(i *workspace.Image) []workspace.Attested {
	var all []workspace.Attested
	for _, data := range i.Attestations {
		a := workspace.Attested{Envelope: data}
		if e, err := attestation.Parse(data); err != nil {
			a.Status, a.Reason = string(attestation.Bad), err.Error()
		} else {
			a = c.judged(e, i.SHA256)
			a.Envelope = data
		}
		all = append(all, a)
	}
	return all
}

func (c *Catalog) judged(e *attestation.Envelope, sum string) workspace.Attested {
	v := e.Check(sum, c.options.Trusted)
	a := workspace.Attested{
		Status: string(v.Status), Signer: v.Signer, Reason: v.Reason,
		Builder: e.Statement.Builder, Built: e.Statement.Built,
	}
	for _, s := range e.Signatures {
		a.Keys = append(a.Keys, s.KeyID)
	}
	for _, s := range e.Statement.Sources {
		a.Sources = append(a.Sources, workspace.ImageSource(s))
	}
	return a
}

// view returns an entry as its callers see it.
func (c *Catalog) view(i *workspace.Image) workspace.ImageView {
	v := workspace.ImageView{Image: i, Attested: c.judge(i)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.readings[i.ImageKey]; r != nil {
		now := *r
		v.Reading = &now
	}
	return v
}

// FindImages holds what the owner can see against a query: the best first.
func (c *Catalog) FindImages(
	ctx context.Context, owner workspace.Owner, query string,
) (workspace.ImageResult, error) {
	q, err := library.Parse(query)
	if err != nil {
		return workspace.ImageResult{}, wrap("find images", query, err)
	}
	seen, err := c.entries(ctx, owner)
	if err != nil {
		return workspace.ImageResult{}, err
	}
	found := q.Find(seen)
	r := workspace.ImageResult{Total: found.Total}
	for _, e := range found.Found {
		r.Found = append(r.Found, c.view(e.Image))
	}
	for _, x := range found.Excluded {
		r.Excluded = append(r.Excluded, workspace.ImageExclusion(x))
	}
	return r, nil
}

// LibraryImage returns the entry that a reference names: NAME, NAME:VERSION or
// NAME:TAG. Of several versions it is the best.
func (c *Catalog) LibraryImage(
	ctx context.Context, owner workspace.Owner, reference string,
) (workspace.ImageView, error) {
	seen, err := c.entries(ctx, owner)
	if err != nil {
		return workspace.ImageView{}, err
	}
	found, err := named(seen, reference)
	if err != nil {
		return workspace.ImageView{}, wrap("find the image", reference, err)
	}
	return c.view(found[0].Image), nil
}

// named returns the entries that a reference names, the best first: those on the
// caller's own shelf stand before the site's. There is at least one.
func named(seen []library.Entry, reference string) ([]library.Entry, error) {
	q, err := library.Named(reference)
	if err != nil {
		return nil, err
	}
	found := shelved(q.Find(seen).Found)
	if len(found) == 0 {
		return nil, workspace.Refuse(workspace.NotFound, "the library has no such image, "+
			"or none that you can see")
	}
	return found, nil
}

// shelved leaves the site's entries out where the caller has some.
func shelved(all []library.Entry) []library.Entry {
	own := slices.DeleteFunc(slices.Clone(all),
		func(e library.Entry) bool { return e.Owner == "" })
	if len(own) > 0 {
		return own
	}
	return all
}

// wrap says what could not be done.
func wrap(op, id string, err error) error {
	if err == nil {
		return nil
	}
	return &workspace.Error{Op: op, Kind: workspace.KindOf(err), ID: id, Err: err}
}

// now is the time as the record keeps it: UTC, in milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
