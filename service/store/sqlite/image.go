package sqlite

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Image implements workspace.ImageReader.
func (s *Store) Image(_ context.Context, key workspace.ImageKey) (*workspace.Image, error) {
	s.mu.RLock()
	i := s.state.images.base[key]
	s.mu.RUnlock()
	if i == nil {
		return nil, missing("image", key.String())
	}
	return i, nil
}

// Images implements workspace.ImageReader.
func (s *Store) Images(context.Context) ([]*workspace.Image, error) {
	s.mu.RLock()
	all := make([]*workspace.Image, 0, len(s.state.images.base))
	for _, i := range s.state.images.base {
		all = append(all, i)
	}
	s.mu.RUnlock()
	slices.SortFunc(all, byImageKey)
	return all, nil
}

func byImageKey(a, b *workspace.Image) int {
	return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Version, b.Version))
}

// LibraryImage implements workspace.ImageTx.
func (t *tx) LibraryImage(key workspace.ImageKey) (*workspace.Image, error) {
	if i, ok := t.images.get(key); ok {
		return i, nil
	}
	return nil, missing("image", key.String())
}

// LibraryImages implements workspace.ImageTx.
func (t *tx) LibraryImages() []*workspace.Image {
	all := make([]*workspace.Image, 0, len(t.images.base))
	t.images.all(func(_ workspace.ImageKey, i *workspace.Image) { all = append(all, i) })
	slices.SortFunc(all, byImageKey)
	return all
}

// PutImage implements workspace.ImageTx. It keeps i.
func (t *tx) PutImage(i *workspace.Image) error {
	const op = "put the image"
	if i.Name == "" || i.Version == "" {
		return wrong(op, i.ImageKey.String(), "it has no name, or no version")
	}
	if was, _ := t.images.get(i.ImageKey); was == i {
		return wrong(op, i.ImageKey.String(), "it was changed in place, not copied")
	}
	t.images.put(i.ImageKey, i)
	return nil
}

// RemoveImage implements workspace.ImageTx.
func (t *tx) RemoveImage(key workspace.ImageKey) error {
	if _, err := t.LibraryImage(key); err != nil {
		return err
	}
	t.images.remove(key)
	return nil
}

func (r *rows) images(s *state) error {
	for key, e := range s.images.batch {
		owner, err := string(key.Owner), error(nil)
		if !e.there {
			err = r.run(deleteImage, owner, key.Name, key.Version)
		} else {
			var text []byte
			if text, err = json.Marshal(storedImage(*e.value)); err == nil {
				err = r.run(putImage, owner, key.Name, key.Version, string(text))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) images(ctx context.Context) error {
	return l.each(ctx, `SELECT owner, name, version, image FROM library_image
		ORDER BY owner, name, version`, func(s scan) error {
		var key workspace.ImageKey
		var text []byte
		if err := s(&key.Owner, &key.Name, &key.Version, &text); err != nil {
			return err
		}
		i := new(storedImage)
		if err := json.Unmarshal(text, i); err != nil {
			return bad("image", key, err)
		}
		i.ImageKey = key
		l.state.images.base[key] = (*workspace.Image)(i)
		return nil
	})
}

// A storedImage is a workspace.Image as it is stored: what it does not say is left out,
// and so is its key, which has columns of its own.
type storedImage struct {
	workspace.ImageKey `json:"-"`
	Location           string
	Comment            string `json:",omitempty"`
	VMMs               []string
	Architecture       string
	Kernel             string                `json:",omitempty"`
	Format             string                `json:",omitempty"`
	Size               int64                 `json:",omitempty"`
	FileSize           int64                 `json:",omitempty"`
	SHA256             string                `json:",omitempty"`
	Software           []workspace.Software  `json:",omitempty"`
	Attributes         []workspace.Attribute `json:",omitempty"`
	Tags               []string              `json:",omitempty"`
	By                 workspace.Owner
	Added              time.Time
	Attestations       [][]byte             `json:",omitempty"`
	Check              workspace.ImageCheck `json:",omitzero"`
}
