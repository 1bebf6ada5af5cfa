package location_test

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/transport/location"
)

func TestSplit(t *testing.T) {
	tests := []struct{ location, scheme, rest, wrong string }{
		{"file://image", "file", "image", ""},
		{"file:///srv/image", "file", "/srv/image", ""},
		{"sftp://me@host:22/a/b", "sftp", "me@host:22/a/b", ""},
		{"file://with%20space", "file", "with space", ""},
		{"image", "", "", "no scheme"},
		{"file:image", "", "", "no scheme"},
		{"file://a?b", "", "", `write it as %3F`},
		{"file://a#b", "", "", `write it as %23`},
		{"file://a%3Fb", "file", "a?b", ""},
		{"file://%zz", "", "", "not a URI"},
		{"file://a%00", "", "", "control character 0x00"},
		{"file://a\n", "", "", "control character"},
	}
	for _, test := range tests {
		scheme, rest, err := location.Split(test.location)
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%q: %v, expected %q", test.location, err, test.wrong)
			}
			continue
		}
		if err != nil || scheme != test.scheme || rest != test.rest {
			t.Errorf("%q: %q, %q, %v", test.location, scheme, rest, err)
		}
	}
}

func TestClean(t *testing.T) {
	tests := []struct{ name, want, wrong string }{
		{"image", "image", ""},
		{"/a//b/./image", "a/b/image", ""},
		{"..image", "..image", ""},
		{"a..b", "a..b", ""},
		{"..", "", "climbs"},
		{"a/../b", "", "climbs"},
		{"", "", "no file"},
		{"/", "", "no file"},
		{"a/", "", "no file"},
		{"a/.", "", "no file"},
		{"a\x00", "", "NUL"},
		{strings.Repeat("a", 256), "", "element of 256"},
		{strings.Repeat("a", 230), "", "name has 230"},
		{strings.Repeat("a/", 3000), "", "6000 bytes"},
	}
	for _, test := range tests {
		got, err := location.Clean(test.name)
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%.40q: %v, expected %q", test.name, err, test.wrong)
			}
			continue
		}
		if err != nil || got != test.want {
			t.Errorf("%.40q: %q, %v", test.name, got, err)
		}
	}
}

// FuzzClean makes sure that whatever is let through stays below a root.
func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		"image", "a/b", "../x", "a/../../x", "/etc/passwd", "%2e%2e/x", "..%2fx", ".", "", "a//b",
		"./a", "a/./b", "...", "a\x00b", "\\..\\x", "a/ ../b", "..;/x", "é", "a/..", "/..",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		_, rest, err := location.Split("file://" + rest)
		if err != nil {
			return
		}
		name, err := location.Clean(rest)
		if err != nil {
			return
		}
		if !filepath.IsLocal(name) || path.Clean(name) != name || name == "." {
			t.Fatalf("%q became %q", rest, name)
		}
	})
}
