package checksum_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
)

// TestLineIsThatOfTheProgram holds what we write and read against sha256sum,
// with names that it escapes.
func TestLineIsThatOfTheProgram(t *testing.T) {
	const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // hello
	for _, name := range []string{"image", "a b", "back\\slash", "line\nfeed", "*star", " blank"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("hello"), 0o600); err != nil {
			t.Fatal(err)
		}
		command := exec.Command("sha256sum", "--", name)
		command.Dir = dir
		out, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		if line := checksum.Line(sum, name); line != string(out) {
			t.Errorf("wrote %q, sha256sum %q", line, out)
		}
		got, err := checksum.Parse(string(out)+sum[1:]+"0  other\n", name)
		if err != nil || got != sum {
			t.Errorf("read %q, %v of %q", got, err, out)
		}
	}
}

// FuzzParse makes sure that what is found is a checksum.
func FuzzParse(f *testing.F) {
	f.Add("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  image\n", "image")
	f.Add("\\", "")
	f.Add("# comment\n\n", "x")
	f.Fuzz(func(t *testing.T, text, name string) {
		sum, err := checksum.Parse(text, name)
		if err != nil {
			return
		}
		if normal, err := checksum.Normal(sum); err != nil || normal != sum {
			t.Fatalf("found %q", sum)
		}
	})
}
