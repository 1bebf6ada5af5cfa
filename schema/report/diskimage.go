package report

import (
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// PropertyDiskImage is the property that tells which images of the library a workspace
// is made of; face two alone has it.
var PropertyDiskImage = p("DiskImage")

// DiskImage is a disk that is made of an image of the library.
type DiskImage struct {
	MountAs  string
	Entry    string // NAME:VERSION
	Asked    string // what the request had instead of a location; empty: the location
	Location string
	SHA256   string
}

var (
	mountAs       = p("MountAs")
	imageEntry    = p("Entry")
	imageAsked    = p("Asked")
	imageLocation = p("Location")
	imageSum      = p("SHA256")
)

// writeDiskImages writes each as a PropertyDiskImage element.
func writeDiskImages(enc *xmlstrict.Encoder, all []DiskImage) {
	for _, v := range all {
		enc.Start(PropertyDiskImage)
		enc.Element(mountAs, v.MountAs)
		enc.Element(imageEntry, v.Entry)
		writeText(enc, imageAsked, v.Asked)
		enc.Element(imageLocation, v.Location)
		enc.Element(imageSum, v.SHA256)
		enc.End()
	}
}

// diskImages returns what reads one into the list.
func (r *reader) diskImages(to *[]DiskImage) func(*etree.Element) {
	return func(e *etree.Element) {
		var v DiskImage
		r.Sequence(e, []document.Field{
			document.One(mountAs, r.Word(&v.MountAs)),
			document.One(imageEntry, r.Word(&v.Entry)),
			document.Optional(imageAsked, r.Reference(&v.Asked)),
			document.One(imageLocation, r.Reference(&v.Location)),
			document.One(imageSum, r.Word(&v.SHA256)),
		})
		*to = append(*to, v)
	}
}
