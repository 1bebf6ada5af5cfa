package ssh_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/ssh"
	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
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
	var took []float64
	for b.Loop() {
		for range 9 {
			began := time.Now()
			if _, err := a.Clone(b.Context(), image, "raw", disk); err != nil {
				b.Fatal(err)
			}
			took = append(took, float64(time.Since(began).Microseconds())/1000)
			if err := os.Remove(disk); err != nil {
				b.Fatal(err)
			}
		}
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "clone-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPutSparse puts an image of 1 GiB with 1 MiB of data.
func BenchmarkPutSparse(b *testing.B) {
	a, s := benched(b)
	from, to := filepath.Join(s.Root, "image"), filepath.Join(s.Root, "disk")
	if err := os.WriteFile(from, imagetest.Random(1<<20, 7), 0o600); err != nil {
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

// BenchmarkSparse puts and gets an image of 8 GiB of which 64 MiB are data, in
// pieces, and, taking turns, a dense one of 64 MiB: both are to take as long.
func BenchmarkSparse(b *testing.B) {
	const stretch, stretches = 8 << 20, 8
	a, s := benched(b)
	dense, holed := filepath.Join(s.Root, "dense"), filepath.Join(s.Root, "holed")
	data := imagetest.Random(stretch*stretches, 7)
	f, err := os.Create(holed)
	if err == nil {
		err = errors.Join(os.WriteFile(dense, data, 0o600), f.Truncate(8<<30))
	}
	for i := range stretches {
		_, werr := f.WriteAt(data[i*stretch:][:stretch], int64(i)<<30)
		err = errors.Join(err, werr)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		b.Fatal(err)
	}
	ways := map[string]func(context.Context, string, string, workspace.Progress) error{
		"put": a.Put, "get": a.Get}
	for name, move := range ways {
		b.Run(name, func(b *testing.B) {
			took := func(from string) float64 {
				to := filepath.Join(b.TempDir(), "disk")
				began := time.Now()
				if err := move(b.Context(), from, to, nil); err != nil {
					b.Fatal(err)
				}
				return float64(time.Since(began).Microseconds()) / 1000
			}
			var ours, theirs []float64
			for b.Loop() {
				for range 5 {
					ours, theirs = append(ours, took(holed)), append(theirs, took(dense))
				}
			}
			slices.Sort(ours)
			slices.Sort(theirs)
			b.ReportMetric(ours[len(ours)/2], "sparse-ms")
			b.ReportMetric(theirs[len(theirs)/2], "dense-ms")
			b.ReportMetric(ours[len(ours)/2]/theirs[len(theirs)/2], "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}
