package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/report"
)

// Every key that a configured host may have is one of a host that is added, by the
// table of keys in the documentation, which is made from the configuration's types.
func TestHostFilesHaveEveryKey(t *testing.T) {
	docs, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile("(?m)^\\| `host\\[\\]\\.([a-z0-9_.\\[\\]]+)` \\| ([a-z ]+) \\|").
		FindAllStringSubmatch(string(docs), -1)
	if len(lines) < 35 {
		t.Fatalf("the documentation has %d keys of hosts", len(lines))
	}
	values := map[string]string{
		"text": `"x"`, "number": "1", "true or false": "true", "list of text": `["x"]`,
		"table of text": `{ x = "y" }`, "time": "2031-01-04T00:00:00Z",
	}
	for _, line := range lines {
		key, value := line[1], values[line[2]]
		if value == "" {
			t.Errorf("%s is %s", key, line[2])
		}
		document := fmt.Sprintf("%s = %s\n", key, value)
		if table, last, ok := strings.Cut(key, "[]."); ok {
			document = fmt.Sprintf("[[%s]]\n%s = %s\n", table, last, value)
		}
		if _, err := decodeHost([]byte(document)); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// Options go before what is in the file.
func TestHostOptionsGoBeforeTheFile(t *testing.T) {
	path := t.TempDir() + "/h.toml"
	text := `
uri = "qemu+ssh://h/system"
cpus = 4
networks = { a = "bridge:x", b = "bridge:y" }
[ssh]
address = "h:22"
user = "u"
key_file = "k"
known_hosts = "o"
peer = "p:22"
[tls]
ca_file = "ca"
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := hostFlags{File: path, CPUs: 2, NetIn: "1G", Net: []string{"b=bridge:z", "c=bridge:c"},
		SSHUser: "w", SSHPeer: "q:22", Drained: true, DiskMBps: 5, Peer: "qemu+tls://h/system"}
	got, err := flags.spec("cannot add", "name")
	want := report.HostSpec{
		Name: "name", URI: "qemu+ssh://h/system", DiskMBps: 5, Peer: "qemu+tls://h/system",
		Capacity: report.Capacity{CPUs: 2, NetInKbps: 1_000_000},
		Networks: []report.HostNetwork{{Association: "a", Target: "bridge:x"},
			{Association: "b", Target: "bridge:z"}, {Association: "c", Target: "bridge:c"}},
		SSH: &report.HostSSH{Address: "h:22", User: "w", KeyFile: "k", KnownHosts: "o",
			Peer: "q:22"},
		TLS: &report.HostTLS{CAFile: "ca"}, Mode: &report.Mode{Drained: true},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("spec: %v (-want +got):\n%s", err, diff)
	}
}
