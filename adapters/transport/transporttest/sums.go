package transporttest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// checksumLists has a list of the checksums of all images of a directory.
func checksumLists(t *testing.T, b *bench) {
	data := imagetest.Random(300<<10, 6)
	good, bad := imagetest.Sum(data), imagetest.Sum(nil)
	tests := []struct {
		name, list, beside string
		sum, want          string // what Check tells; what is in Fetch's error
	}{
		{"ours", bad + "  a\n" + good + "  image\n", "", good, ""},
		{"binary", bad + " *a\n" + good + " *image\n", "", good, ""},
		{"with its directory", good + "  ./image\n", "", good, ""},
		{"of others alone", bad + "  image2\n" + bad + "  sub/image\n" + bad + "  Image\n" +
			bad + "  my image\n", "", "", ""},
		{"one line of another", bad + "  other\n", "", "", ""},
		{"bare", bad + "\n", "", "", ""},
		{"signed", "-----BEGIN PGP SIGNED MESSAGE-----\n\n" + good + "  image\n", "", good, ""},
		{"wrong", bad + "  image\n", "", bad, good + ", expected " + bad},
		{"twice", good + "  image\n" + bad + "  image\n", "", "", "two checksums"},
		{"too long", strings.Repeat("#\n", 1<<19) + good + "  image\n", "", "", "more than"},
		{"beside goes before", bad + "  image\n", good + "  image\n", good, ""},
		{"beside is wrong", good + "  image\n", bad + "  image\n", bad, "expected " + bad},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b.put(t, "image", data)
			writeFile(t, filepath.Join(b.repository, "SHA256SUMS"), []byte(test.list))
			beside := filepath.Join(b.repository, "image.sha256")
			ok(t, ignoreMissing(os.Remove(beside)))
			if test.beside != "" {
				writeFile(t, beside, []byte(test.beside))
			}
			ok(t, ignoreMissing(os.Remove(b.target)))
			info, err := b.transport.Check(t.Context(), b.Location("image"))
			if readable := err == nil; info.SHA256 != test.sum ||
				readable != (test.sum != "" || test.want == "") {
				t.Errorf("Check tells of the checksum %q, %v", info.SHA256, err)
			}
			_, err = b.fetch(t.Context(), "image")
			if test.want == "" {
				ok(t, err)
				b.got(t, data)
				return
			}
			kind(t, err, workspace.Invalid)
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not say %q", err, test.want)
			}
			imagetest.Only(t, b.host)
		})
	}
	listIsNotOurs(t, b, data)
}

// listIsNotOurs makes sure that an image that is delivered has its checksum beside it,
// whatever the list says, and that the list is nobody's image.
func listIsNotOurs(t *testing.T, b *bench, data []byte) {
	list := filepath.Join(b.repository, "SHA256SUMS")
	text := []byte(imagetest.Sum(data) + "  saved\n" + imagetest.Sum(data) + "  image\n")
	writeFile(t, list, text)
	for _, content := range [][]byte{data, imagetest.Random(300<<10, 7)} {
		writeFile(t, b.target, content)
		_, err := b.deliver(t.Context(), "saved")
		ok(t, err)
		imagetest.Same(t, filepath.Join(b.repository, "saved.sha256"),
			[]byte(imagetest.Sum(content)+"  saved\n"))
		ok(t, os.Remove(b.target))
		_, err = b.fetch(t.Context(), "saved")
		ok(t, err)
	}
	_, err := b.deliver(t.Context(), "SHA256SUMS")
	kind(t, err, workspace.Invalid)
	imagetest.Same(t, list, text)
}
