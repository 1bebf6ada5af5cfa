package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// manyHosts is a configuration with a pool in which 200 machines have room, and so
// many tasks at a time.
const manyHosts = `
[listen]
caller = "/O=Philoxenia/OU=Bench/CN=Guest"

[site]
accepts = { Xen = ["KVM"] }
concurrency = %d

[[host]]
id = "node"
adapter = "sim"
vmm = "KVM"
cpus = 64
memory_mb = 65536
count = 8

[[network]]
name = "public"
first = "10.1.0.10"
last = "10.1.3.250"
netmask = "255.255.0.0"
gateway = "10.1.0.1"
broadcast = "10.1.255.255"
mac_prefix = "52:54:00"
`

// slowStart is how long each machine takes to start.
const slowStart = 500 * time.Millisecond

// BenchmarkManyAtOnce brings 200 workspaces to Running at once. With so many tasks
// at a time it can take so many rounds of starts, and hardly more.
func BenchmarkManyAtOnce(b *testing.B) {
	const machines = 200
	for b.Loop() {
		for _, concurrency := range []int{50, machines} {
			c := manyOver(b, concurrency)
			keys := make([]string, machines)
			took := milliseconds(func() {
				for i := range keys {
					keys[i] = order(b, c)
				}
				for _, key := range keys {
					awaitState(b, c, key, "Running")
				}
			})
			c.Close()
			least := float64(machines/concurrency) * float64(slowStart.Milliseconds())
			b.ReportMetric(took, fmt.Sprintf("by-%d-ms", concurrency))
			b.ReportMetric(took/least, fmt.Sprintf("by-%d-ratio", concurrency))
		}
	}
}

// manyOver starts a daemon over simulated hosts and returns a caller of it.
func manyOver(b *testing.B, concurrency int) *daemon.Caller {
	dir := b.TempDir()
	script := fmt.Sprintf("* start delay=%s\n", slowStart)
	for _, err := range []error{
		os.WriteFile(filepath.Join(dir, "workspaced.toml"),
			fmt.Appendf(nil, manyHosts, concurrency), 0o644),
		os.WriteFile(filepath.Join(dir, "script"), []byte(script), 0o644),
		os.MkdirAll(filepath.Join(dir, "data", "images"), 0o755),
		os.WriteFile(filepath.Join(dir, "data", "images", "ttylinux-xen"),
			make([]byte, 1<<20), 0o644),
		daemon.Build(dir),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	p, err := daemon.Start(b.Context(), daemon.Options{Bin: dir, Log: os.Stderr,
		Data: filepath.Join(dir, "data"), Config: filepath.Join(dir, "workspaced.toml"),
		Args: []string{"--log-level", "WARN", "--sim-script", filepath.Join(dir, "script")}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Kill)
	return daemon.NewCaller(p.Addr())
}

// order creates a workspace and does not wait for it.
func order(b *testing.B, c *daemon.Caller) string {
	status, reply, err := c.Send(daemon.Create, daemon.Values{})
	keys := daemon.Keys(reply)
	if err != nil || status != http.StatusOK || len(keys) != 1 {
		b.Fatalf("create: status %d, %v\n%s", status, err, reply)
	}
	return keys[0]
}
