package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pool is the configuration of two small simulated hosts: data, images.
const pool = `
data = %q

[listen]
caller = "/O=Philoxenia/OU=Test/CN=Guest"

[site]
operators = ["/O=Philoxenia/OU=Test/CN=Guest"]
accepts = { Xen = ["KVM"], KVM = ["KVM"] }

[scheduler]
preemption = ["suspend"]
boot = "500ms"
shutdown = "200ms"
suspend_rate = 4096
resume_rate = 4096

[[host]]
id = "small"
adapter = "sim"
count = 2
cpus = 4
memory_mb = 4096

[[network]]
name = "public"
first = "10.9.1.1"
last = "10.9.1.99"
netmask = "255.255.255.0"
gateway = "10.9.1.254"
broadcast = "10.9.1.255"

[repository.file]
dir = %q
`

// lessor starts a daemon with the pool; commands find it and nothing else.
func lessor(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	images := filepath.Join(dir, "images")
	if err := os.Mkdir(images, 0o755); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(images, "ttylinux-xen")
	if err := os.WriteFile(image, []byte("an image"), 0o644); err != nil {
		t.Fatal(err)
	}
	return serve(t, dir, fmt.Sprintf(pool, filepath.Join(dir, "data"), images))
}

// workspace runs the command; it is to succeed.
func workspace(t *testing.T, args ...string) string {
	t.Helper()
	r := command(t, filepath.Join(bin, "workspace"), args...)
	if r.code != 0 {
		t.Fatalf("workspace %v: exit status %d\n%s\n%s", args, r.code, r.out, r.err)
	}
	return r.out
}

// read runs the command and reads what it prints as JSON.
func read[T any](t *testing.T, args ...string) (v T) {
	t.Helper()
	out := workspace(t, append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("workspace %v: %v\n%s", args, err, out)
	}
	return v
}

// deploy asks for a lease by options, with the example's metadata.
func deploy(args ...string) []string {
	return append([]string{
		"deploy", "../../examples/metadata.xml", "../../examples/request.xml",
	}, args...)
}

// A standing is what the command tells of a lease.
type standing struct {
	State string `json:"state"`
	Lease struct {
		Status string    `json:"status"`
		Start  time.Time `json:"start"`
		End    time.Time `json:"end"`
		Ran    float64   `json:"ranSeconds"`
		Hosts  []string  `json:"hosts"`
	} `json:"lease"`
}

// of tells how a lease stands.
func of(t *testing.T, key string) standing {
	t.Helper()
	return read[[]standing](t, "explain", key)[0]
}

// await waits until the lease stands so, and returns how long that took.
func await(t *testing.T, key string, so func(standing) bool) standing {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		s := of(t, key)
		if so(s) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("lease %s stands so: %+v", key, s)
		}
	}
}

func running(s standing) bool { return s.State == "Running" && s.Lease.Status == "active" }

// in returns a start so long from now, as the command takes it.
func in(d time.Duration) (time.Time, string) {
	at := time.Now().Add(d).UTC().Truncate(time.Second)
	return at, at.Format(time.RFC3339)
}

// key returns the number of the workspace that a command made.
func key(t *testing.T, args ...string) string {
	t.Helper()
	return strings.TrimSpace(workspace(t, append(deploy(args...), "-o", "name")...))
}

// TestReservationInterruptsAndIsKept is the life of two leases: work that can be
// interrupted fills the pool, a reservation that was asked about before takes a
// host of it at its start, and the work goes on, and has all its time.
func TestReservationInterruptsAndIsKept(t *testing.T) {
	lessor(t)
	work := key(t, "--preemptible", "--for", "12s", "--memory", "3G", "--cpus", "3", "--apart",
		"--nodes", "2")
	work, _, _ = strings.Cut(work, "\n")
	await(t, work, running)
	at, text := in(5 * time.Second)
	ask := []string{"--start", text, "--for", "2s", "--memory", "3G"}
	plan := read[struct {
		Status   string    `json:"status"`
		Start    time.Time `json:"start"`
		Preempts []string  `json:"preempts"`
	}](t, append(deploy(ask...), "--dry-run")...)
	if plan.Status != "accepted" || !plan.Start.Equal(at) || len(plan.Preempts) != 1 ||
		plan.Preempts[0] != work {
		t.Errorf("what would happen: %+v", plan)
	}
	if rows := strings.Fields(workspace(t, "list", "-o", "name")); len(rows) != 2 {
		t.Errorf("a question made workspaces: %v", rows)
	}
	reserved := key(t, ask...)
	if chart := workspace(t, "schedule", "--for", "20s"); !strings.Contains(chart, "suspended") ||
		!strings.Contains(chart, "promised") {
		t.Errorf("the chart does not show what is to come:\n%s", chart)
	}
	if s := await(t, reserved, running); s.Lease.Start.Sub(at).Abs() > time.Second {
		t.Errorf("the reservation runs at %v, asked for was %v", s.Lease.Start, at)
	}
	if s := of(t, work); s.Lease.Status != "suspended" || s.Lease.Ran <= 0 {
		t.Errorf("while the reservation runs the work stands so: %+v", s)
	}
	over := func(s standing) bool { return s.Lease.Status == "over" }
	if s := await(t, reserved, over); s.State != "Propagated" {
		t.Errorf("after its end the reservation is %s", s.State)
	}
	s := await(t, work, running)
	if all := s.Lease.End.Sub(s.Lease.Start).Seconds() + s.Lease.Ran; all < 11.9 || all > 12.1 {
		t.Errorf("of 12 s the work will have run %g: %+v", all, s)
	}
	if ended := await(t, work, over); ended.State != "Propagated" {
		t.Errorf("after its end the work is %s", ended.State)
	}
}

// TestPromisesOutliveTheDaemon kills the daemon between a promise and its time.
func TestPromisesOutliveTheDaemon(t *testing.T) {
	s := lessor(t)
	at, text := in(6 * time.Second)
	first := key(t, "--start", text, "--for", "20s", "--memory", "3G")
	_, late := in(time.Hour)
	second := key(t, "--start", late, "--for", "1h", "--nodes", "1", "--cpus", "4")
	queued := key(t, "--best-effort", "--for", "2h", "--memory", "4G")
	before := []standing{of(t, first), of(t, second)}
	s.again(t)
	for i, k := range []string{first, second} {
		now := of(t, k)
		if !now.Lease.Start.Equal(before[i].Lease.Start) ||
			!now.Lease.End.Equal(before[i].Lease.End) {
			t.Errorf("lease %s was %+v, is %+v", k, before[i], now)
		}
	}
	if s := await(t, first, running); s.Lease.Start.Sub(at).Abs() > time.Second {
		t.Errorf("the reservation runs at %v, asked for was %v", s.Lease.Start, at)
	}
	if s := of(t, queued); s.Lease.Status != "queued" && s.Lease.Status != "active" {
		t.Errorf("the lease in the queue is %s", s.Lease.Status)
	}
}

// TestOffersHold: a refusal leaves nothing, and what it offers is given.
func TestOffersHold(t *testing.T) {
	lessor(t)
	taken := key(t, "--for", "1h", "--memory", "3G", "--cpus", "2")
	await(t, taken, running)
	_, soon := in(5 * time.Second)
	r := command(t, filepath.Join(bin, "workspace"), deploy("--start", soon, "--for", "1h",
		"--nodes", "2", "--memory", "3G")...)
	if r.code == 0 || !strings.Contains(r.err, "instead") {
		t.Fatalf("exit status %d, words %q; want a refusal with offers", r.code, r.err)
	}
	if rows := strings.Fields(workspace(t, "list", "-o", "name")); len(rows) != 1 {
		t.Errorf("a refusal made workspaces: %v", rows)
	}
	hold(t, r.err, deploy())
	r = command(t, filepath.Join(bin, "workspace"), "resize", taken, "--memory", "64G")
	if r.code == 0 || !strings.Contains(r.err, "instead") {
		t.Fatalf("exit status %d, words %q; want a refusal with offers", r.code, r.err)
	}
	hold(t, r.err, []string{"resize", taken})
}

// hold asks for the first offer of a refusal by the options that it names.
func hold(t *testing.T, refusal string, args []string) {
	t.Helper()
	_, offers, _ := strings.Cut(refusal, "instead:\n")
	for line := range strings.Lines(offers) {
		if i := strings.Index(line, "--"); i > 0 {
			workspace(t, append(args, strings.Fields(line[i:])...)...)
			return
		}
	}
	t.Errorf("no offer is in\n%s", refusal)
}

// TestDrainedHostTakesNothing drains one host of two.
func TestDrainedHostTakesNothing(t *testing.T) {
	lessor(t)
	workspace(t, "host", "drain", "small-001", "--comment", "new disks")
	for range 2 {
		k := key(t, "--for", "1h", "--memory", "1G")
		if s := await(t, k, running); s.Lease.Hosts[0] != "small-002" {
			t.Errorf("lease %s is on %v", k, s.Lease.Hosts)
		}
	}
	workspace(t, "host", "undrain", "small-001")
	k := key(t, "--for", "1h", "--memory", "3G")
	if s := await(t, k, running); s.Lease.Hosts[0] != "small-001" {
		t.Errorf("lease %s is on %v", k, s.Lease.Hosts)
	}
}
