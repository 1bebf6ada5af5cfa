package catalog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestVerify reads images, records what came of it, and says how far it is.
func TestVerify(t *testing.T) {
	l := newLab(t)
	l.shelf.sums = false
	l.add(bob, draft("debian", "12"))
	l.add(bob, draft("other", "1", func(d *workspace.ImageDraft) {
		d.Location, d.SHA256 = "file://other", sumOf("another")
	}))
	_, err := l.Resolve(t.Context(), workspace.ImageNeeds{Owner: bob, Location: "image:debian"})
	l.refused(err, workspace.NotFound, "which `workspace image verify` computes excludes 1")
	l.leftover()
	run(t, l, func() {
		for _, name := range []string{"debian", "other"} {
			v, err := l.VerifyImage(context.Background(), bob, name)
			if err != nil || v.Reading == nil || v.Reading.Fault != "" {
				t.Errorf("%s: %+v, %v", name, v.Reading, err)
			}
		}
	})
	v := l.show("debian")
	if v.SHA256 != sumOf("debian") || v.Check.Fault != "" || v.Check.At.IsZero() ||
		v.Reading != nil {
		t.Errorf("it is %+v, %+v", v.Image, v.Reading)
	}
	i, err := l.Resolve(t.Context(), workspace.ImageNeeds{Owner: bob, Location: "image:debian"})
	if err != nil || i.SHA256 != sumOf("debian") {
		t.Errorf("it is %+v, %v", i, err)
	}
	v = l.show("other")
	want := "its checksum is " + sumOf("other") + ", expected " + sumOf("another")
	if v.Check.Fault != want {
		t.Errorf("it is %+v", v.Check)
	}
	_, err = l.Resolve(t.Context(), workspace.ImageNeeds{Owner: bob, Location: "image:other"})
	l.refused(err, workspace.NotFound, "found as described when it was last verified excludes 1")
	left, _ := os.ReadDir(l.options.Spool)
	if len(left) > 0 {
		t.Errorf("the spool has %v", left)
	}
}

// TestVerifyOfWhatIsNoMore puts another image in the place of one that is being read: what came
// of the one says nothing about the other.
func TestVerifyOfWhatIsNoMore(t *testing.T) {
	l := newLab(t)
	l.shelf.sums = false
	was := l.add(bob, draft("debian", "12"))
	l.shelf.during = func() {
		l.shelf.during = nil
		if err := l.RemoveImage(t.Context(), bob, "debian"); err != nil {
			t.Error(err)
		}
		l.add(bob, draft("debian", "12", func(d *workspace.ImageDraft) {
			d.Location = "file://other"
		}))
	}
	if err := l.verify(t.Context(), was.ImageKey); err != nil {
		t.Error(err)
	}
	v := l.show("debian")
	if v.Location != "file://other" || v.SHA256 != "" || !v.Check.At.IsZero() {
		t.Errorf("it is %+v", v.Image)
	}
}

// TestVerifyFails: a repository that is out of reach says nothing about the image.
func TestVerifyFails(t *testing.T) {
	l := newLab(t)
	l.add(bob, draft("debian", "12"))
	l.shelf.fail = workspace.Errorf(workspace.Unavailable, "reach it", "", "it is down")
	run(t, l, func() {
		if _, err := l.VerifyImage(context.Background(), bob, "debian"); err != nil {
			t.Error(err)
		}
	})
	v := l.show("debian")
	if !v.Check.At.IsZero() || v.Reading == nil ||
		!strings.Contains(v.Reading.Fault, "it is down") {
		t.Errorf("it is %+v, %+v", v.Check, v.Reading)
	}
	delete(l.shelf.images, "file://debian")
	l.shelf.fail = nil
	run(t, l, func() {
		if _, err := l.VerifyImage(context.Background(), bob, "debian"); err != nil {
			t.Error(err)
		}
	})
	if v = l.show("debian"); !strings.Contains(v.Check.Fault, "no such image") || v.Reading != nil {
		t.Errorf("it is %+v, %+v", v.Check, v.Reading)
	}
}

// run does something while the Catalog runs, and waits until it is done with it.
func run(t *testing.T, l *lab, do func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- l.Catalog.Run(ctx) }()
	do()
	l.settle()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// settle waits until nothing is read.
func (l *lab) settle() {
	l.Helper()
	for end := time.Now().Add(5 * time.Minute); l.busy(); {
		if time.Now().After(end) {
			l.Fatal("it does not end")
		}
		time.Sleep(time.Millisecond)
	}
}

// busy reports whether something is read, or to be read.
func (l *lab) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.readings {
		if r.Fault == "" {
			return true
		}
	}
	return false
}

// leftover puts a file into the spool, as a daemon that was killed does.
func (l *lab) leftover() {
	l.Helper()
	if err := os.MkdirAll(l.options.Spool, 0o700); err != nil {
		l.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.options.Spool, "x.part"), nil, 0o600); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) show(reference string) workspace.ImageView {
	l.Helper()
	v, err := l.LibraryImage(l.Context(), bob, reference)
	if err != nil {
		l.Fatal(err)
	}
	return v
}

// TestVerifyTwice: an image that waits to be read does not wait twice.
func TestVerifyTwice(t *testing.T) {
	l := newLab(t)
	l.add(bob, draft("debian", "12"))
	for range 3 {
		if _, err := l.VerifyImage(t.Context(), bob, "debian"); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.waiting) != 1 {
		t.Errorf("%d wait", len(l.waiting))
	}
	if err := l.RemoveImage(t.Context(), bob, "debian"); err != nil {
		t.Fatal(err)
	}
	run(t, l, func() {})
	if len(l.readings) > 0 {
		t.Errorf("of an entry that is gone it is kept that %+v", l.readings)
	}
}

// TestVerifyIsBounded neither fills the disk nor tells of it.
func TestVerifyIsBounded(t *testing.T) {
	l := newLab(t)
	l.options.SpoolMB = 1
	l.shelf.images["file://huge"] = strings.Repeat("x", 2<<20)
	l.add(bob, draft("huge", "1", func(d *workspace.ImageDraft) { d.Location = "file://huge" }))
	l.add(bob, draft("debian", "12"))
	verify := func(name string) string {
		run(t, l, func() {
			if _, err := l.VerifyImage(context.Background(), bob, name); err != nil {
				t.Error(err)
			}
		})
		v := l.show(name)
		if v.Reading == nil || !v.Check.At.IsZero() {
			t.Fatalf("%s is %+v, %+v", name, v.Check, v.Reading)
		}
		return v.Reading.Fault
	}
	if fault := verify("huge"); !strings.Contains(fault, "spool_mb") {
		t.Errorf("too large a file: %s", fault)
	}
	l.shelf.fail = workspace.Errorf(workspace.Internal, "open", "/var/lib/secret", "it is torn")
	if fault := verify("debian"); strings.Contains(fault, "secret") {
		t.Errorf("told is %s", fault)
	}
}

// TestVerifyTakesTurns: who wants many images read leaves room for who wants one.
func TestVerifyTakesTurns(t *testing.T) {
	l := newLab(t)
	key := func(name string) workspace.ImageKey {
		return workspace.ImageKey{Name: name, Version: "1"}
	}
	want := func(by workspace.Owner, names ...string) {
		for _, name := range names {
			l.want(wish{by, key(name)})
		}
	}
	read := func(expected ...string) {
		t.Helper()
		for _, name := range expected {
			if got, ok := l.next(); !ok || got != key(name) {
				t.Errorf("%s is read, expected %s", got, name)
			}
		}
	}
	want(bob, "b1", "b2", "b3", "b4", "site")
	read("b1")
	want(ada, "a1", "site", "a3")
	read("a1", "b2", "site")
	want("carol", "c1")
	read("c1", "b3", "a3", "b4")
	if got, ok := l.next(); ok {
		t.Errorf("%s is read twice", got)
	}
}

// TestVerifyOfWhatGrows reads no more than the repository has promised.
func TestVerifyOfWhatGrows(t *testing.T) {
	l := newLab(t)
	l.add(bob, draft("debian", "12"))
	l.shelf.checked = func(location string) { l.shelf.images[location] += " and more" }
	run(t, l, func() { l.asked("debian") })
	if v := l.show("debian"); v.Reading == nil ||
		!strings.Contains(v.Reading.Fault, "grew") || !v.Check.At.IsZero() {
		t.Errorf("it is %+v, %+v", v.Check, v.Reading)
	}

	t.Log("nor of one that somebody writes to")
	path := filepath.Join(t.TempDir(), "grows")
	if err := os.WriteFile(path, make([]byte, step+1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sum(t.Context(), path, func(done, total int64) {
		if f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0); err == nil {
			f.Write(make([]byte, 2*step))
			f.Close()
		}
		if done > total || total != step+1 {
			t.Errorf("told of %d of %d", done, total)
		}
	})
	if workspace.KindOf(err) != workspace.Transient || err == nil {
		t.Errorf("its checksum is known: %v", err)
	}
}

// TestVerifyGoesOn keeps what has come of a reading that was broken off, of one image at a
// time, until it is read, or gone.
func TestVerifyGoesOn(t *testing.T) {
	l := newLab(t)
	l.add(bob, draft("debian", "12"))
	l.add(bob, draft("other", "1", func(d *workspace.ImageDraft) { d.Location = "file://other" }))
	l.leftover() // which goes at the start
	part := func(name, version string) string {
		return filepath.Base(l.file(workspace.ImageKey{Owner: bob, Name: name,
			Version: version})) + ".part"
	}
	kept := func(when string, expected ...string) {
		t.Helper()
		var names []string
		left, err := os.ReadDir(l.options.Spool)
		for _, f := range left {
			names = append(names, f.Name())
		}
		if err != nil || !slices.Equal(names, expected) {
			t.Errorf("%s the spool has %q, %v, expected %q", when, names, err, expected)
		}
	}
	down := workspace.Errorf(workspace.Unavailable, "reach it", "", "it is down")
	run(t, l, func() {
		l.shelf.breaks = down
		l.asked("debian")
		kept("broken off", part("debian", "12"))
		l.asked("other")
		kept("another is broken off", part("other", "1"))
		l.asked("debian")
		l.shelf.breaks = nil
		l.asked("debian")
		kept("it is read")
		l.shelf.breaks = down
		l.asked("debian")
		if err := l.RemoveImage(context.Background(), bob, "debian"); err != nil {
			t.Error(err)
		}
		kept("it is removed")
	})
	const want = "[file://debian 0 file://other 0 file://debian 0 file://debian 4 file://debian 0]"
	if got := fmt.Sprint(l.shelf.found); got != want {
		t.Errorf("fetches found %s, expected %s", got, want)
	}
}

// asked has bob's image read, and waits until that is over.
func (l *lab) asked(name string) {
	l.Helper()
	if _, err := l.VerifyImage(context.Background(), bob, name); err != nil {
		l.Error(err)
	}
	l.settle()
}
