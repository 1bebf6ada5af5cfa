package workload

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/service/lease/book"
)

// Images are what leases boot from of whose images a workload tells nothing.
type Images struct {
	SizeMB int64
	Count  int
	// Skewed: few images are wanted most of the time, seven of 37 by 70 in 100
	// leases, as in Sotomayor, Keahey and Foster, HPDC 2008, section 5.1.
	// Otherwise all are wanted equally.
	Skewed bool
	Seed   uint64
}

// The shares of a skewed choice of images.
const (
	popularImages = 7. / 37
	popularShare  = .7
	mostImages    = 1 << 20
)

// ParseImages reads a size in MB as it was parsed, a number of images and
// whether all are wanted alike: "", "37" or "37,skewed" after the size.
func ParseImages(sizeMB int64, rest string) (i Images, err error) {
	i = Images{SizeMB: sizeMB, Count: 1}
	count, choice, chosen := strings.Cut(rest, ",")
	if rest != "" {
		if i.Count, err = strconv.Atoi(count); err != nil {
			return i, fmt.Errorf("%q is not a number of images", clip(count))
		}
	}
	switch i.Skewed = choice == "skewed"; {
	case chosen && choice != "skewed" && choice != "uniform":
		return i, fmt.Errorf("%q is neither uniform nor skewed", clip(choice))
	case i.Count < 1 || i.Count > mostImages:
		return i, fmt.Errorf("cannot draw from %d images", i.Count)
	case i.SizeMB < 1 || i.SizeMB > mostAmount:
		return i, fmt.Errorf("cannot transfer an image of %d MB", i.SizeMB)
	}
	return i, nil
}

// Dress gives an image to every lease that names none.
func (w *Workload) Dress(images Images) {
	d := &draws{images.Seed}
	popular := max(1, int(popularImages*float64(images.Count)+.5))
	for i := range w.Requests {
		n := d.pick(1, images.Count)
		if images.Skewed && popular < images.Count {
			if n = d.pick(popular+1, images.Count); d.part() < popularShare {
				n = d.pick(1, popular)
			}
		}
		if t := &w.Requests[i].Terms; t.Image.Name == "" {
			t.Image = book.Image{Name: fmt.Sprintf("image-%d", n), SizeMB: images.SizeMB}
		}
	}
}
