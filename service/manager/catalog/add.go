package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/schema/attestation"
	"github.com/philoxenia/philoxenia/service/library"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// The bounds of an entry.
const (
	maxSoftware     = 4096
	maxAttributes   = 64
	maxTags         = 16
	maxAttestations = 16
	maxText         = 1024     // bytes of a comment, or of a value
	maxShelf        = 32 << 20 // bytes of all entries of one owner: the record is in memory
)

// vmms are the words of requests for a VMM.
var vmms = []string{"Xen", "KVM", "VMware"}

const opAdd = "add the image"

// AddImage adds an entry, once its repository has been asked about the image. Errors
// have kind Invalid (the description contradicts itself, or the repository), Denied,
// Conflict (there is one of that name and version), Quota, or are those of the
// repository.
func (c *Catalog) AddImage(
	ctx context.Context, owner workspace.Owner, d workspace.ImageDraft,
) (workspace.ImageView, error) {
	i := d.Image
	i.Owner, i.By, i.Added, i.Check = owner, owner, now(), workspace.ImageCheck{}
	if d.Site {
		i.Owner = ""
	}
	if err := c.addable(ctx, &i); err != nil {
		return workspace.ImageView{}, wrap(opAdd, i.ImageKey.String(), err)
	}
	err := c.options.Store.Update(ctx, func(tx workspace.Tx) error {
		if err := c.room(tx, &i); err != nil {
			return err
		}
		if err := untag(tx, i.ImageKey, i.Tags); err != nil {
			return err
		}
		return tx.PutImage(&i)
	})
	if err != nil {
		return workspace.ImageView{}, wrap(opAdd, i.ImageKey.String(), err)
	}
	return c.view(&i), nil
}

// addable checks the description, by itself and against the repository, which fills in
// what it leaves out.
func (c *Catalog) addable(ctx context.Context, i *workspace.Image) error {
	if err := c.mayChange(i.By, i.Owner); err != nil {
		return err
	}
	for _, check := range []func(*workspace.Image) error{
		checkNames, checkMachine, checkContent, checkAttestations,
	} {
		if err := check(i); err != nil {
			return err
		}
	}
	if i.Kernel != "" {
		if err := c.options.Kernel(i.Kernel); err != nil {
			return workspace.Refuse(workspace.Invalid, "%w", err)
		}
	}
	if library.IsReference(i.Location) {
		return invalid("the location %q is one of the library, expected that of a file in a "+
			"repository", i.Location)
	}
	found, err := c.options.Check(ctx, i.Location)
	if err != nil {
		return err
	}
	return reconcile(i, found)
}

func invalid(format string, args ...any) error {
	return workspace.Refuse(workspace.Invalid, format, args...)
}

// mayChange refuses changes of the site's shelf by others than operators.
func (c *Catalog) mayChange(caller, shelf workspace.Owner) error {
	switch {
	case caller == "":
		return workspace.Refuse(workspace.Denied, "no caller identity")
	case shelf == "" && !slices.Contains(c.options.Operators, caller):
		return workspace.Refuse(workspace.Denied,
			"only operators of the site change what everybody sees; an entry of your own is yours")
	}
	return nil
}

func checkNames(i *workspace.Image) error {
	const form = "letters, digits and . _ + ~ -, the first a letter or digit, at most 64"
	if !library.IsName(i.Name) {
		return invalid("the name %.64q is not %s", i.Name, form)
	}
	if !library.IsName(i.Version) {
		return invalid("the version %.64q is not %s", i.Version, form)
	}
	slices.Sort(i.Tags)
	i.Tags = slices.Compact(i.Tags)
	for _, t := range i.Tags {
		if !library.IsName(t) {
			return invalid("the tag %.64q is not %s", t, form)
		}
	}
	if len(i.Tags) > maxTags {
		return invalid("it has %d tags, more than %d", len(i.Tags), maxTags)
	}
	return nil
}

func checkMachine(i *workspace.Image) error {
	if len(i.VMMs) == 0 {
		return invalid("it does not say for which VMM it is, expected some of %s",
			strings.Join(vmms, ", "))
	}
	for n, v := range i.VMMs {
		if !slices.Contains(vmms, v) || slices.Contains(i.VMMs[:n], v) {
			return invalid("the VMM %.64q is repeated, or not one of %s", v,
				strings.Join(vmms, ", "))
		}
	}
	if !library.IsName(i.Architecture) {
		return invalid("the architecture %.64q is not a word such as x86_64", i.Architecture)
	}
	return nil
}

func checkContent(i *workspace.Image) error {
	switch {
	case i.Format != "" && i.Format != "raw" && i.Format != "qcow2":
		return invalid("the format %.64q is neither raw nor qcow2", i.Format)
	case i.Size < 0 || i.FileSize < 0:
		return invalid("a size is negative")
	case i.SHA256 != "" && !attestation.IsSHA256(i.SHA256):
		return invalid("the checksum %.80q is not 64 digits of lower-case hexadecimal", i.SHA256)
	case len(i.Software) > maxSoftware:
		return invalid("it lists %d pieces of software, more than %d", len(i.Software), maxSoftware)
	case len(i.Attributes) > maxAttributes:
		return invalid("it has %d attributes, more than %d", len(i.Attributes), maxAttributes)
	case len(i.Comment) > maxText:
		return invalid("the comment has %d bytes, more than %d", len(i.Comment), maxText)
	}
	for _, s := range i.Software {
		if !library.IsName(s.Name) || len(s.Version) > maxText {
			return invalid("the software %.64q has no name that queries could say", s.Name)
		}
	}
	for _, a := range i.Attributes {
		if !library.IsName(a.Name) || len(a.Value) > maxText {
			return invalid("the attribute %.64q has no name that queries could say, or too long "+
				"a value", a.Name)
		}
	}
	return nil
}

func checkAttestations(i *workspace.Image) error {
	if n := len(i.Attestations); n > maxAttestations {
		return invalid("it has %d attestations, more than %d", n, maxAttestations)
	}
	for _, data := range i.Attestations {
		if _, err := attestation.Parse(data); err != nil {
			return invalid("%w", err)
		}
	}
	return nil
}

// reconcile holds the description against what the repository knows, and fills in from
// there what the description does not say.
func reconcile(i *workspace.Image, found workspace.ImageInfo) error {
	differs := func(what string, said, is any) error {
		return invalid("it is said to have the %s %v, and the repository has %v; leave it out, "+
			"or mend it", what, said, is)
	}
	switch {
	case i.FileSize > 0 && found.Size > 0 && i.FileSize != found.Size:
		return differs("size of file", i.FileSize, found.Size)
	case i.Format != "" && found.Format != "" && i.Format != found.Format:
		return differs("format", i.Format, found.Format)
	case i.SHA256 != "" && found.SHA256 != "" && i.SHA256 != found.SHA256:
		return differs("checksum", i.SHA256, found.SHA256)
	case i.Size > 0 && found.Format == "raw" && i.Size != found.Size:
		return differs("size", i.Size, found.Size)
	}
	i.FileSize = max(i.FileSize, found.Size)
	if i.Format == "" {
		i.Format = found.Format
	}
	if i.SHA256 == "" {
		i.SHA256 = found.SHA256
	}
	if found.Format == "raw" { // the file is the disk
		i.Size = found.Size
	}
	return nil
}

// room refuses an entry that is there already, or is one too many.
func (c *Catalog) room(tx workspace.Tx, i *workspace.Image) error {
	held, bytes := 0, weight(i)
	for _, other := range tx.LibraryImages() {
		if other.Owner != i.Owner {
			continue
		}
		held, bytes = held+1, bytes+weight(other)
		switch {
		case other.Name != i.Name:
		case other.Version == i.Version:
			return workspace.Refuse(workspace.Conflict, "there is one already, of %s; "+
				"give it another version, or remove that one first", other.Location)
		case slices.Contains(other.Tags, i.Version):
			return workspace.Refuse(workspace.Conflict, "%q is a tag of version %s", i.Version,
				other.Version)
		case slices.Contains(i.Tags, other.Version):
			return workspace.Refuse(workspace.Conflict, "the tag %q is a version of this image",
				other.Version)
		}
	}
	if most := c.options.PerOwner; most > 0 && held >= most {
		return workspace.Refuse(workspace.Quota, "there are %d entries, and no more than %d are "+
			"allowed; remove some", held, most)
	}
	return light(bytes)
}

// light refuses a shelf that takes too much of the record.
func light(bytes int) error {
	if bytes > maxShelf {
		return workspace.Refuse(workspace.Quota, "the entries of the shelf would take %d bytes, "+
			"and no more than %d are allowed; remove some", bytes, maxShelf)
	}
	return nil
}

// weight is about how many bytes the texts of an entry take.
func weight(i *workspace.Image) int {
	n := len(i.Location) + len(i.Comment)
	for _, s := range i.Software {
		n += len(s.Name) + len(s.Version)
	}
	for _, a := range i.Attributes {
		n += len(a.Name) + len(a.Value)
	}
	for _, a := range i.Attestations {
		n += len(a)
	}
	return n
}

// bears refuses another attestation of an entry on a shelf that is full.
func bears(tx workspace.Tx, i *workspace.Image, more []byte) error {
	if more == nil {
		return nil
	}
	bytes := len(more)
	for _, other := range tx.LibraryImages() {
		if other.Owner == i.Owner {
			bytes += weight(other)
		}
	}
	return light(bytes)
}

// untag takes tags off the other versions of an image: a tag is at one only.
func untag(tx workspace.Tx, key workspace.ImageKey, tags []string) error {
	for _, other := range tx.LibraryImages() {
		if other.Owner != key.Owner || other.Name != key.Name || other.Version == key.Version {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(other.Tags),
			func(t string) bool { return slices.Contains(tags, t) })
		if len(left) == len(other.Tags) {
			continue
		}
		changed := *other
		changed.Tags = left
		if err := tx.PutImage(&changed); err != nil {
			return err
		}
	}
	return nil
}

// RemoveImage removes the entry, and nothing else: the image stays in its repository,
// and workspaces that were made of it stay what they are.
func (c *Catalog) RemoveImage(
	ctx context.Context, owner workspace.Owner, reference string,
) error {
	err := c.change(ctx, owner, reference, func(tx workspace.Tx, i *workspace.Image) error {
		c.forget(i.ImageKey)
		return tx.RemoveImage(i.ImageKey)
	})
	return wrap("remove the image", reference, err)
}

// change has f change the one entry that a reference names, if the owner may.
func (c *Catalog) change(
	ctx context.Context, owner workspace.Owner, reference string,
	f func(workspace.Tx, *workspace.Image) error,
) error {
	return c.options.Store.Update(ctx, func(tx workspace.Tx) error {
		found, err := named(visible(tx.LibraryImages(), owner), reference)
		if err != nil {
			return err
		}
		if len(found) > 1 {
			var versions []string
			for _, e := range found {
				versions = append(versions, e.Version)
			}
			return invalid("there are several, expected NAME:VERSION with one of %s",
				strings.Join(versions, ", "))
		}
		if err := c.mayChange(owner, found[0].Owner); err != nil {
			return err
		}
		return f(tx, found[0].Image)
	})
}

// ChangeImage tags an entry, takes tags off it, or adds an attestation to it.
func (c *Catalog) ChangeImage(
	ctx context.Context, owner workspace.Owner, reference string, what workspace.ImageChange,
) (workspace.ImageView, error) {
	var changed workspace.Image
	err := c.change(ctx, owner, reference, func(tx workspace.Tx, i *workspace.Image) error {
		changed = *i
		changed.Tags = slices.DeleteFunc(slices.Concat(i.Tags, what.Tag),
			func(t string) bool { return slices.Contains(what.Untag, t) })
		if what.Attest != nil {
			changed.Attestations = appended(i.Attestations, what.Attest)
		}
		err := errors.Join(checkNames(&changed), checkAttestations(&changed),
			distinct(tx, i, what.Tag), bears(tx, i, what.Attest))
		if err != nil {
			return err
		}
		if err := untag(tx, i.ImageKey, what.Tag); err != nil {
			return err
		}
		return tx.PutImage(&changed)
	})
	if err != nil {
		return workspace.ImageView{}, wrap("change the image", reference, err)
	}
	return c.view(&changed), nil
}

// appended adds an attestation that is not there yet.
func appended(all [][]byte, one []byte) [][]byte {
	for _, data := range all {
		if string(data) == string(one) {
			return all
		}
	}
	return append(slices.Clone(all), one)
}

// distinct refuses tags that are versions of the image.
func distinct(tx workspace.Tx, i *workspace.Image, tags []string) error {
	for _, t := range tags {
		key := i.ImageKey
		key.Version = t
		if _, err := tx.LibraryImage(key); err == nil {
			return workspace.Refuse(workspace.Conflict, "%w",
				fmt.Errorf("the tag %q is a version of this image", t))
		}
	}
	return nil
}
