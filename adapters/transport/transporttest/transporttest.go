// Package transporttest is the suite that every transport must pass. It plays
// the users, the repository and the host's disk; it must not know how a transport
// does what it does.
package transporttest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Fixture makes transports to exercise.
type Fixture struct {
	// Open returns a transport whose repository is the given directory of this
	// machine, to be closed at the end of the test.
	Open func(t *testing.T, repository string) workspace.Transport
	// Location returns the location of a path in the repository, unescaped.
	Location func(name string) string
	// Resumes tells that a Fetch that was broken off goes on where it stopped, and
	// does not begin anew; Resends that a Deliver does begin anew.
	Resumes, Resends bool
	// Thick tells that what is delivered has its holes filled, Trusting that the
	// server alone watches where its symbolic links lead.
	Thick, Trusting bool
}

// Exercise runs the whole suite.
func Exercise(t *testing.T, f Fixture) {
	tests := []struct {
		name string
		run  func(t *testing.T, b *bench)
	}{
		{"fetch", fetch},
		{"fetch of many sizes", fetchSizes},
		{"deliver", deliver},
		{"versions", versions},
		{"repeat", repeat},
		{"resume of a fetch", resumeFetch},
		{"resume of a deliver", resumeDeliver},
		{"checksums", checksums},
		{"lists of checksums", checksumLists},
		{"truncated source", truncated},
		{"source replaced during transfer", replaced},
		{"source replaced between transfers", replacedBetween},
		{"cancel", cancelled},
		{"missing things", missing},
		{"disk full on the host", hostFull},
		{"disk full in the repository", repositoryFull},
		{"sparse stays sparse", sparseStays},
		{"nothing half made is seen", atomic},
		{"path escapes", escapes},
		{"symbolic links", symlinks},
		{"special files", specials},
		{"refused formats", formats},
		{"size limit", limit},
		{"promised size", promised},
		{"progress", progress},
		{"rate limits", rates},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, newBench(t, f)) })
	}
}

// bench is one test's repository, host directory and transport.
type bench struct {
	Fixture
	transport  workspace.Transport
	repository string
	host       string
	target     string
}

func newBench(t *testing.T, f Fixture) *bench {
	return newBenchIn(t, f, t.TempDir(), t.TempDir())
}

func newBenchIn(t *testing.T, f Fixture, repository, host string) *bench {
	return &bench{Fixture: f, transport: f.Open(t, repository), repository: repository,
		host: host, target: filepath.Join(host, "disk")}
}

// put writes an image into the repository, dated into the past so that one that
// replaces it is later even where time is told in seconds.
func (b *bench) put(t *testing.T, name string, data []byte) {
	t.Helper()
	writeFile(t, filepath.Join(b.repository, name), data)
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(b.repository, name), past, past); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) fetch(ctx context.Context, name string) (workspace.ImageInfo, error) {
	return b.transport.Fetch(ctx,
		workspace.Fetch{Location: b.Location(name), Path: b.target, Sync: true})
}

func (b *bench) deliver(ctx context.Context, name string) (workspace.ImageInfo, error) {
	return b.transport.Deliver(ctx, workspace.Deliver{Path: b.target, Location: b.Location(name)})
}

// got fails the test unless the target holds data and nothing half made is left.
func (b *bench) got(t *testing.T, data []byte) {
	t.Helper()
	imagetest.Same(t, b.target, data)
	imagetest.Only(t, b.host, "disk")
}

// kind fails the test unless err is a *workspace.Error of that kind.
func kind(t *testing.T, err error, want workspace.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected one of kind %s", want)
	}
	if got := workspace.KindOf(err); got != want {
		t.Fatalf("error of kind %s, expected %s: %v", got, want, err)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	ok(t, os.WriteFile(path, data, 0o644))
}
