package file_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// BenchmarkFetchTiny fetches images of 4 KiB, as a simulated deployment does.
// What counts is the CPU time of user and kernel, beside that of creating
// and closing an empty file, the least that any way of doing it costs.
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
	spent := cpuOf(b, host, func(target string) error {
		_, err := t.Fetch(b.Context(), workspace.Fetch{Location: "file://tiny", Path: target})
		return err
	})
	bare := cpuOf(b, host, func(target string) error {
		return os.WriteFile(target, nil, 0o600)
	})
	b.ReportMetric(spent, "cpu-µs/fetch")
	b.ReportMetric(bare, "cpu-µs/bare-create")
}

// cpuOf returns the microseconds of CPU that make takes for a file, without
// the removal of what it made.
func cpuOf(b *testing.B, dir string, make func(target string) error) float64 {
	const batch = 1000
	var spent float64
	for done := 0; done < b.N; done += batch {
		before := cpuMicros(b)
		for i := range min(batch, b.N-done) {
			if err := make(filepath.Join(dir, strconv.Itoa(i))); err != nil {
				b.Fatal(err)
			}
		}
		spent += cpuMicros(b) - before
		for i := range min(batch, b.N-done) {
			os.Remove(filepath.Join(dir, strconv.Itoa(i)))
		}
	}
	return spent / float64(b.N)
}

func cpuMicros(b *testing.B) float64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
}
