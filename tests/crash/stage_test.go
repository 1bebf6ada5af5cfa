package crash

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// clerical are acts that burden no host.
var clerical = []weighted{
	{"hold", 6}, {"release", 5}, {"read console", 6}, {"extend", 2}, {"subscribe", 3},
}

// archival are those of who looks after the library too.
var archival = append([]weighted{
	{"add image", 5}, {"verify image", 4}, {"tag image", 2}, {"remove image", 3},
}, clerical...)

// sourceName is the file in the repository that is staged in.
const sourceName = "source"

// stock fills the repository: the image that was recorded, and one to be staged in.
func (b *books) stock(t *testing.T, images string) {
	t.Helper()
	b.images, b.sums = images, map[string]string{}
	for name, word := range map[string]string{imageName: "an image ", sourceName: "another "} {
		content := bytes.Repeat([]byte(word+"that takes a moment "), 20_000)
		if err := os.WriteFile(filepath.Join(images, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
		b.sums[name] = sumOf(content)
	}
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// stocked says which files of the repository are not what they ought to be, or belong to
// nothing, and which that were staged in for somebody are not there. The checksum beside a
// file is its own.
func (b *books) stocked(rows map[string]row, l *ledger) (wrong []string, err error) {
	if b.images == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(b.images)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(b.images, e.Name()))
		if err != nil {
			return nil, err
		}
		name, beside := strings.CutSuffix(e.Name(), ".sha256")
		there[e.Name()] = true
		stem, _, numbered := strings.Cut(name, "-")
		if numbered && (stem == "staged" || stem == "out") {
			name = sourceName
		}
		is, _, _ := strings.Cut(string(content), " ")
		if !beside {
			is = sumOf(content)
		}
		if want := b.sums[name]; strings.TrimSpace(is) != want {
			wrong = append(wrong, fmt.Sprintf("%s in the repository has the checksum %.80q, not %q",
				e.Name(), is, want))
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, t := range l.living {
		if t.staged != "" && hasDisk(rows[key].state) && !there[t.staged] {
			wrong = append(wrong, fmt.Sprintf("%s was staged in for workspace %s and is not there",
				t.staged, key))
		}
	}
	return wrong, nil
}

// readConsole reads what a workspace's serial line has said. A simulated one says whose it is.
func (c *client) readConsole(a *act, t *tenancy) {
	a.message = daemon.ReadConsole
	a.answer = func(reply []byte) error {
		var told struct {
			Size int    `xml:"Body>ReadConsoleResponse>Size"`
			Said string `xml:"Body>ReadConsoleResponse>Said"`
		}
		err := xml.Unmarshal(reply, &told)
		if err != nil {
			return err
		}
		said, err := base64.StdEncoding.DecodeString(told.Said)
		if err != nil || len(said) > told.Size {
			return fmt.Errorf("%d bytes are said of %d (%w)", len(said), told.Size, err)
		}
		words := "Simulated machine " + t.key + " "
		if !c.style.reboots && len(said) > 0 && !strings.HasPrefix(string(said), words) {
			return fmt.Errorf("it says %.80q", said)
		}
		return nil
	}
}
