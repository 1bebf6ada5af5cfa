package storetest

import (
	"errors"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// libraryImage returns an entry with every field set.
func libraryImage(owner workspace.Owner, name, version string) *workspace.Image {
	return &workspace.Image{
		ImageKey: workspace.ImageKey{Owner: owner, Name: name, Version: version},
		Location: "sftp://repository/" + name, Comment: "one\nand two",
		VMMs: []string{"Xen", "KVM"}, Architecture: "x86_64", Kernel: "file://vmlinuz",
		Format: "qcow2", Size: 1 << 40, FileSize: 3, SHA256: "0a",
		Software:   []workspace.Software{{Name: "python", Version: "3.9.2"}, {Name: "g++"}},
		Attributes: []workspace.Attribute{{Name: "purpose", Value: `"<hpc>"`}},
		Tags:       []string{"stable"}, By: "ada", Added: noon,
		Attestations: [][]byte{{0, 1, 255}, []byte("{}")},
		Check:        workspace.ImageCheck{At: noon.Add(time.Hour), Fault: "gone", SHA256: "0b"},
	}
}

// images: what is put is read by its key, also after a restart, and what is removed
// is gone.
func images(b *bench) {
	bare := &workspace.Image{ImageKey: workspace.ImageKey{Owner: "bob", Name: "a", Version: "1"},
		Location: "file://a", VMMs: []string{"KVM"}, Architecture: "x86", By: "bob", Added: noon}
	site, own := libraryImage("", "debian", "12"), libraryImage("ada", "debian", "12")
	newer := libraryImage("", "debian", "2")
	check := func(want ...*workspace.Image) {
		b.Helper()
		for range 2 {
			all, err := b.store.Images(b.Context())
			b.same("the images", value(b, all, err), append([]*workspace.Image{}, want...))
			b.update(func(tx workspace.Tx) error {
				b.same("a transaction's", tx.LibraryImages(), all)
				return nil
			})
			for _, w := range want {
				one, err := b.store.Image(b.Context(), w.ImageKey)
				b.same("one image", value(b, one, err), w)
			}
			b.reopen()
		}
	}
	check()
	b.update(func(tx workspace.Tx) error {
		return errors.Join(tx.PutImage(own), tx.PutImage(newer), tx.PutImage(bare),
			tx.PutImage(site))
	})
	check(site, newer, own, bare)
	tagged := *bare
	tagged.Tags = []string{"latest"}
	b.undone(func(tx workspace.Tx) error {
		t := tagged
		return errors.Join(tx.PutImage(&t), tx.RemoveImage(own.ImageKey))
	})
	check(site, newer, own, bare)
	b.update(func(tx workspace.Tx) error {
		t := tagged
		err := errors.Join(tx.PutImage(&t), tx.RemoveImage(own.ImageKey),
			tx.RemoveImage(newer.ImageKey))
		b.same("a transaction's own", tx.LibraryImages(), []*workspace.Image{site, &tagged})
		return err
	})
	check(site, &tagged)
	imageMistakes(b, own.ImageKey)
}

// imageMistakes are errors, and leave nothing.
func imageMistakes(b *bench, gone workspace.ImageKey) {
	_, err := b.store.Image(b.Context(), gone)
	b.kind(err, workspace.NotFound)
	b.update(func(tx workspace.Tx) error {
		_, err := tx.LibraryImage(gone)
		b.kind(err, workspace.NotFound)
		b.kind(tx.RemoveImage(gone), workspace.NotFound)
		b.kind(tx.PutImage(&workspace.Image{}), workspace.Internal)
		one, err := tx.LibraryImage(workspace.ImageKey{Name: "debian", Version: "12"})
		b.kind(tx.PutImage(one), workspace.Internal)
		return err
	})
}
