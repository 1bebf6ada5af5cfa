package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// Added completes and checks a host that is added while the service runs, as one
// of the document is, and more strictly: whoever names files of this machine over
// the network names those alone that the site has laid out for it. h.Dir is below
// Site.HostDir unless the host is logged on to, and what its URI may say is where
// to connect to, and nothing else.
func (c *Config) Added(h Host, remote bool) (Host, error) {
	if h.Adapter == "libvirt" {
		for _, uri := range []string{h.URI, h.Peer} {
			if err := plainURI(uri); err != nil {
				return h, err
			}
		}
	}
	if h.Adapter == "sim" || !remote {
		h.Dir = cmp.Or(h.Dir, filepath.Join(c.Site.HostDir, h.ID))
		if err := below(c.Site.HostDir, h.Dir); err != nil {
			return h, fmt.Errorf("dir: %w", err)
		}
	}
	h.Dir = cmp.Or(h.Dir, "/var/lib/workspaced/disks/"+h.ID)
	if !filepath.IsAbs(h.Dir) || filepath.Clean(h.Dir) != h.Dir {
		return h, fmt.Errorf("dir %q is not an absolute path without . and ..", h.Dir)
	}
	c.completeHost(&h)
	return h, errors.Join(h.check(), c.checkAssociations(&h))
}

// below refuses a path that does not lie below the directory, links followed as
// far as there are any.
func below(dir, path string) error {
	outside := fmt.Errorf("%q does not lie below %s", path, dir)
	rest, err := filepath.Rel(dir, path)
	if err != nil || !filepath.IsAbs(path) || !filepath.IsLocal(rest) || rest == "." {
		return outside
	}
	for at := path; at != dir; at = filepath.Dir(at) {
		real, err := filepath.EvalSymlinks(at)
		if err != nil {
			continue // it is not there yet: what is above it decides
		}
		root, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return outside
		}
		if rest, err := filepath.Rel(root, real); err != nil || !filepath.IsLocal(rest) {
			return outside
		}
		break
	}
	return nil
}

// Credential returns the path of a file of Site.Credentials that is named from
// there. What is outside, be it by a symbolic link, is refused as what is not
// there is: nobody learns what else this machine has.
func (c *Config) Credential(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	path := filepath.Join(c.Site.Credentials, name)
	refused := fmt.Errorf("there is no file %q in the directory of credentials (%s)", name,
		c.Site.Credentials)
	if !filepath.IsLocal(name) {
		return "", refused
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", refused
	}
	if below(c.Site.Credentials, real) != nil {
		root, err := filepath.EvalSymlinks(c.Site.Credentials)
		if err != nil || below(root, real) != nil {
			return "", refused
		}
	}
	return real, nil
}

// plainURI refuses what a URI may say beside where to connect to: libvirt reads
// files, and runs programs, that parameters name.
func plainURI(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("uri %q cannot be read", text)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil { // libvirt takes a semicolon for an ampersand
		return fmt.Errorf("uri %q: its parameters cannot be read: %w", text, err)
	}
	for key := range query {
		if !slices.Contains([]string{"socket", "mode"}, key) {
			return fmt.Errorf("uri: parameter %q is not allowed here, socket and mode alone", key)
		}
	}
	if u.User != nil {
		if _, secret := u.User.Password(); secret {
			return errors.New("uri: a password in it would be seen by everyone")
		}
	}
	if strings.ContainsAny(text, " \t\r\n") {
		return fmt.Errorf("uri %q has blanks in it", text)
	}
	return nil
}
