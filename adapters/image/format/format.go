package format

import (
	"fmt"
	"io"
)

// The formats a machine's disk may have.
const (
	Raw   = "raw"
	QCOW2 = "qcow2"
)

// HeadBytes is how much of an image's beginning Inspect looks at.
const HeadBytes = 4096

// mostBytes is more than any image has: a repository that says so is not to be believed,
// and what is reckoned from sizes is not to run over.
const mostBytes = 1 << 50

// Info is what the header of an image says.
type Info struct {
	Format      string // Raw or QCOW2
	VirtualSize int64  // bytes that the guest sees
	FileSize    int64  // bytes of the file, holes included
}

// Refused is the reason why an image is not accepted.
type Refused struct{ Reason string }

// Error returns the reason.
func (r *Refused) Error() string { return r.Reason }

func refuse(text string, args ...any) error { return &Refused{fmt.Sprintf(text, args...)} }

// Inspect reads the header of an image of size bytes. The error is a *Refused
// for an image that must not be used, else what r returned.
func Inspect(r io.ReaderAt, size int64) (Info, error) {
	head := make([]byte, min(size, HeadBytes))
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF { // a connection that is lost may wrap EOF
		return Info{}, err
	}
	if n < len(head) {
		return Info{}, refuse("the image ends after %d of %d bytes", n, size)
	}
	return InspectHead(head, size)
}

// InspectHead is Inspect for a caller who holds the first HeadBytes bytes
// already, or the whole image when it is shorter. The error is a *Refused.
func InspectHead(head []byte, size int64) (Info, error) {
	if size <= 0 {
		return Info{}, refuse("the image is empty")
	}
	if size > mostBytes {
		return Info{}, refuse("its size of %d bytes is absurd, at most %d", size, int64(mostBytes))
	}
	if int64(len(head)) < min(size, HeadBytes) {
		return Info{}, refuse("the image ends after %d of %d bytes", len(head), size)
	}
	if hasAt(head, 0, "QFI\xfb") {
		return inspectQCOW(head, size)
	}
	// A guest that may write to its raw disk can make it look like anything;
	// whoever opens such a file must be told "raw". One that looks like
	// something else before any guest had it is no raw image at all.
	if name := foreign(head); name != "" {
		return Info{}, refuse(
			"it is a %s image, not raw or qcow2; convert it with qemu-img convert -O qcow2", name)
	}
	return Info{Format: Raw, VirtualSize: size, FileSize: size}, nil
}

// Admit refuses an image that is larger than maxBytes, which 0 does not limit.
// A qcow2 file may be somewhat longer than what the guest sees, for its tables,
// but not without bound.
func (i Info) Admit(maxBytes int64) error {
	if maxBytes <= 0 {
		return nil
	}
	if i.VirtualSize > maxBytes {
		return refuse("its virtual size is %d bytes, more than the %d allowed",
			i.VirtualSize, maxBytes)
	}
	if i.Format == QCOW2 && i.FileSize/2 > maxBytes+tableSlack {
		return refuse("its file has %d bytes, too long for the %d allowed", i.FileSize, maxBytes)
	}
	return nil
}

// tableSlack is what the tables of a small qcow2 with large clusters may take.
const tableSlack = 16 << 20
