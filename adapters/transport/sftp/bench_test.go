package sftp_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const benchBytes = 256 << 20

// rounds is how often each way is tried; the ways take turns, so that what
// else the machine does hits them alike.
const rounds = 5

// BenchmarkAgainstSCP moves the same image with this transport and with scp, as
// it comes (sftp protocol, its own choice of cipher), both ways.
func BenchmarkAgainstSCP(b *testing.B) {
	s := sshdtest.Start(b)
	o := sftp.Options{Servers: []sftp.Server{configured(s, s.Root)}}
	transport := sftp.New(o)
	defer transport.Close()
	host := b.TempDir()
	mine, theirs := filepath.Join(host, "mine"), filepath.Join(host, "theirs")
	there := filepath.Join(s.Root, "image")
	random(b, there)
	remote := "sftp://" + s.Address + "/"
	fetch := func() error {
		_, err := transport.Fetch(b.Context(),
			workspace.Fetch{Location: remote + "image", Path: mine})
		return err
	}
	b.Run("fetch", func(b *testing.B) {
		compare(b, fetch, func() error { return scp(s, s.User+"@"+host1+":"+there, theirs) },
			mine, theirs)
	})
	if err := fetch(); err != nil {
		b.Fatal(err)
	}
	deliver := func() error {
		_, err := transport.Deliver(b.Context(),
			workspace.Deliver{Location: remote + "saved", Path: mine})
		return err
	}
	copied := filepath.Join(s.Root, "copied")
	b.Run("deliver", func(b *testing.B) {
		compare(b, deliver, func() error { return scp(s, mine, s.User+"@"+host1+":"+copied) },
			filepath.Join(s.Root, "saved"), copied)
	})
}

const host1 = "127.0.0.1"

func random(b *testing.B, path string) {
	b.Helper()
	out, err := exec.Command("dd", "if=/dev/urandom", "of="+path, "bs=1M", "count=256",
		"status=none").CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

func scp(s *sshdtest.Server, from, to string) error {
	port := s.Address[strings.LastIndex(s.Address, ":")+1:]
	return exec.Command("scp", "-q", "-F", "/dev/null", "-i", s.KeyFile, "-P", port,
		"-o", "UserKnownHostsFile="+s.KnownHosts, "-o", "BatchMode=yes", from, to).Run()
}

// compare reports the medians of both ways in MiB/s, and their ratio.
func compare(b *testing.B, ours, theirs func() error, made ...string) {
	var our, their []float64
	for b.Loop() {
		for range rounds {
			for _, path := range made {
				os.Remove(path)
				os.Remove(path + ".sha256")
			}
			our = append(our, rate(b, ours))
			their = append(their, rate(b, theirs))
		}
	}
	slices.Sort(our)
	slices.Sort(their)
	o, t := our[len(our)/2], their[len(their)/2]
	b.ReportMetric(o, "ours-MiB/s")
	b.ReportMetric(t, "scp-MiB/s")
	b.ReportMetric(o/t, "ratio")
	b.ReportMetric(0, "ns/op")
}

func rate(b *testing.B, move func() error) float64 {
	b.Helper()
	began := time.Now()
	if err := move(); err != nil {
		b.Fatal(err)
	}
	return benchBytes / (1 << 20) / time.Since(began).Seconds()
}
