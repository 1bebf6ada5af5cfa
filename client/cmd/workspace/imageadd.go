package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/philoxenia/philoxenia/schema/attestation"
	"github.com/philoxenia/philoxenia/schema/library"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// An imageAddCmd is the command image add.
type imageAddCmd struct {
	Image    string   `arg:"" optional:"" help:"NAME or NAME:VERSION; the version is 1 unless it is told."`
	Location string   `arg:"" optional:"" help:"Where the image lies, such as file://debian.qcow2."`
	File     string   `short:"f" placeholder:"FILE" help:"Description of the image (.toml, .json or .xml); what options say comes before it."`
	Site     bool     `help:"For everybody, not for me alone. For operators."`
	Arch     string   `placeholder:"ARCH" help:"Architecture, such as x86_64."`
	VMM      []string `name:"vmm" placeholder:"VMM" help:"Hypervisors that it is for: Xen, KVM."`
	Kernel   string   `placeholder:"file://NAME" help:"Kernel of the site that it needs; without it the image boots itself."`
	Format   string   `placeholder:"FORMAT" help:"raw or qcow2, where the repository does not tell."`
	Size     string   `placeholder:"SIZE" help:"Size of the disk that guests see, where the file does not tell."`
	SHA256   string   `name:"sha256" placeholder:"SUM" help:"Checksum of the file, where none lies beside it."`
	Software []string `placeholder:"NAME=VERSION" help:"What is installed, such as python=3.9.2."`
	Attr     []string `placeholder:"NAME=VALUE" help:"Free attributes, such as purpose=hpc."`
	Tag      []string `placeholder:"TAG" help:"Tags, such as stable."`
	Comment  string   `placeholder:"TEXT" help:"What it is, for people."`
	Attested []string `name:"attestation" placeholder:"FILE" help:"Attestations, as image sign -O writes them."`
	Verify   bool     `help:"Have the whole image read, and compute its checksum where nobody tells it."`
}

// A description is the file of an image. The keys of TOML and JSON are the same.
type description struct {
	Name         string            `toml:"name" json:"name"`
	Version      string            `toml:"version" json:"version"`
	Shelf        string            `toml:"shelf" json:"shelf"`
	Location     string            `toml:"location" json:"location"`
	Comment      string            `toml:"comment" json:"comment"`
	Architecture string            `toml:"architecture" json:"architecture"`
	VMMs         []string          `toml:"vmms" json:"vmms"`
	Kernel       string            `toml:"kernel" json:"kernel"`
	Format       string            `toml:"format" json:"format"`
	Size         string            `toml:"size" json:"size"` // such as 2GB
	SHA256       string            `toml:"sha256" json:"sha256"`
	Tags         []string          `toml:"tags" json:"tags"`
	Software     map[string]string `toml:"software" json:"software"`
	Attributes   map[string]string `toml:"attributes" json:"attributes"`
}

const opAddImage = "cannot add the image: "

// Run adds the entry.
func (c *imageAddCmd) Run(ctx context.Context, a *app) error {
	image, err := c.describe()
	if err != nil {
		return err
	}
	add := library.Addition{Image: *image}
	for _, file := range c.Attested {
		data, err := readAttestation(file)
		if err != nil {
			return err
		}
		add.Envelopes = append(add.Envelopes, string(data))
	}
	e, err := a.client.AddImage(ctx, add)
	if err != nil {
		return err
	}
	a.keep()
	reference := e.Shelf + "/" + e.Name + ":" + e.Version
	if c.Verify {
		if e, err = a.verify(ctx, reference); err != nil {
			return err
		}
		a.keep()
	}
	if err := a.print(imageDetails{newImage(*e)}); err != nil {
		return err
	}
	if e.SHA256 == "" {
		a.tell("no checksum is known: `workspace image verify %s` computes it, and until then it "+
			"cannot be deployed by its name", reference)
	}
	return sound(reference, e)
}

// readAttestation reads a file that must hold an envelope.
func readAttestation(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err == nil {
		data = bytes.TrimSpace(data)
		_, err = attestation.Parse(data)
	}
	if err != nil {
		return nil, usagef("`workspace image sign` makes attestations",
			"cannot use the attestation %s: %w", file, bare(err))
	}
	return data, nil
}

// describe puts together what the file and the options say.
func (c *imageAddCmd) describe() (*library.Image, error) {
	image := &library.Image{Shelf: library.Own}
	if c.File != "" {
		var err error
		if image, err = readImage(c.File); err != nil {
			return nil, err
		}
	}
	name, version, _ := strings.Cut(c.Image, ":")
	image.Name = cmp.Or(name, image.Name)
	image.Version = cmp.Or(version, image.Version, "1")
	image.Location = cmp.Or(c.Location, image.Location)
	image.Architecture = cmp.Or(c.Arch, image.Architecture)
	image.Kernel, image.Format = cmp.Or(c.Kernel, image.Kernel), cmp.Or(c.Format, image.Format)
	image.SHA256 = cmp.Or(strings.ToLower(c.SHA256), image.SHA256)
	image.Comment = cmp.Or(c.Comment, image.Comment)
	image.Tags = append(image.Tags, c.Tag...)
	if len(c.VMM) > 0 {
		image.VMMs = c.VMM
	}
	if c.Site {
		image.Shelf = library.Site
	}
	if err := c.lists(image); err != nil {
		return nil, err
	}
	for what, lacks := range map[string]bool{
		"its name: workspace image add NAME:VERSION LOCATION": image.Name == "",
		"where it lies, such as file://debian.qcow2":          image.Location == "",
		"its architecture, such as --arch x86_64":             image.Architecture == "",
		"for which VMM it is, such as --vmm KVM":              len(image.VMMs) == 0,
	} {
		if lacks {
			return nil, usagef("or say it in a file, with -f; examples/image.toml is one",
				opAddImage+"nobody says %s", what)
		}
	}
	return image, nil
}

// lists adds what the options list.
func (c *imageAddCmd) lists(image *library.Image) error {
	for _, text := range c.Software {
		name, version, _ := strings.Cut(text, "=")
		if name == "" {
			return usagef("", opAddImage+"--software: %q is not NAME=VERSION", clip(text))
		}
		image.Software = append(image.Software, library.Software{Name: name, Version: version})
	}
	for _, text := range c.Attr {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" || value == "" {
			return usagef("", opAddImage+"--attr: %q is not NAME=VALUE", clip(text))
		}
		image.Attributes = append(image.Attributes, library.Attribute{Name: name, Value: value})
	}
	if c.Size == "" {
		return nil
	}
	size, err := imageSize(c.Size)
	if err != nil {
		return usagef("", opAddImage+"--size: %w", err)
	}
	image.Size = size
	return nil
}

// imageSize reads a size of a disk.
func imageSize(text string) (int64, error) {
	mb, err := parseMemory(text)
	return mb << 20, err
}

// readImage reads a file that describes an image.
func readImage(file string) (*library.Image, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, usagef("", "cannot read the description: %w", err)
	}
	var d description
	switch filepath.Ext(file) {
	case ".xml":
		var doc *xmlstrict.Document
		if doc, err = xmlstrict.Parse(data, xmlstrict.DefaultLimits()); err == nil {
			var image *library.Image
			if image, err = library.Decode(doc, doc.Root); err == nil {
				return image, nil
			}
		}
	case ".json":
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		err = dec.Decode(&d)
	case ".toml":
		var meta toml.MetaData
		meta, err = toml.NewDecoder(bytes.NewReader(data)).Decode(&d)
		if extra := meta.Undecoded(); err == nil && len(extra) > 0 {
			err = fmt.Errorf("unknown key %q", extra[0].String())
		}
	default:
		err = fmt.Errorf("its name ends in %q, expected .toml, .json or .xml", filepath.Ext(file))
	}
	if err != nil {
		return nil, usagef("examples/image.toml is one to begin with",
			"cannot read the description %s: %w", file, err)
	}
	return d.image(file)
}

// image translates a description.
func (d *description) image(file string) (*library.Image, error) {
	v := &library.Image{
		Name: d.Name, Version: d.Version, Shelf: cmp.Or(d.Shelf, library.Own),
		Location: d.Location, Comment: d.Comment, Architecture: d.Architecture, VMMs: d.VMMs,
		Kernel: d.Kernel, Format: d.Format, SHA256: strings.ToLower(d.SHA256), Tags: d.Tags,
	}
	for _, name := range sortedKeys(d.Software) {
		v.Software = append(v.Software, library.Software{Name: name, Version: d.Software[name]})
	}
	for _, name := range sortedKeys(d.Attributes) {
		v.Attributes = append(v.Attributes,
			library.Attribute{Name: name, Value: d.Attributes[name]})
	}
	if d.Size != "" {
		size, err := imageSize(d.Size)
		if err != nil {
			return nil, usagef("", "cannot read the description %s: size: %w", file, err)
		}
		v.Size = size
	}
	return v, nil
}
