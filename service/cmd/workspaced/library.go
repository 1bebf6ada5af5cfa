package main

import (
	"os"
	"path/filepath"

	"github.com/philoxenia/philoxenia/adapters/image/format"
	"github.com/philoxenia/philoxenia/adapters/transport/packed"
	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/manager/catalog"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// library joins the image library.
func library(
	c *config.Config, store workspace.Store, images *image.Images, moving image.Options,
) (*catalog.Catalog, error) {
	trusted, err := c.Images.Trusted()
	if err != nil {
		return nil, err
	}
	return catalog.New(catalog.Options{
		Store: store, Check: images.Check, Kernel: images.Kernel, Raw: raw(moving.Transports),
		Examine: examine, Spool: filepath.Join(c.Data, "library"), Trusted: trusted,
		SpoolMB: moving.SpoolMB, Logger: moving.Logger,
		Operators: owners(c.Site.Operators), PerOwner: c.Images.PerOwner,
		Strict: c.Site.RequireAttestation,
	}), nil
}

// raw returns the transports without what expands images.
func raw(transports map[string]workspace.Transport) map[string]workspace.Transport {
	all := make(map[string]workspace.Transport, len(transports))
	for scheme, t := range transports {
		if p, ok := t.(interface{ Inner() workspace.Transport }); ok {
			t = p.Inner()
		}
		all[scheme] = t
	}
	return all
}

// examine returns the format of an image and the size of the disk in it; of what is
// packed neither is known.
func examine(location, path string) (string, int64, error) {
	if packed.Is(location) {
		return "", 0, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	info, err := format.Inspect(f, stat.Size())
	return info.Format, info.VirtualSize, err
}

// owners are names as the domain has them.
func owners(names []string) []workspace.Owner {
	var all []workspace.Owner
	for _, name := range names {
		all = append(all, workspace.Owner(name))
	}
	return all
}
