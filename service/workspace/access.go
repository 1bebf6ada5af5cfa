package workspace

import (
	"context"
	"io"
	"io/fs"
	"net"
	"time"
)

// Access is the way onto one host: its files, its programs, its network. Paths
// are absolute, on the host. Calls are idempotent: what is already so is a
// success. Errors have kind NotFound (no such file), NoResource (disk full),
// Denied (credentials, host key), Invalid (a refused image), Conflict, Transient,
// Unavailable (host out of reach) or Internal.
type Access interface {
	Files
	Images
	// Local reports whether the host's files are this machine's own, under the
	// same paths.
	Local() bool
	// Run runs a program of the host, and waits for its end. A program that fails
	// is an Internal error with what it said; one that is not there is NotFound.
	Run(ctx context.Context, c Command) error
	// Dial connects from the host to an address that it reaches: network "tcp" with
	// HOST:PORT, or "unix" with a path.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	Close() error
}

// Files are the files of a host.
type Files interface {
	Names
	// Stat does not follow a symbolic link.
	Stat(ctx context.Context, path string) (FileStat, error)
	// List returns what is in the directory by rising name; nothing when it is absent.
	List(ctx context.Context, dir string) ([]FileStat, error)
	// Read returns a small file; one of more than limit bytes is Invalid.
	Read(ctx context.Context, path string, limit int64) ([]byte, error)
	// Write replaces a small file as a whole; it survives a power cut.
	Write(ctx context.Context, path string, data []byte, mode fs.FileMode) error
	// Space returns what is free and what is there in all, in bytes, where dir is.
	Space(ctx context.Context, dir string) (free, total int64, err error)
}

// Names are the operations on the names of a host's files.
type Names interface {
	// MakeDir makes the directory and those above it.
	MakeDir(ctx context.Context, dir string, mode fs.FileMode) error
	// Remove removes files, and directories that are empty; what is absent counts
	// as removed.
	Remove(ctx context.Context, paths ...string) error
	// Rename replaces to, at once and so that it survives a power cut. When from is
	// gone and to is there, it has happened already.
	Rename(ctx context.Context, from, to string) error
	// Link gives a file another name; Conflict where the file system cannot, or
	// another file has the name.
	Link(ctx context.Context, from, to string) error
	// Touch gives the file the present time.
	Touch(ctx context.Context, path string) error
}

// Images are the operations of a host on image files. What they make appears
// complete and durable under its name, or not at all; half-made files stand beside
// it, named with one of Leftovers behind.
type Images interface {
	Movers
	// Blank makes a sparse file; an existing one is left as it is.
	Blank(ctx context.Context, path string, size int64) error
	// Examine reads the image's header, never its content, unless sum asks for its checksum.
	Examine(ctx context.Context, path string, sum bool) (ImageInfo, error)
	// Copy makes a full copy, holes left out and blocks shared where the file system
	// can, with the time of the original; an existing file is left as it is.
	Copy(ctx context.Context, from, to string, p Progress) error
	// Clone makes, in a moment whatever the size, a disk that begins as the image
	// and leaves it as it is: blocks shared where the file system can, else a qcow2
	// file that has the image behind it. It returns the format of what it made;
	// an existing file is left as it is.
	// The image must stay where it is as long as such a disk is used. Where the host
	// has no means for it the error is Lacking.
	Clone(ctx context.Context, from, format, to string) (made string, err error)
}

// Movers bring images to a host and from it. A target that has the size and the
// time of its source is taken to be it; any other is replaced.
type Movers interface {
	// Put brings a file of this machine to the host, Get one of the host to this
	// machine: holes left out, resumed where the last call stopped, verified.
	Put(ctx context.Context, from, to string, p Progress) error
	Get(ctx context.Context, from, to string, p Progress) error
	// Pull has the host itself fetch a file, which it writes from its beginning to its
	// end. Unavailable: it cannot reach the place, or lacks the program for it; the file
	// may then still be brought by Put.
	Pull(ctx context.Context, p Pull) (ImageInfo, error)
	// Offer says how other hosts can fetch the file from this one; false: they cannot.
	Offer(path string) (Source, bool)
}

// FileStat describes a file of a host.
type FileStat struct {
	Path    string
	Size    int64
	OnDisk  int64 // bytes that it takes, holes left out
	Changed time.Time
	Dir     bool
	Regular bool // neither a directory, nor a link, nor a device
	Mode    fs.FileMode
}

// Command is a program to run on a host, its arguments passed as they are.
type Command struct {
	Args   []string
	Stdin  io.Reader // nil: none
	Stdout io.Writer // nil: thrown away
}

// Source is how a file can be fetched by a host without passing through this
// machine. It carries secrets: it is neither logged nor stored.
type Source struct {
	Scheme   string // sftp, scp, http or https
	Address  string // HOST:PORT
	Path     string // on the server; of a web server the request path, with a query if any
	User     string
	Password string
	Key      []byte            // private key in PEM, lent for one transfer, never written there
	HostKeys []string          // lines as in known_hosts
	Headers  map[string]string // of web requests
	Trust    []byte            // certificates in PEM to trust instead of the host's own
}

// Pull asks a host to fetch a file.
type Pull struct {
	Source   Source
	Path     string
	Size     int64  // in bytes, if known
	SHA256   string // expected, hexadecimal; empty: not checked
	MaxBytes int64  // as in Fetch
	Rate     int64  // bytes a second at most; 0: no limit
	// Trusted says that the file is one of another host of the pool, not of a
	// repository: it may be a disk that stands on another file, or none at all, and its
	// header is not judged.
	Trusted bool
	// Growing says that the file is one that the other host may just be pulling itself,
	// to that path: what has come there is taken on as it comes. Size and SHA256 must
	// be given. When it does not come there after all, the error is Transient.
	Growing  bool
	Becomes  []string // the names that a growing file may have once it is there
	Progress Progress
}

// Directed is a Transport whose images hosts can fetch by themselves.
type Directed interface {
	// Source says how; false: only this machine can.
	Source(location string) (Source, bool)
}
