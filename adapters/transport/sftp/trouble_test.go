package sftp_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// open makes a transport to one server, changed by alter.
func open(t *testing.T, s *sshdtest.Server, alter func(*sftp.Options)) *sftp.Transport {
	t.Helper()
	o := sftp.Options{Servers: []sftp.Server{configured(s, s.Root)}}
	if alter != nil {
		alter(&o)
	}
	transport := sftp.New(o)
	t.Cleanup(func() { transport.Close() })
	return transport
}

// image puts size random bytes into the repository.
func image(t *testing.T, s *sshdtest.Server, name string, size int) []byte {
	t.Helper()
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(data)
	if err := os.WriteFile(filepath.Join(s.Root, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return data
}

// refusal fails the test unless err has the kind and says all of words.
func refusal(t *testing.T, err error, kind workspace.Kind, words ...string) {
	t.Helper()
	if err == nil || workspace.KindOf(err) != kind {
		t.Fatalf("error %v, expected one of kind %s", err, kind)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func TestChangedHostKeyIsDenied(t *testing.T) {
	s := sshdtest.Start(t)
	image(t, s, "image", 4096)
	old := ssh.FingerprintSHA256(s.HostKey())
	s.Stop()
	s.NewHostKey()
	s.Restart()
	_, err := open(t, s, nil).Check(t.Context(), "sftp://"+s.Address+"/image")
	refusal(t, err, workspace.Denied, "changed", "expected ssh-ed25519 "+old,
		"offered ssh-ed25519 "+ssh.FingerprintSHA256(s.HostKey()), "line 1", s.KnownHostsLine())
}

func TestUnknownHostKeyIsDenied(t *testing.T) {
	s := sshdtest.Start(t)
	if err := os.WriteFile(s.KnownHosts, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	transport := open(t, s, nil)
	_, err := transport.Check(t.Context(), "sftp://"+s.Address+"/image")
	refusal(t, err, workspace.Denied, "unknown", "offered ssh-ed25519 "+
		ssh.FingerprintSHA256(s.HostKey()), "add the line", s.KnownHostsLine())
	// What the message says helps, without a restart.
	line := []byte(s.KnownHostsLine() + "\n")
	if err := os.WriteFile(s.KnownHosts, line, 0o600); err != nil {
		t.Fatal(err)
	}
	image(t, s, "image", 4096)
	if _, err := transport.Check(t.Context(), "sftp://"+s.Address+"/image"); err != nil {
		t.Error(err)
	}
}

func TestWrongCredentialsAreDenied(t *testing.T) {
	s := sshdtest.Start(t)
	other := filepath.Join(t.TempDir(), "other")
	sshdtest.WriteKey(t, other)
	tests := []struct {
		name  string
		alter func(*sftp.Server)
		word  string
	}{
		{"wrong key", func(c *sftp.Server) { c.KeyFile = other }, "does not let"},
		{"missing key", func(c *sftp.Server) { c.KeyFile = other + "x" }, "no such file"},
		{"no key", func(c *sftp.Server) { c.KeyFile = "" }, "neither a key nor a password"},
		{"garbage as key", func(c *sftp.Server) { c.KeyFile = s.KnownHosts }, "of no use"},
		{"wrong password", func(c *sftp.Server) { c.KeyFile, c.PasswordFile = "", other },
			"does not let"},
		{"no known hosts", func(c *sftp.Server) { c.KnownHostsFile = other + "y" }, "known hosts"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			transport := open(t, s, func(o *sftp.Options) { test.alter(&o.Servers[0]) })
			_, err := transport.Check(t.Context(), "sftp://"+s.Address+"/image")
			refusal(t, err, workspace.Denied, test.word)
		})
	}
}

func TestLocationsOfOtherServersAreRefused(t *testing.T) {
	transport := sftp.New(sftp.Options{Servers: []sftp.Server{
		{Address: "images.example", User: "images"}}})
	tests := []struct {
		location string
		kind     workspace.Kind
	}{
		{"sftp://elsewhere.example/image", workspace.Denied},
		{"sftp://images.example:2222/image", workspace.Denied},
		{"sftp://root@images.example/image", workspace.Denied},
		{"sftp:///image", workspace.Denied},
		{"sftp://images:secret@images.example/image", workspace.Invalid},
		{"file://image", workspace.Invalid},
		{"image", workspace.Invalid},
		{"sftp://images.example", workspace.Invalid},
	}
	for _, test := range tests {
		_, err := transport.Check(t.Context(), test.location)
		if workspace.KindOf(err) != test.kind {
			t.Errorf("%s: %v, expected kind %s", test.location, err, test.kind)
		}
	}
}

func TestUnreachableServerIsUnavailable(t *testing.T) {
	s := sshdtest.Start(t)
	image(t, s, "image", 4096)
	transport := open(t, s, nil)
	location := "sftp://" + s.Address + "/image"
	if _, err := transport.Check(t.Context(), location); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	_, err := transport.Check(t.Context(), location)
	refusal(t, err, workspace.Unavailable, s.Address)
	s.Restart()
	if _, err := transport.Check(t.Context(), location); err != nil {
		t.Error(err)
	}
}

// TestServerKilledInTheMiddle kills the server during a Fetch and a Deliver,
// which must go on where they stopped when it is back.
func TestServerKilledInTheMiddle(t *testing.T) {
	s := sshdtest.Start(t)
	data := image(t, s, "image", 48<<20)
	transport := open(t, s, nil)
	target := filepath.Join(t.TempDir(), "disk")
	twice(t, s, func(report workspace.Progress) error {
		_, err := transport.Fetch(t.Context(), workspace.Fetch{
			Location: "sftp://" + s.Address + "/image", Path: target, Progress: report})
		return err
	})
	same(t, target, data)
	twice(t, s, func(report workspace.Progress) error {
		_, err := transport.Deliver(t.Context(), workspace.Deliver{
			Location: "sftp://" + s.Address + "/saved", Path: target, Progress: report})
		return err
	})
	same(t, filepath.Join(s.Root, "saved"), data)
}

// twice makes a transfer during which the server dies, and then again.
func twice(t *testing.T, s *sshdtest.Server, transfer func(workspace.Progress) error) {
	t.Helper()
	killed := false
	err := transfer(func(done, _ int64) {
		if !killed && done > 24<<20 {
			killed = true
			s.Stop()
		}
	})
	refusal(t, err, workspace.Unavailable)
	s.Restart()
	began := int64(-1)
	err = transfer(func(done, _ int64) {
		if began < 0 {
			began = done
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if began < 1<<20 {
		t.Errorf("it began anew, at %d", began)
	}
}

func same(t *testing.T, path string, data []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Fatalf("%s holds other bytes", path)
	}
}

// stall stops the server once a transfer is under way.
func stall(s *sshdtest.Server) workspace.Progress {
	stopped := false
	return func(done, _ int64) {
		if !stopped && done > 8<<20 {
			stopped = true
			s.Signal(syscall.SIGSTOP)
		}
	}
}

func TestStalledServerIsUnavailable(t *testing.T) {
	s := sshdtest.Start(t)
	image(t, s, "image", 96<<20)
	transport := open(t, s, func(o *sftp.Options) { o.StallTimeout = 500 * time.Millisecond })
	_, err := transport.Fetch(t.Context(), workspace.Fetch{
		Location: "sftp://" + s.Address + "/image", Path: filepath.Join(t.TempDir(), "disk"),
		Progress: stall(s)})
	refusal(t, err, workspace.Unavailable, "silent for 500ms")
	s.Signal(syscall.SIGCONT)
}

func TestCancelEndsAStalledTransferAtOnce(t *testing.T) {
	s := sshdtest.Start(t)
	image(t, s, "image", 96<<20)
	transport := open(t, s, func(o *sftp.Options) { o.StallTimeout = time.Hour })
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := stall(s)
	_, err := transport.Fetch(ctx, workspace.Fetch{
		Location: "sftp://" + s.Address + "/image", Path: filepath.Join(t.TempDir(), "disk"),
		Progress: func(done, total int64) {
			stop(done, total)
			if done > 8<<20 {
				cancel(nil)
			}
		}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, expected the context's", err)
	}
	s.Signal(syscall.SIGCONT)
}

func TestSilentServerIsUnavailable(t *testing.T) {
	s := sshdtest.Start(t)
	transport := open(t, s, func(o *sftp.Options) { o.DialTimeout = 300 * time.Millisecond })
	s.Signal(syscall.SIGSTOP)
	_, err := transport.Check(t.Context(), "sftp://"+s.Address+"/image")
	s.Signal(syscall.SIGCONT)
	refusal(t, err, workspace.Unavailable, s.Address)
}

func TestManyTransfersShareFewConnections(t *testing.T) {
	s := sshdtest.Start(t)
	data := image(t, s, "image", 300<<10)
	transport := open(t, s, func(o *sftp.Options) { o.Connections = 2 })
	dir := t.TempDir()
	results := make(chan error)
	const transfers = 12
	for i := range transfers {
		go func() {
			_, err := transport.Fetch(t.Context(), workspace.Fetch{
				Location: "sftp://" + s.Address + "/image",
				Path:     filepath.Join(dir, string(rune('a'+i)))})
			results <- err
		}()
	}
	for range transfers {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	same(t, filepath.Join(dir, "a"), data)
	s.Stop()
	if n := strings.Count(s.Log(), "Accepted publickey"); n < 1 || n > 2 {
		t.Errorf("%d connections were made, at most 2 allowed", n)
	}
}

// TestLargeImagesTakeASecondConnection where one is to be had, both ways.
func TestLargeImagesTakeASecondConnection(t *testing.T) {
	for allowed, expected := range map[int]int{1: 1, 2: 2, 4: 2} {
		s := sshdtest.Start(t)
		data := image(t, s, "image", 40<<20+7)
		transport := open(t, s, func(o *sftp.Options) { o.Connections = allowed })
		target := filepath.Join(t.TempDir(), "disk")
		f := workspace.Fetch{Location: "sftp://" + s.Address + "/image", Path: target}
		if _, err := transport.Fetch(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		d := workspace.Deliver{Location: "sftp://" + s.Address + "/saved", Path: target}
		if _, err := transport.Deliver(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		same(t, target, data)
		same(t, filepath.Join(s.Root, "saved"), data)
		s.Stop()
		if n := strings.Count(s.Log(), "Accepted publickey"); n != expected {
			t.Errorf("%d connections were made of %d, expected %d", n, allowed, expected)
		}
	}
}
