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
	"BenchmarkLifeCycle": {
		{"bare-ms", goal{"define, start, destroy by bare calls", "ms", 0, false}},
		{"ours-ms", goal{"define, start, destroy by the adapter", "ms", 0, false}},
		{"ratio", goal{"adapter/bare calls", "", 1.05, false}},
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
	"BenchmarkAgainstSCP/fetch": {
		{"scp-MiB/s", goal{"scp from a repository", "MiB/s", 0, true}},
		{"ours-MiB/s", goal{"sftp from a repository", "MiB/s", 0, true}},
		{"ratio", goal{"sftp/scp from a repository", "", 1, true}},
	},
	"BenchmarkAgainstSCP/deliver": {
		{"scp-MiB/s", goal{"scp to a repository", "MiB/s", 0, true}},
		{"ours-MiB/s", goal{"sftp to a repository", "MiB/s", 0, true}},
		{"ratio", goal{"sftp/scp to a repository", "", 1, true}},
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

// realParts runs those benchmarks and enters their figures.
func realParts(ctx context.Context, t *table) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench",
		"DeployOnLibvirt|AgainstSCP|LifeCycle|Measure|ManyAtOnce|EightHosts|CachedClone",
		"-benchtime", "1x", "-tags", "sqlite_omit_load_extension",
		"github.com/philoxenia/philoxenia/tests/bench",
		"github.com/philoxenia/philoxenia/adapters/deployment/libvirt",
		"github.com/philoxenia/philoxenia/adapters/transport/sftp")
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

// enter takes the words of a benchmark's line: NAME-CPUS ROUNDS {VALUE UNIT}.
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
			if v, err := strconv.ParseFloat(words[i-1], 64); err == nil && words[i] == f.metric {
				t.add(f.goal, v)
			}
		}
	}
}
