package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// BenchmarkFetchTiny fetches an image of 4 KiB and removes it again, which is
// what a simulated deployment does. Its CPU time counts, of user and kernel;
// cpu-µs/removal tells how much of it is the removal alone.
func BenchmarkFetchTiny(b *testing.B) {
	repository, host := b.TempDir(), b.TempDir()
	image := filepath.Join(repository, "tiny")
	if err := os.WriteFile(image, []byte{4095: 'x'}, 0o600); err != nil {
		b.Fatal(err)
	}
	t, err := file.Open(repository)
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	target := filepath.Join(host, "disk")
	f := workspace.Fetch{Location: "file://tiny", Path: target}
	before := cpuMicros(b)
	for b.Loop() {
		if _, err := t.Fetch(b.Context(), f); err != nil {
			b.Fatal(err)
		}
		if err := os.Remove(target); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpuMicros(b)-before)/float64(b.N), "cpu-µs/op")
	removals := b.N
	before = cpuMicros(b)
	for range removals {
		if err := os.WriteFile(target, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		os.Remove(target)
	}
	b.ReportMetric((cpuMicros(b)-before)/float64(removals), "cpu-µs/bare-create-remove")
}

func cpuMicros(b *testing.B) float64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
}
