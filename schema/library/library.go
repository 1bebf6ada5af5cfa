// Package library is the documents of the image library: the description of an image
// that users keep in files, entries as the service tells of them, and the messages
// about both.
//
// It must not know what a query means, or who may see what.
package library

import (
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The documents and messages.
var (
	File = i("Image") // root of a file that describes an image

	AddImage            = i("AddImage")
	AddImageResponse    = i("AddImageResponse")
	RemoveImage         = i("RemoveImage")
	RemoveImageResponse = i("RemoveImageResponse")
	ChangeImage         = i("ChangeImage")
	ChangeImageResponse = i("ChangeImageResponse")
	QueryImages         = i("QueryImages")
	QueryImagesResponse = i("QueryImagesResponse")
	GetImage            = i("GetImage")
	GetImageResponse    = i("GetImageResponse")
	VerifyImage         = i("VerifyImage")
	VerifyImageResponse = i("VerifyImageResponse")
)

// The shelves on which entries are.
const (
	Own  = "own"  // its owner's alone
	Site = "site" // everybody's
)

// The statuses of attestations.
const (
	Verified = "verified"
	Unknown  = "unknown signer"
	Bad      = "bad"
)

// Image is the description of an image.
type Image struct {
	Name         string
	Version      string
	Shelf        string // Own or Site
	Location     string // URI
	Comment      string
	Architecture string
	VMMs         []string
	Kernel       string
	Format       string
	Size         int64 // bytes of the disk that guests see; 0: not told
	FileSize     int64 // bytes of the file; 0: not told
	SHA256       string
	Software     []Software
	Attributes   []Attribute
	Tags         []string
}

// Software is a program or package of an image.
type Software struct{ Name, Version string }

// Attribute is a free attribute of an image.
type Attribute struct{ Name, Value string }

// Entry is an entry as the service tells of it.
type Entry struct {
	Image
	RegisteredBy string
	Registered   time.Time
	Attestations []Attestation
	Check        *Check   // nil: the image was never read
	Reading      *Reading // nil: nobody reads it
}

// Attestation is a signed statement about the image, and what it is worth.
type Attestation struct {
	Status   string
	Signer   string
	Reason   string // why it is bad
	Keys     []string
	Builder  string
	Sources  []Source
	Built    time.Time // zero: not told
	Envelope string
}

// Source is something that the image was made from.
type Source struct{ URI, SHA256 string }

// Check is what came of reading the whole image.
type Check struct {
	At     time.Time
	SHA256 string
	Fault  string // empty: it is what the entry says
}

// Reading is how far a check is, in bytes.
type Reading struct {
	Done, Total int64
	Fault       string // why it came to nothing; empty: it is under way
}

// Addition is an AddImage message.
type Addition struct {
	Image
	Envelopes []string // attestations
}

// Change is a ChangeImage message.
type Change struct {
	Reference  string
	Tag, Untag []string
	Envelope   string // empty: none
}

// Result is a QueryImagesResponse message.
type Result struct {
	Entries    []Entry
	Total      int64
	Exclusions []Exclusion
}

// Exclusion says how many entries a condition excludes, and how many by itself.
type Exclusion struct {
	Condition      string
	Entries, Alone int64
}

// i makes names of the library's namespace.
var i = xmlstrict.In(schema.Library)

// The parts of documents.
var (
	name         = i("Name")
	version      = i("Version")
	shelf        = i("Shelf")
	location     = i("Location")
	comment      = i("Comment")
	architecture = i("Architecture")
	vmm          = i("VMM")
	kernel       = i("Kernel")
	format       = i("Format")
	size         = i("Size")
	fileSize     = i("FileSize")
	sum          = i("SHA256")
	software     = i("Software")
	attribute    = i("Attribute")
	value        = i("Value")
	tag          = i("Tag")
	untag        = i("Untag")
	entry        = i("Entry")
	registeredBy = i("RegisteredBy")
	registered   = i("Registered")
	attested     = i("Attestation")
	status       = i("Status")
	signer       = i("Signer")
	reason       = i("Reason")
	keyID        = i("KeyID")
	builder      = i("Builder")
	source       = i("Source")
	uri          = i("URI")
	built        = i("Built")
	envelope     = i("Envelope")
	check        = i("Check")
	at           = i("At")
	fault        = i("Fault")
	reading      = i("Reading")
	done         = i("Done")
	total        = i("Total")
	reference    = i("Reference")
	query        = i("Query")
	exclusion    = i("Exclusion")
	condition    = i("Condition")
	entries      = i("Entries")
	alone        = i("Alone")
)
