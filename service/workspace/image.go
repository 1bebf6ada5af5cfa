package workspace

import (
	"context"
	"time"
)

// ImageKey names an entry of the image library. A name and a version are unique
// within a shelf: each owner has one, which nobody else sees, and the site has one.
type ImageKey struct {
	Owner   Owner // whose shelf it is on; empty: the site's, which everybody sees
	Name    string
	Version string
}

// String returns the key as users write it: NAME:VERSION.
func (k ImageKey) String() string { return k.Name + ":" + k.Version }

// Image is an entry of the image library: a description of an image that lies in
// a repository. But for its tags, its attestations and its check it does not change. A *Image
// that came out of a store is shared: copy it before changing a field.
type Image struct {
	ImageKey
	Location     string // URI of the file in its repository
	Comment      string // for people
	VMMs         []string
	Architecture string // JSDL word: x86, x86_64, ...
	Kernel       string // file://NAME of the site's kernel that it needs; empty: it boots itself
	Format       string // "raw" or "qcow2"; empty: not known
	Size         int64  // bytes of the disk that the guest sees; 0: not known
	FileSize     int64  // bytes of the file; 0: not known
	SHA256       string // of the file, in lower-case hexadecimal; empty: not computed yet
	Software     []Software
	Attributes   []Attribute
	Tags         []string // rising; each is at one version of a name only
	By           Owner    // who registered it
	Added        time.Time
	Attestations [][]byte // signed envelopes, as they were handed in
	Check        ImageCheck
}

// Software is a program or package that an image has.
type Software struct {
	Name    string
	Version string // empty: not told
}

// Attribute is a free attribute of an image.
type Attribute struct{ Name, Value string }

// ImageCheck is what came of reading a whole image in its repository.
type ImageCheck struct {
	At     time.Time // zero: it was never read
	Fault  string    // why it is not what the entry says; empty: it is
	SHA256 string    // that was computed, as far as it is known
}

// ImageReader reads the image library.
type ImageReader interface {
	// Image returns NotFound for an entry that is not there.
	Image(ctx context.Context, key ImageKey) (*Image, error)
	// Images returns every entry by rising owner, name and version.
	Images(ctx context.Context) ([]*Image, error)
}

// ImageTx reads and writes the image library.
type ImageTx interface {
	// LibraryImage returns NotFound for one that is not there. Copy before changing.
	LibraryImage(key ImageKey) (*Image, error)
	// LibraryImages returns every entry by rising owner, name and version.
	LibraryImages() []*Image
	PutImage(i *Image) error
	RemoveImage(key ImageKey) error
}

// ImageView is an entry as a caller sees it.
type ImageView struct {
	*Image
	Attested []Attested    // in the order of Attestations
	Reading  *ImageReading // its check under way, or one that came to nothing; else nil
}

// Verified reports whether a trusted signer attested the image.
func (v *ImageView) Verified() bool {
	for _, a := range v.Attested {
		if a.Status == AttestationVerified {
			return true
		}
	}
	return false
}

// AttestationVerified is the status of an attestation that a trusted key signed.
const AttestationVerified = "verified"

// Attested is an attestation of an image, and what it is worth to this site.
type Attested struct {
	Status   string   // verified, "unknown signer" or bad
	Signer   string   // the site's name for the key; empty: it has none
	Reason   string   // why it is bad
	Keys     []string // fingerprints of the keys that are said to have signed
	Builder  string
	Sources  []ImageSource
	Built    time.Time // zero: not told
	Envelope []byte
}

// ImageSource is something that an image was made from.
type ImageSource struct {
	URI    string
	SHA256 string // empty: not told
}

// ImageReading is how far the check of a whole image is, in bytes.
type ImageReading struct {
	Done, Total int64  // Total is 0 until it is known
	Fault       string // why it came to nothing; empty: it is under way
}

// ImageDraft is an entry that is to be added.
type ImageDraft struct {
	Image      // but Owner, By, Added and Check
	Site  bool // for everybody, which operators may
}

// ImageChange is what is to be changed of an entry.
type ImageChange struct {
	Tag, Untag []string
	Attest     []byte // an attestation to be added; nil: none
}

// ImageResult is what came of a query.
type ImageResult struct {
	Found    []ImageView // the best first
	Total    int         // entries that the caller can see
	Excluded []ImageExclusion
}

// ImageExclusion says how many entries a condition of a query excludes.
type ImageExclusion struct {
	Condition string
	Entries   int
	Alone     int // of them, those that every other condition would let through
}

// ImageNeeds is what a request needs of the image in place of a location.
type ImageNeeds struct {
	Owner        Owner
	Location     string // as it stands in the request
	Architecture string // that it must run on; empty: any
	VMM          string // that it must be for; empty: any
}
