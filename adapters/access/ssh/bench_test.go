package ssh_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/ssh"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func benched(b *testing.B) (*ssh.Access, *sshdtest.Server) {
	s := sshdtest.Start(b)
	a := ssh.New(ssh.Options{Server: login.Server{Address: s.Address, User: s.User,
		KeyFile: s.KeyFile, KnownHostsFile: s.KnownHosts}})
	b.Cleanup(func() { a.Close() })
	return a, s
}

// BenchmarkStat asks the running shell; beside it, what a program of its own costs.
func BenchmarkStat(b *testing.B) {
	a, s := benched(b)
	for b.Loop() {
		if _, err := a.Stat(b.Context(), s.Root); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	if err := a.Run(b.Context(), workspace.Command{Args: []string{"true"}}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(time.Since(began).Microseconds()), "µs/run")
}

// BenchmarkClone makes disks of an image of 10 GiB, nearly all of it a hole.
func BenchmarkClone(b *testing.B) {
	a, s := benched(b)
	image, disk := filepath.Join(s.Root, "image"), filepath.Join(s.Root, "disk")
	if err := a.Blank(b.Context(), image, 10<<30); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := a.Clone(b.Context(), image, "raw", disk); err != nil {
			b.Fatal(err)
		}
		if err := os.Remove(disk); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPutSparse puts an image of 1 GiB with 1 MiB of data.
func BenchmarkPutSparse(b *testing.B) {
	a, s := benched(b)
	from, to := filepath.Join(s.Root, "image"), filepath.Join(s.Root, "disk")
	if err := os.WriteFile(from, random(1<<20), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Truncate(from, 1<<30); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := a.Put(b.Context(), from, to, nil); err != nil {
			b.Fatal(err)
		}
		if err := os.Remove(to); err != nil {
			b.Fatal(err)
		}
	}
}
