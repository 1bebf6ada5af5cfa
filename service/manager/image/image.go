// Package image holds the tasks that move disk images: propagate to the host,
// customise there, return to a repository, discard. It also answers, before a
// request is accepted, whether its images and kernel can be had.
//
// It must not know hypervisors, nor any transfer protocol: those are adapters.
package image

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Kernel is a kernel that the site offers; requests name it file://NAME.
type Kernel struct {
	Name    string
	Image   string // absolute path on the hosts
	Initrd  string // absolute path on the hosts, may be empty
	Cmdline string // the request's parameters are appended
}

// Options are what Images is made of.
type Options struct {
	Pool       *host.Pool
	Transports map[string]workspace.Transport // by URI scheme
	Kernels    []Kernel                       // the first is the default; may be none
	Took       host.Took                      // told of transfers and moves; may be nil
	Kept       func(Held)                     // told which images hosts have; may be nil
	// Spool is a directory of this machine for files on their way between others,
	// as CleanSpool leaves it; empty: nothing passes through here. SpoolMB limits
	// what is there at a time; 0: no limit.
	Spool   string
	SpoolMB int64
	// OnlySummed keeps images of which nobody says a checksum out of caches.
	OnlySummed bool
	// LinkKbps is what transfers from and to repositories may take together, in kilobits
	// a second; 0: no limit.
	LinkKbps int64
	// Extra are files that are written into the root disk besides those of the request;
	// may be nil.
	Extra  func(*workspace.Workspace) []workspace.File
	Logger *slog.Logger // nil: nothing is logged
}

// bytesPerKbit makes bytes of kilobits.
const bytesPerKbit = 125

// Held tells that a host has an image that it may use again, or has it no more.
type Held struct {
	Host     workspace.HostID
	Location string
	SizeMB   int64
	There    bool
}

// Images knows where images come from and go to.
type Images struct {
	pool       *host.Pool
	transports map[string]workspace.Transport
	kernels    []Kernel
	took       host.Took
	kept       func(Held)
	extra      func(*workspace.Workspace) []workspace.File
	log        *slog.Logger
	spool      spool
	link       link
	spreading  spreading
	summed     bool // only images with checksums are cached

	mu     sync.Mutex
	caches map[string]*cache // by directory
}

// New returns Images over the options.
func New(o Options) *Images {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Images{
		pool: o.Pool, transports: o.Transports, kernels: o.Kernels, took: o.Took,
		kept: o.Kept, log: o.Logger, extra: o.Extra, caches: map[string]*cache{},
		link:   link{limit: o.LinkKbps * bytesPerKbit},
		spool:  spool{dir: o.Spool, limit: o.SpoolMB << 20, open: map[string]*place{}},
		summed: o.OnlySummed,
		spreading: spreading{fetching: map[string]int{}, serving: map[giver]int{},
			flows: map[giver]*flow{}, deaf: map[giver]bool{}, bad: map[string]verdict{}},
	}
}

// Check says whether the image can be fetched now. Errors are the transport's.
func (im *Images) Check(ctx context.Context, location string) (workspace.ImageInfo, error) {
	t, err := im.transport(location)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	return t.Check(ctx, location)
}

// Serves says whether a transport of the site is for locations of that scheme.
func (im *Images) Serves(location string) bool {
	_, err := im.transport(location)
	return err == nil
}

// CheckTarget says whether the location is one that can be delivered to, by its
// form alone.
func (im *Images) CheckTarget(location string) error {
	t, err := im.transport(location)
	if err != nil {
		return err
	}
	return t.CheckLocation(location)
}

// transport returns the adapter for the location's scheme.
func (im *Images) transport(location string) (workspace.Transport, error) {
	scheme, _, ok := strings.Cut(location, "://")
	if !ok {
		return nil, workspace.Errorf(workspace.Invalid, "read the image location", location,
			"it is not SCHEME://PLACE")
	}
	t, ok := im.transports[strings.ToLower(scheme)]
	if !ok {
		served := slices.Sorted(maps.Keys(im.transports))
		return nil, workspace.Errorf(workspace.Denied, "reach the image", location,
			"scheme %q is not served here, but %s", scheme, strings.Join(served, ", "))
	}
	return t, nil
}

// Kernel says whether the site offers the kernel that a request names.
func (im *Images) Kernel(image string) error {
	_, err := im.kernel(image)
	return err
}

func (im *Images) kernel(image string) (Kernel, error) {
	if image == "" {
		if len(im.kernels) == 0 {
			return Kernel{}, nil
		}
		return im.kernels[0], nil
	}
	name, ok := strings.CutPrefix(image, "file://")
	var offered []string
	for _, k := range im.kernels {
		if ok && k.Name == name {
			return k, nil
		}
		offered = append(offered, "file://"+k.Name)
	}
	if len(offered) == 0 {
		return Kernel{}, fmt.Errorf("kernel %q is asked for, and this site offers none", image)
	}
	return Kernel{}, fmt.Errorf("kernel %q is not offered by this site, but %s",
		image, strings.Join(offered, ", "))
}

// Boot returns what a workspace boots.
func (im *Images) Boot(w *workspace.Workspace) (workspace.Boot, error) {
	k, err := im.kernel(w.Spec.Kernel.Image)
	if err != nil {
		return workspace.Boot{}, workspace.Errorf(workspace.Conflict, "boot workspace",
			w.ID.String(), "%w", err)
	}
	cmdline := strings.TrimSpace(k.Cmdline + " " + w.Spec.Kernel.Parameters)
	return workspace.Boot{Kernel: k.Image, Initrd: k.Initrd, Cmdline: cmdline}, nil
}
