package transfer

import (
	"io/fs"
	"path"
	"strings"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Invalid is the refusal of a location, or of what is found there.
func Invalid(format string, args ...any) error {
	return workspace.Errorf(workspace.Invalid, "use the location", "", format, args...)
}

// Unreserved refuses the names that transports keep for themselves: those of
// half-made files and of the checksums beside images.
func Unreserved(name string) error {
	for _, suffix := range []string{Suffix, checksum.Suffix} {
		if strings.HasSuffix(name, suffix) {
			return Invalid("names with %q are kept for the repository's own use", suffix)
		}
	}
	if path.Base(name) == checksum.List {
		return Invalid("the name %s is kept for the list of checksums", checksum.List)
	}
	return nil
}

// Regular refuses to read what is no regular file.
func Regular(info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return Invalid("it is a %s, not a regular file", typeName(info.Mode()))
}

// Replaceable refuses to put an image in the place of what is no regular file.
func Replaceable(info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return Invalid("there is a %s of that name", typeName(info.Mode()))
}

func typeName(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeNamedPipe != 0:
		return "fifo"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	}
	return "special file"
}
