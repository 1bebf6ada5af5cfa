package factory

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

const someSum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// imageTerm says what the image of a disk must be.
func imageTerm(disk string) string {
	return "<q:Image><q:MountAs>" + disk + "</q:MountAs><q:SHA256>" + someSum +
		"</q:SHA256></q:Image>"
}

// TestChecksumsAreOfDisks gives checksums of the root, of a partition, and of what is no
// image.
func TestChecksumsAreOfDisks(t *testing.T) {
	for _, disk := range []int{0, 1} {
		d := new(desk)
		mount := []string{"sda1", "sda2"}[disk]
		if _, err := porttest.Call(t, New(wsdl.Two, d), "Create", "",
			asFaceTwo(t, "Create", imageTerm(mount))); err != nil {
			t.Fatal(err)
		}
		for i, got := range d.asked[0].Spec.Disks {
			if want := i == disk; (got.SHA256 == someSum) != want || !want && got.SHA256 != "" {
				t.Errorf("with one of %s, disk %d has the checksum %q", mount, i, got.SHA256)
			}
		}
	}
	for terms, says := range map[string]string{
		imageTerm("sda3"):                     `"sda3" is not the mountAs of a disk that`,
		imageTerm("sdz"):                      `"sdz" is not the mountAs`,
		imageTerm("sda2") + imageTerm("sda2"): `two checksums for the disk "sda2"`,
	} {
		d := new(desk)
		_, err := porttest.Call(t, New(wsdl.Two, d), "Create", "",
			asFaceTwo(t, "Create", terms))
		if workspace.KindOf(err) != workspace.Invalid || !strings.Contains(err.Error(), says) ||
			!strings.Contains(err.Error(), "LeaseTerms/Image/MountAs") || len(d.asked) > 0 {
			t.Errorf("error is %v, want %s", err, says)
		}
	}
}
