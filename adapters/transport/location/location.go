// Package location reads the places of images, as users write them in
// metadata, into names inside a repository. It holds the rules that keep a
// name from leaving its repository; it must not touch files or the network:
// what symbolic links do is for the transports to watch.
package location

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// Longest names that file systems and SFTP servers take.
const (
	maxPath    = 4096 - 1
	maxElement = 255
)

// reserve is what names beside the image need: ".", ".sha256", marks of parts.
const reserve = 40

// Split separates a location into its scheme and the rest, with percent signs
// decoded. A location with a query, a fragment or a control character is refused.
func Split(location string) (scheme, rest string, err error) {
	scheme, rest, ok := strings.Cut(location, "://")
	if !ok {
		return "", "", errors.New("the location has no scheme, expected SCHEME://PATH")
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		return "", "", fmt.Errorf("the location holds a %q; write it as %%%X",
			rest[i:i+1], rest[i])
	}
	if strings.IndexByte(rest, '%') >= 0 {
		if rest, err = url.PathUnescape(rest); err != nil {
			return "", "", fmt.Errorf("the location is not a URI: %w", err)
		}
	}
	for i := range len(rest) {
		if rest[i] < ' ' || rest[i] == 0x7f {
			return "", "", fmt.Errorf("the location holds the control character %#02x", rest[i])
		}
	}
	return scheme, rest, nil
}

// Clean returns name without leading, doubled and "." elements, as a relative
// slash-separated path. It refuses "..", even where it would stay inside,
// because a symbolic link before it may lead elsewhere; empty and overlong names;
// names with a NUL; and names that end in a slash, which are no files.
func Clean(name string) (string, error) {
	if len(name) > maxPath {
		return "", fmt.Errorf("the path has %d bytes, at most %d", len(name), maxPath)
	}
	if strings.IndexByte(name, 0) >= 0 {
		return "", errors.New("the path holds a NUL")
	}
	for rest, more := name, true; more; {
		var element string
		element, rest, more = strings.Cut(rest, "/")
		if element == ".." {
			return "", errors.New("the path climbs with \"..\"")
		}
		if len(element) > maxElement {
			return "", fmt.Errorf("the path has an element of %d bytes, at most %d",
				len(element), maxElement)
		}
	}
	if name == "" || strings.HasSuffix(name, "/") || path.Base(name) == "." {
		return "", errors.New("the path names no file")
	}
	if len(path.Base(name)) > maxElement-reserve {
		return "", fmt.Errorf("the file's name has %d bytes, at most %d",
			len(path.Base(name)), maxElement-reserve)
	}
	return strings.TrimLeft(path.Clean(name), "/"), nil
}

// OnHost refuses what is no absolute path of a host, or climbs with "..".
func OnHost(name string) error {
	switch {
	case !strings.HasPrefix(name, "/"):
		return fmt.Errorf("%q is no absolute path", name)
	case strings.IndexByte(name, 0) >= 0:
		return errors.New("the path holds a NUL")
	case strings.Contains(name+"/", "/../"):
		return errors.New("the path climbs with \"..\"")
	}
	return nil
}
