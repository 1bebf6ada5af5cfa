package image_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/adapters/transport/packed"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// endless is what a bomb expands to, no zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestStagingBombs: a few kilobytes that stand for megabytes do not fill the spool.
func TestStagingBombs(t *testing.T) {
	repository, spool := t.TempDir(), filepath.Join(t.TempDir(), "spool")
	l := &lab{t: t}
	l.must(image.CleanSpool(spool))
	f, err := os.Create(filepath.Join(repository, "bomb.gz"))
	l.must(err)
	z := gzip.NewWriter(f)
	_, err = io.CopyN(z, endless{}, 32<<20)
	l.must(err)
	l.must(z.Close())
	l.must(f.Close())
	files, err := file.Open(repository)
	l.must(err)
	l.images = image.New(image.Options{Spool: spool, SpoolMB: 1,
		Transports: map[string]workspace.Transport{"file": packed.New(files)}})
	r := on(1, "", "", "file://disk")
	r.Workspace.Spec.StageIn = &workspace.Transfer{
		Source: "file://bomb.gz", Destination: "file://disk"}
	_, err = l.images.StageIn().Do(t.Context(), r)
	if workspace.KindOf(err) != workspace.Invalid || !strings.Contains(err.Error(), "expands") {
		t.Errorf("it is brought: %v", err)
	}
	if left, err := os.ReadDir(spool); err != nil || len(left) != 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
}
