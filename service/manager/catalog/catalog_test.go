package catalog

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema/attestation"
	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	ada   = workspace.Owner("/CN=Ada") // an operator
	bob   = workspace.Owner("/CN=Bob")
	carol = workspace.Owner("/CN=Carol")
)

// shelf is a repository in memory.
type shelf struct {
	workspace.Transport
	images map[string]string
	during func() // what happens while an image is fetched; may be nil
	sums   bool   // lie beside the images
	fail   error
	// checked is told of each question, once it is answered; may be nil.
	checked func(location string)
	breaks  error    // of a fetch, when some of it has come
	found   []string // what fetches found of those before them: location and bytes
}

func (s *shelf) Check(_ context.Context, location string) (workspace.ImageInfo, error) {
	data, ok := s.images[location]
	if !ok {
		return workspace.ImageInfo{}, workspace.Errorf(workspace.NotFound, "check the image",
			location, "the repository has no such image")
	}
	info := workspace.ImageInfo{Size: int64(len(data)), Format: "raw"}
	if s.sums {
		info.SHA256 = sumOf(data)
	}
	if s.checked != nil {
		s.checked(location)
	}
	return info, s.fail
}

func (s *shelf) Fetch(ctx context.Context, f workspace.Fetch) (workspace.ImageInfo, error) {
	info, err := s.Check(ctx, f.Location)
	if err != nil {
		return info, err
	}
	if f.Promised > 0 && info.Size > f.Promised {
		return info, workspace.Refuse(workspace.Transient, "it grew")
	}
	part := f.Path + ".part"
	there, _ := os.ReadFile(part)
	s.found = append(s.found, fmt.Sprint(f.Location, " ", len(there)))
	if s.breaks != nil {
		return info, errors.Join(s.breaks, os.WriteFile(part, []byte("half"), 0o600))
	}
	_ = os.Remove(part)
	if s.during != nil {
		s.during()
	}
	f.Progress(info.Size, info.Size)
	return info, os.WriteFile(f.Path, []byte(s.images[f.Location]), 0o600)
}

func sumOf(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

// signer is whom the tests' site trusts, and stranger whom it does not.
var (
	signer   = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	stranger = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
)

// attest signs for an image.
func attest(t *testing.T, sum string, key ed25519.PrivateKey) []byte {
	t.Helper()
	data, err := attestation.Sign(attestation.Statement{SHA256: sum, Builder: "ci"}, key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lab is a Catalog over a record of its own.
type lab struct {
	*testing.T
	*Catalog
	shelf *shelf
	store *sqlite.Store
}

func newLab(t *testing.T, change ...func(*Options)) *lab {
	t.Helper()
	l := &lab{T: t, shelf: &shelf{images: map[string]string{
		"file://debian": "debian", "file://other": "other",
	}, sums: true}}
	dir := t.TempDir()
	var err error
	l.store, err = sqlite.Open(context.Background(),
		sqlite.Options{Path: filepath.Join(dir, "record.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.store.Close() })
	o := Options{
		Store: l.store, Check: l.shelf.Check, Spool: filepath.Join(dir, "spool"),
		Kernel: func(image string) error {
			if image != "file://vmlinuz" {
				return workspace.Refuse(workspace.Invalid, "kernel %q is not offered", image)
			}
			return nil
		},
		Raw:     map[string]workspace.Transport{"file": l.shelf},
		Examine: func(string, string) (string, int64, error) { return "raw", 5, nil },
		Trusted: []attestation.Key{{Name: "alice", Public: signer.Public().(ed25519.PublicKey)}},

		Operators: []workspace.Owner{ada}, PerOwner: 4,
	}
	for _, f := range change {
		f(&o)
	}
	l.Catalog = New(o)
	return l
}

// draft describes an image.
func draft(name, version string, change ...func(*workspace.ImageDraft)) workspace.ImageDraft {
	d := workspace.ImageDraft{Image: workspace.Image{
		ImageKey: workspace.ImageKey{Name: name, Version: version}, Location: "file://debian",
		VMMs: []string{"KVM"}, Architecture: "x86_64",
	}}
	for _, f := range change {
		f(&d)
	}
	return d
}

func forAll(d *workspace.ImageDraft) { d.Site = true }

func (l *lab) add(owner workspace.Owner, d workspace.ImageDraft) workspace.ImageView {
	l.Helper()
	v, err := l.AddImage(l.Context(), owner, d)
	if err != nil {
		l.Fatal(err)
	}
	return v
}

// refused wants an error of the kind that says so.
func (l *lab) refused(err error, kind workspace.Kind, says string) {
	l.Helper()
	if err == nil || workspace.KindOf(err) != kind || !strings.Contains(err.Error(), says) {
		l.Errorf("the error is %v, want one of kind %v that says %q", err, kind, says)
	}
}

func TestAddFillsIn(t *testing.T) {
	l := newLab(t)
	v := l.add(ada, draft("debian", "12", forAll, func(d *workspace.ImageDraft) {
		d.Tags, d.Kernel = []string{"stable", "a", "a"}, "file://vmlinuz"
		d.Attestations = [][]byte{attest(t, sumOf("debian"), signer)}
	}))
	if v.Owner != "" || v.By != ada || v.Added.IsZero() || v.SHA256 != sumOf("debian") ||
		v.Format != "raw" || v.Size != 6 || v.FileSize != 6 ||
		strings.Join(v.Tags, " ") != "a stable" {
		t.Errorf("it is %+v", v.Image)
	}
	if !v.Verified() || v.Attested[0].Signer != "alice" || v.Attested[0].Builder != "ci" {
		t.Errorf("its attestations are %+v", v.Attested)
	}
}

// refusals are drafts that are refused.
var refusals = map[string]struct {
	owner  workspace.Owner
	kind   workspace.Kind
	says   string
	change func(*workspace.ImageDraft)
}{
	"nobody": {"", workspace.Denied, "no caller",
		func(*workspace.ImageDraft) {}},
	"the site": {bob, workspace.Denied, "only operators", forAll},
	"name": {bob, workspace.Invalid, `name "a/b"`,
		func(d *workspace.ImageDraft) { d.Name = "a/b" }},
	"version": {bob, workspace.Invalid, "version",
		func(d *workspace.ImageDraft) { d.Version = "" }},
	"tag": {bob, workspace.Invalid, `tag "a b"`,
		func(d *workspace.ImageDraft) { d.Tags = []string{"a b"} }},
	"no VMM": {bob, workspace.Invalid, "for which VMM",
		func(d *workspace.ImageDraft) { d.VMMs = nil }},
	"VMM": {bob, workspace.Invalid, `VMM "LXC"`,
		func(d *workspace.ImageDraft) { d.VMMs = []string{"LXC"} }},
	"architecture": {bob, workspace.Invalid, "architecture",
		func(d *workspace.ImageDraft) { d.Architecture = "" }},
	"format": {bob, workspace.Invalid, `"vmdk"`,
		func(d *workspace.ImageDraft) { d.Format = "vmdk" }},
	"other format": {bob, workspace.Invalid, "the format qcow2, and",
		func(d *workspace.ImageDraft) { d.Format = "qcow2" }},
	"size": {bob, workspace.Invalid, "negative",
		func(d *workspace.ImageDraft) { d.Size = -1 }},
	"other size": {bob, workspace.Invalid, "the size 7, and",
		func(d *workspace.ImageDraft) { d.Size = 7 }},
	"file size": {bob, workspace.Invalid, "the size of file 7, and",
		func(d *workspace.ImageDraft) { d.FileSize = 7 }},
	"sum": {bob, workspace.Invalid, `checksum "1"`,
		func(d *workspace.ImageDraft) { d.SHA256 = "1" }},
	"other sum": {bob, workspace.Invalid, "the repository has",
		func(d *workspace.ImageDraft) { d.SHA256 = sumOf("") }},
	"kernel": {bob, workspace.Invalid, "not offered",
		func(d *workspace.ImageDraft) { d.Kernel = "file://x" }},
	"not there": {bob, workspace.NotFound, "no such image",
		func(d *workspace.ImageDraft) { d.Location = "file://x" }},
	"reference": {bob, workspace.Invalid, "one of the library",
		func(d *workspace.ImageDraft) { d.Location = "image:x" }},
	"software": {bob, workspace.Invalid, `software "a b"`,
		func(d *workspace.ImageDraft) { d.Software = []workspace.Software{{Name: "a b"}} }},
	"attribute": {bob, workspace.Invalid, "attribute",
		func(d *workspace.ImageDraft) { d.Attributes = []workspace.Attribute{{}} }},
	"comment": {bob, workspace.Invalid, "comment",
		func(d *workspace.ImageDraft) { d.Comment = strings.Repeat("a", 1025) }},
	"attestation": {bob, workspace.Invalid, "DSSE",
		func(d *workspace.ImageDraft) { d.Attestations = [][]byte{{}} }},
}

// TestAddRefuses, and leaves nothing.
func TestAddRefuses(t *testing.T) {
	l := newLab(t)
	for name, tt := range refusals {
		t.Run(name, func(t *testing.T) {
			_, err := l.AddImage(t.Context(), tt.owner, draft("a", "1", tt.change))
			l.refused(err, tt.kind, tt.says)
		})
	}
	all, err := l.store.Images(t.Context())
	if err != nil || len(all) > 0 {
		t.Errorf("the library has %v, %v", all, err)
	}
}

// TestNamesAreUniqueOnAShelf: neither the site's nor another owner's are in the way.
func TestNamesAreUniqueOnAShelf(t *testing.T) {
	l := newLab(t)
	l.add(ada, draft("debian", "12", forAll))
	l.add(bob, draft("debian", "12"))
	l.add(carol, draft("debian", "12"))
	_, err := l.AddImage(t.Context(), bob, draft("debian", "12"))
	l.refused(err, workspace.Conflict, "there is one already, of file://debian")
	l.add(bob, draft("debian", "13", func(d *workspace.ImageDraft) { d.Tags = []string{"new"} }))
	_, err = l.AddImage(t.Context(), bob, draft("debian", "new"))
	l.refused(err, workspace.Conflict, `"new" is a tag of version 13`)
	_, err = l.AddImage(t.Context(), bob, draft("debian", "14",
		func(d *workspace.ImageDraft) { d.Tags = []string{"12"} }))
	l.refused(err, workspace.Conflict, `the tag "12" is a version`)
	l.add(bob, draft("a", "1"))
	l.add(bob, draft("a", "2"))
	_, err = l.AddImage(t.Context(), bob, draft("a", "3"))
	l.refused(err, workspace.Quota, "there are 4 entries")
}

// TestWhoSeesWhat: another's entries are as unknown as what never was.
func TestWhoSeesWhat(t *testing.T) {
	l := newLab(t)
	l.add(ada, draft("site", "1", forAll))
	l.add(bob, draft("bobs", "1"))
	for owner, want := range map[workspace.Owner]string{
		ada: "site:1", bob: "bobs:1 site:1", carol: "site:1",
	} {
		r, err := l.FindImages(t.Context(), owner, "")
		if err != nil || keys(r) != want {
			t.Errorf("%s sees %q, %v, want %q", owner, keys(r), err, want)
		}
	}
	ctx := t.Context()
	for _, owner := range []workspace.Owner{ada, carol} {
		_, never := l.LibraryImage(ctx, owner, "none")
		_, show := l.LibraryImage(ctx, owner, "bobs")
		_, verify := l.VerifyImage(ctx, owner, "bobs")
		_, tag := l.ChangeImage(ctx, owner, "bobs", workspace.ImageChange{Tag: []string{"x"}})
		_, resolve := l.Resolve(ctx, workspace.ImageNeeds{Owner: owner, Location: "image:bobs"})
		remove := l.RemoveImage(ctx, owner, "bobs")
		for _, err := range []error{never, show, verify, tag, remove} {
			l.refused(err, workspace.NotFound, "the library has no such image")
		}
		l.refused(resolve, workspace.NotFound, "none of the library's 1 images fits")
	}
	l.refused(l.RemoveImage(ctx, bob, "site"), workspace.Denied, "only operators")
	_, err := l.ChangeImage(ctx, bob, "site", workspace.ImageChange{Untag: []string{"x"}})
	l.refused(err, workspace.Denied, "only operators")
	if _, err := l.FindImages(ctx, bob, "arch<"); workspace.KindOf(err) != workspace.Invalid {
		t.Errorf("a wrong query: %v", err)
	}
}

func keys(r workspace.ImageResult) string {
	var all []string
	for _, v := range r.Found {
		all = append(all, v.ImageKey.String())
	}
	return strings.Join(all, " ")
}

// TestTagsMove: a tag is at one version only.
func TestTagsMove(t *testing.T) {
	l := newLab(t)
	ctx := t.Context()
	l.add(bob, draft("debian", "11", func(d *workspace.ImageDraft) {
		d.Tags = []string{"old", "stable"}
	}))
	l.add(bob, draft("debian", "12", func(d *workspace.ImageDraft) { d.Tags = []string{"stable"} }))
	v, err := l.ChangeImage(ctx, bob, "debian:11", workspace.ImageChange{
		Tag: []string{"lts"}, Untag: []string{"old"},
	})
	if err != nil || strings.Join(v.Tags, " ") != "lts" {
		t.Fatalf("it has %v, %v", v.Tags, err)
	}
	if v, err = l.LibraryImage(ctx, bob, "debian:stable"); err != nil || v.Version != "12" {
		t.Errorf("stable is %v, %v", v.Image, err)
	}
	_, err = l.ChangeImage(ctx, bob, "debian:12", workspace.ImageChange{Tag: []string{"11"}})
	l.refused(err, workspace.Conflict, `the tag "11" is a version`)
	l.refused(l.RemoveImage(ctx, bob, "debian"), workspace.Invalid,
		"there are several, expected NAME:VERSION with one of 12, 11")
	if err := l.RemoveImage(ctx, bob, "debian:lts"); err != nil {
		t.Error(err)
	}
	if err := l.RemoveImage(ctx, bob, "own/debian"); err != nil {
		t.Error(err)
	}
}

// TestAttestationsAreJudged by the keys that the site trusts now.
func TestAttestationsAreJudged(t *testing.T) {
	l := newLab(t)
	l.add(bob, draft("debian", "12"))
	for _, data := range [][]byte{
		attest(t, sumOf("debian"), stranger), attest(t, sumOf("x"), signer),
		attest(t, sumOf("debian"), signer), attest(t, sumOf("debian"), signer),
	} {
		_, err := l.ChangeImage(t.Context(), bob, "debian", workspace.ImageChange{Attest: data})
		if err != nil {
			t.Fatal(err)
		}
	}
	v, err := l.LibraryImage(t.Context(), bob, "debian")
	var got []string
	for _, a := range v.Attested {
		got = append(got, a.Status)
	}
	if err != nil || strings.Join(got, ", ") != "unknown signer, bad, verified" {
		t.Errorf("they are %q, %v", got, err)
	}
	_, err = l.ChangeImage(t.Context(), bob, "debian", workspace.ImageChange{Attest: []byte("x")})
	l.refused(err, workspace.Invalid, "DSSE")
}

// TestResolve finds what a request means, and says why nothing will do.
func TestResolve(t *testing.T) {
	l := newLab(t)
	l.add(ada, draft("debian", "12", forAll))
	l.add(ada, draft("debian", "13", forAll, func(d *workspace.ImageDraft) {
		d.VMMs = []string{"Xen"}
	}))
	l.add(bob, draft("debian", "11"))
	tests := map[string]struct {
		need workspace.ImageNeeds
		want string // the version, or what the error says behind !
	}{
		"a place":    {workspace.ImageNeeds{Location: "file://debian"}, ""},
		"best":       {workspace.ImageNeeds{Location: "image:debian"}, "13"},
		"one's own":  {workspace.ImageNeeds{Location: "image:debian", Owner: bob}, "11"},
		"the site's": {workspace.ImageNeeds{Location: "image:site/debian", Owner: bob}, "13"},
		"VMM":        {workspace.ImageNeeds{Location: "image:debian", VMM: "KVM"}, "12"},
		"query": {workspace.ImageNeeds{Location: "image:?name=debian&version%3C13", Owner: bob},
			"12"},
		"wrong VMM": {workspace.ImageNeeds{Location: "image:debian:12", VMM: "Xen"},
			"!for the request's VMM Xen excludes 1, 1 by itself"},
		"wrong architecture": {workspace.ImageNeeds{Location: "image:debian", Architecture: "x86"},
			"!for the request's architecture x86 excludes 2"},
		"none":  {workspace.ImageNeeds{Location: "image:debian:9"}, "!version or tag 9 excludes 2"},
		"wrong": {workspace.ImageNeeds{Location: "image:?arch"}, "!column 5"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			i, err := l.Resolve(t.Context(), tt.need)
			if says, wrong := strings.CutPrefix(tt.want, "!"); wrong {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("the error is %v, want %q", err, says)
				}
				return
			}
			if err != nil || (i == nil) != (tt.want == "") || i != nil && i.Version != tt.want {
				t.Errorf("it is %+v, %v, want %q", i, err, tt.want)
			}
		})
	}
}

// TestStrict: a site that wants attestations takes nothing else, by whatever name.
func TestStrict(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Strict = true })
	l.add(bob, draft("debian", "12"))
	for _, location := range []string{"image:debian", "file://debian"} {
		_, err := l.Resolve(t.Context(), workspace.ImageNeeds{Owner: bob, Location: location})
		l.refused(err, workspace.Denied, "this site takes attested images only")
	}
	_, err := l.ChangeImage(t.Context(), bob, "debian",
		workspace.ImageChange{Attest: attest(t, sumOf("debian"), signer)})
	if err != nil {
		t.Fatal(err)
	}
	for _, location := range []string{"image:debian", "file://debian"} {
		i, err := l.Resolve(t.Context(), workspace.ImageNeeds{Owner: bob, Location: location})
		if err != nil || i == nil || i.SHA256 != sumOf("debian") {
			t.Errorf("%s is %+v, %v", location, i, err)
		}
	}
	_, err = l.Resolve(t.Context(), workspace.ImageNeeds{Owner: carol, Location: "file://debian"})
	l.refused(err, workspace.Denied, "attested images only")
}

// TestShelvesAreBounded: an owner can neither fill the memory that holds the record,
// nor have all signatures checked with each question.
func TestShelvesAreBounded(t *testing.T) {
	l := newLab(t)
	l.add(bob, draft("debian", "12", func(d *workspace.ImageDraft) {
		d.Attestations = [][]byte{attest(t, sumOf("debian"), signer)}
	}))
	for range 3 {
		if r, err := l.FindImages(t.Context(), bob, "verified=true"); err != nil ||
			len(r.Found) != 1 {
			t.Fatalf("found %+v, %v", r, err)
		}
	}
	if len(l.signed) != 1 {
		t.Errorf("the signers of %d entries are known", len(l.signed))
	}
	var full workspace.Image
	for range maxShelf/maxText + 1 {
		full.Attributes = append(full.Attributes,
			workspace.Attribute{Value: strings.Repeat("x", maxText)})
	}
	if err := light(weight(&full)); workspace.KindOf(err) != workspace.Quota {
		t.Errorf("a shelf may have more than %d bytes: %v", maxShelf, err)
	}
}
