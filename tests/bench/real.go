package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// The figures that need sshd and libvirtd come from benchmarks that start
// their own; each is a median of its own rounds, with both sides taking turns.
var realFigures = map[string][]struct {
	metric string
	goal   goal
}{
	"BenchmarkDeployOnLibvirt": {
		{"virsh-ms", goal{"virsh create, a tiny guest", "ms", 0, false}},
		{"ours-ms", goal{"create to Running of the same", "ms", 0, false}},
		{"overhead-ms", goal{"our overhead over virsh create", "ms", 50, false}},
	},
	"BenchmarkLifeCycle/test": {
		{"bare-ms", goal{"define, start, destroy by bare calls, test driver", "ms", 0, false}},
		{"ours-ms", goal{"by the adapter, test driver", "ms", 0, false}},
		{"ratio", goal{"adapter/bare calls, test driver, by pairs", "", 1.05, false}},
		{"pairs", goal{"pairs of them", "", 0, true}},
	},
	"BenchmarkLifeCycle/qemu": {
		{"bare-ms", goal{"define, start, destroy by bare calls, QEMU", "ms", 0, false}},
		{"ours-ms", goal{"define, start, destroy by the adapter, QEMU", "ms", 0, false}},
		{"ratio", goal{"adapter/bare calls, QEMU, by pairs", "", 1.05, false}},
		{"pairs", goal{"pairs of them on QEMU", "", 0, true}},
	},
	"BenchmarkMeasure": {
		{"each-ms", goal{"500 machines polled one by one", "ms", 0, false}},
		{"ours-ms", goal{"500 machines polled in one call", "ms", 0, false}},
		{"ratio", goal{"one by one/in one call", "", 10, true}},
	},
	"BenchmarkManyAtOnce": {
		{"by-50-ms", goal{"200 to Running, 50 tasks at a time", "ms", 0, false}},
		{"by-50-ratio", goal{"of what 4 rounds of starts take", "", 2, false}},
		{"by-200-ms", goal{"200 to Running, 200 tasks at a time", "ms", 0, false}},
		{"by-200-ratio", goal{"of what one start takes", "", 3, false}},
	},
	"BenchmarkLiveMigration": {
		{"virsh-ms", goal{"live migration under load by virsh", "ms", 0, false}},
		{"ours-ms", goal{"live migration under load by the adapter", "ms", 0, false}},
		{"virsh-still-ms", goal{"the guest stands still, by virsh", "ms", 0, false}},
		{"ours-still-ms", goal{"the guest stands still, by the adapter", "ms", 0, false}},
		{"ratio", goal{"live migration, adapter/virsh, by pairs", "", 1.5, false}},
		{"pairs", goal{"pairs of live migrations", "", 0, true}},
	},
	"BenchmarkAgainstSCP/fetch": {
		{"scp-MiB/s", goal{"scp from a repository", "MiB/s", 0, true}},
		{"ours-MiB/s", goal{"sftp from a repository", "MiB/s", 0, true}},
		{"ratio", goal{"sftp/scp from a repository, by pairs", "", 1.5, true}},
		{"pairs", goal{"pairs from a repository", "", 0, true}},
		{"CPU-ratio", goal{"CPU of scp/sftp from a repository, both ends", "", 0, true}},
		{"ours-CPU-s/GiB", goal{"CPU of sftp from a repository, our end", "s/GiB", 0, false}},
		{"ours-sshd-CPU-s/GiB", goal{"CPU of sftp from a repository, sshd", "s/GiB", 0, false}},
		{"scp-CPU-s/GiB", goal{"CPU of scp from a repository, its end", "s/GiB", 0, false}},
		{"scp-sshd-CPU-s/GiB", goal{"CPU of scp from a repository, sshd", "s/GiB", 0, false}},
		{"stream-MiB/s", goal{"ssh with our cipher from a repository", "MiB/s", 0, true}},
		{"of-stream", goal{"sftp/ssh with our cipher from a repository", "", 0.8, true}},
		{"cipher-MiB/s", goal{"AES-128-GCM in memory, 1 core (fetch)", "MiB/s", 0, true}},
		{"of-cipher", goal{"sftp/AES-128-GCM in memory (fetch)", "", 0, true}},
	},
	"BenchmarkAgainstSCP/deliver": {
		{"scp-MiB/s", goal{"scp to a repository", "MiB/s", 0, true}},
		{"ours-MiB/s", goal{"sftp to a repository", "MiB/s", 0, true}},
		{"ratio", goal{"sftp/scp to a repository, by pairs", "", 1.5, true}},
		{"pairs", goal{"pairs to a repository", "", 0, true}},
		{"CPU-ratio", goal{"CPU of scp/sftp to a repository, both ends", "", 0, true}},
		{"ours-CPU-s/GiB", goal{"CPU of sftp to a repository, our end", "s/GiB", 0, false}},
		{"ours-sshd-CPU-s/GiB", goal{"CPU of sftp to a repository, sshd", "s/GiB", 0, false}},
		{"scp-CPU-s/GiB", goal{"CPU of scp to a repository, its end", "s/GiB", 0, false}},
		{"scp-sshd-CPU-s/GiB", goal{"CPU of scp to a repository, sshd", "s/GiB", 0, false}},
		{"stream-MiB/s", goal{"ssh with our cipher to a repository", "MiB/s", 0, true}},
		{"of-stream", goal{"sftp/ssh with our cipher to a repository", "", 0.8, true}},
		{"cipher-MiB/s", goal{"AES-128-GCM in memory, 1 core (deliver)", "MiB/s", 0, true}},
		{"of-cipher", goal{"sftp/AES-128-GCM in memory (deliver)", "", 0, true}},
	},
	"BenchmarkSparse/put": {
		{"sparse-ms", goal{"64 MiB of data in 8 GiB to a host", "ms", 0, false}},
		{"ratio", goal{"64 MiB of data in 8 GiB to a host/dense", "", 1.5, false}},
	},
	"BenchmarkSparse/get": {
		{"sparse-ms", goal{"64 MiB of data in 8 GiB from a host", "ms", 0, false}},
		{"ratio", goal{"64 MiB of data in 8 GiB from a host/dense", "", 1.5, false}},
	},
	"BenchmarkClone": {
		{"clone-ms", goal{"disk of an image of 10 GiB over SSH", "ms", 100, false}},
	},
	"BenchmarkOneImageToEightHosts": {
		{"one-s", goal{"an image over a capped link to one host", "s", 0, false}},
		{"eight-s", goal{"the same image to eight hosts", "s", 0, false}},
		{"eight/one", goal{"eight hosts/one host", "", 1.5, false}},
		{"images-over-link", goal{"times that it passed the link", "", 1.1, false}},
	},
	"BenchmarkCachedClone/16MB": {
		{"clone-ms", goal{"disk of a cached image of 16 MB", "ms", 100, false}},
	},
	"BenchmarkCachedClone/1024MB": {
		{"clone-ms", goal{"disk of a cached image of 1 GB", "ms", 100, false}},
	},
}

// The benchmarks of each scene, and the packages that they are in.
const module = "github.com/philoxenia/philoxenia/"

var (
	realScene = []string{"DeployOnLibvirt|LifeCycle|LiveMigration|Measure|ManyAtOnce|EightHosts|CachedClone",
		module + "tests/bench", module + "adapters/deployment/libvirt"}
	transferScene = []string{"AgainstSCP|Sparse|BenchmarkClone",
		module + "adapters/transport/sftp", module + "adapters/access/ssh"}
)

// realParts runs the benchmarks of a scene and enters their figures.
func realParts(ctx context.Context, t *table, scene []string) error {
	args := []string{"test", "-p", "1", "-run", "^$", "-bench", scene[0], "-benchtime", "1x",
		"-tags", "sqlite_omit_load_extension"}
	cmd := exec.CommandContext(ctx, "go", append(args, scene[1:]...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot measure with real parts: %w\n%s", err, out)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		t.enter(strings.Fields(lines.Text()))
	}
	return lines.Err()
}

// enter takes the words of a benchmark's line: NAME-CPUS ROUNDS {VALUE UNIT}. Beside a
// median UNIT there may be the ends UNIT-min and UNIT-max.
func (t *table) enter(words []string) {
	if len(words) < 2 {
		return
	}
	name := words[0]
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i]
	}
	for _, f := range realFigures[name] {
		for i := 3; i < len(words); i += 2 {
			unit := strings.TrimSuffix(strings.TrimSuffix(words[i], "-min"), "-max")
			if v, err := strconv.ParseFloat(words[i-1], 64); err == nil && unit == f.metric {
				t.add(f.goal, v)
			}
		}
	}
}
