package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/library"
)

// An imageCmd is the command image: the library of images.
type imageCmd struct {
	Add    imageAddCmd    `cmd:"" help:"Describe an image that lies in a repository, so that it can be found by what it has."`
	List   imageListCmd   `cmd:"" aliases:"ls" help:"List the images of the library: mine, and the site's."`
	Show   imageShowCmd   `cmd:"" help:"Show images in detail: what they are and have, and who attested them."`
	Find   imageFindCmd   `cmd:"" help:"Find images by what is needed of them, the best first, or say why none will do."`
	Verify imageVerifyCmd `cmd:"" help:"Have whole images read, and their checksums and attestations checked."`
	Remove imageRemoveCmd `cmd:"" aliases:"rm" help:"Remove entries of the library; the images stay in their repositories."`
	Tag    imageTagCmd    `cmd:"" help:"Put tags on an entry, and take them off; a tag is at one version of a name only."`
	Sign   imageSignCmd   `cmd:"" help:"Sign who built an image, from what and when, and attach that to its entry."`
	Keygen imageKeygenCmd `cmd:"" help:"Make a key to sign with: FILE, and FILE.pub for the site's configuration."`
}

// imageArg names an entry.
type imageArg struct {
	Image string `arg:"" help:"NAME, NAME:VERSION or NAME:TAG; site/NAME and own/NAME tell equal names apart."`
}

// imageArgs name entries.
type imageArgs struct {
	Images []string `arg:"" name:"image" help:"NAME, NAME:VERSION or NAME:TAG; site/NAME and own/NAME tell equal names apart."`
}

// An imageListCmd is the command image list.
type imageListCmd struct{}

// An imageShowCmd is the command image show.
type imageShowCmd struct{ imageArgs }

// An imageFindCmd is the command image find.
type imageFindCmd struct {
	Query []string `arg:"" help:"Conditions such as 'arch=x86_64 vmm in (Xen,KVM) software.python>=3.9 size<2GB'; in quotation marks, for the shell's sake."`
}

// An imageVerifyCmd is the command image verify.
type imageVerifyCmd struct{ imageArgs }

// An imageRemoveCmd is the command image remove.
type imageRemoveCmd struct{ imageArgs }

// An imageTagCmd is the command image tag.
type imageTagCmd struct {
	imageArg
	Tags  []string `arg:"" optional:"" name:"tag" help:"Tags to put on it; it takes them from the other versions."`
	Untag []string `placeholder:"TAG" help:"Tags to take off."`
}

// Run lists all.
func (imageListCmd) Run(ctx context.Context, a *app) error {
	r, err := a.client.FindImages(ctx, "")
	if err != nil {
		return err
	}
	a.keep()
	return a.print(newImages(r.Entries))
}

// Run shows entries.
func (c *imageShowCmd) Run(ctx context.Context, a *app) error {
	return a.images(c.Images, func(name string) (*library.Entry, error) {
		return a.client.LibraryImage(ctx, name)
	})
}

// images prints what do returns for each.
func (a *app) images(names []string, do func(string) (*library.Entry, error)) error {
	return showEach[imageDetails](a, names, func(name string) (v imageView, err error) {
		e, err := do(name)
		if err != nil {
			return v, unlisted(err)
		}
		return newImage(*e), nil
	})
}

// unlisted says of an entry that is not there where those that are can be seen.
func unlisted(err error) error {
	if !client.IsUnknown(err) {
		return err
	}
	return failf(exitNotFound, "`workspace image list` shows what the library has", "%w", err)
}

// Run finds images.
func (c *imageFindCmd) Run(ctx context.Context, a *app) error {
	r, err := a.client.FindImages(ctx, strings.Join(c.Query, " "))
	if err != nil {
		return err
	}
	a.keep()
	if len(r.Entries) == 0 {
		return unfound(r)
	}
	return a.print(newImages(r.Entries))
}

// unfound says why nothing fits.
func unfound(r *library.Result) error {
	if r.Total == 0 {
		return failf(exitNotFound, "`workspace image add` adds one",
			"cannot find an image: the library has none that you can see")
	}
	text, worst := "", library.Exclusion{}
	for _, x := range r.Exclusions {
		if x.Entries > 0 {
			text += fmt.Sprintf("\n  %s excludes %d", x.Condition, x.Entries)
		}
		if x.Alone > worst.Alone {
			worst = x
		}
	}
	hint := "`workspace image list` shows what there is"
	if worst.Alone > 0 {
		hint = fmt.Sprintf("without %s there would be %d", worst.Condition, worst.Alone)
	}
	return failf(exitNotFound, hint, "cannot find an image: none of %d fits%s", r.Total, text)
}

// Run removes entries.
func (c *imageRemoveCmd) Run(ctx context.Context, a *app) error {
	return each(a, c.Images, func(name string) error {
		if err := a.client.RemoveImage(ctx, name); err != nil {
			return unlisted(err)
		}
		a.tell("removed %s; its image stays where it is", name)
		return nil
	})
}

// Run changes tags.
func (c *imageTagCmd) Run(ctx context.Context, a *app) error {
	if len(c.Tags)+len(c.Untag) == 0 {
		return usagef("such as `workspace image tag "+c.Image+" stable`, or --untag stable",
			"cannot tag the image: no tag is named")
	}
	return a.images([]string{c.Image}, func(name string) (*library.Entry, error) {
		return a.client.ChangeImage(ctx,
			library.Change{Reference: name, Tag: c.Tags, Untag: c.Untag})
	})
}

// Run verifies images, and waits until that is done.
func (c *imageVerifyCmd) Run(ctx context.Context, a *app) error {
	view := imageDetails{}
	failure := each(a, c.Images, func(name string) error {
		e, err := a.verify(ctx, name)
		if err != nil {
			return unlisted(err)
		}
		a.keep()
		view = append(view, newImage(*e))
		return sound(name, e)
	})
	return present(a, view, failure)
}

// sound says what is wrong with an image that was verified.
func sound(name string, e *library.Entry) error {
	if e.Check != nil && e.Check.Fault != "" {
		return failf(exitFailed, "restore the image, or remove the entry and add it as another "+
			"version", "cannot vouch for the image %s: %s", name, e.Check.Fault)
	}
	for _, t := range e.Attestations {
		if t.Status == library.Bad {
			return failf(exitFailed, "ask its signer; `workspace image show "+name+"` has the rest",
				"cannot vouch for the image %s: an attestation is bad: %s", name, t.Reason)
		}
	}
	return nil
}

// verify has an image read and waits until that is done.
func (a *app) verify(ctx context.Context, name string) (*library.Entry, error) {
	e, err := a.client.VerifyImage(ctx, name)
	if err != nil {
		return nil, err
	}
	reference := e.Shelf + "/" + e.Name + ":" + e.Version
	line := startActivity(a.terminal(), "reading "+e.Name+":"+e.Version, a.timeout())
	defer line.stop()
	tick := time.NewTicker(a.settings.span("poll"))
	defer tick.Stop()
	for e.Reading != nil && e.Reading.Fault == "" {
		select {
		case <-ctx.Done():
			return nil, failf(exitInterrupted, "it goes on; `workspace image show "+name+
				"` tells what came of it", "cannot wait for the image %s: interrupted", name)
		case <-tick.C:
		}
		if e, err = a.client.LibraryImage(ctx, reference); err != nil {
			return nil, err
		}
		if r := e.Reading; r != nil && r.Total > 0 {
			line.show(fmt.Sprintf("%d of %d MB", r.Done>>20, r.Total>>20))
		}
	}
	if e.Reading != nil {
		return nil, failf(exitFailed, "try again when the repository can be reached",
			"cannot verify the image %s: %s", name, e.Reading.Fault)
	}
	return e, nil
}
