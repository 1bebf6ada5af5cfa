package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shown is two workspaces with everything and with as little as can be.
func shown(now time.Time) []workspaceView {
	start, shutdown, termination := now.Add(-time.Hour), now.Add(time.Hour), now.Add(2*time.Hour)
	return []workspaceView{
		{
			Key: "7", Service: "http://h/wsrf/services/WorkspaceService", State: "Running",
			Start: &start, DurationSeconds: 7200, Shutdown: &shutdown, Termination: &termination,
			MemoryMB: 2048, CPUs: 2, Architecture: "x86_64",
			NICs: []nicView{
				{
					Name: "eth0", Association: "public", MAC: "A2:AA:BB:00:00:01", IP: "10.0.0.7",
					Hostname: "näh-7", Netmask: "255.0.0.0", Gateway: "10.0.0.1",
				},
				{
					Name: "eth1", Association: "private", MAC: "A2:AA:BB:00:00:02",
					IP: "192.168.0.7",
				},
			},
		},
		{
			Key: "12", Service: "http://h/", State: "Corrupted", Fault: "disk full",
			NICs: []nicView{},
		},
	}
}

func TestViews(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	tests := []struct {
		file string
		view view
		p    printer
	}{
		{"list.table", listView(shown(now)), printer{form: "table", headers: true}},
		{"list.bare", listView(shown(now)), printer{form: "table"}},
		{"list.wide", listView(shown(now)), printer{form: "wide", headers: true}},
		{"list.color", listView(shown(now)), printer{form: "table", headers: true, colors: true}},
		{"list.json", listView(shown(now)), printer{form: "json"}},
		{"list.yaml", listView(shown(now)), printer{form: "yaml"}},
		{"list.name", listView(shown(now)), printer{form: "name"}},
		{"empty.table", listView{}, printer{form: "table", headers: true}},
		{"empty.json", listView{}, printer{form: "json"}},
		{"empty.yaml", listView{}, printer{form: "yaml"}},
		{"status.table", detailView(shown(now)), printer{form: "table"}},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			var b bytes.Buffer
			test.p.out, test.p.now = &b, now
			if err := test.p.print(test.view); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "view", test.file), b.Bytes())
		})
	}
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestPalette(t *testing.T) {
	tests := []struct {
		name, when string
		tty        bool
		env        map[string]string
		want       palette
	}{
		{"a terminal", "auto", true, nil, true},
		{"no terminal", "auto", false, nil, false},
		{"asked for", "always", false, map[string]string{"NO_COLOR": "1"}, true},
		{"unwanted", "never", true, nil, false},
		{"NO_COLOR", "auto", true, map[string]string{"NO_COLOR": "1"}, false},
		{"CLICOLOR_FORCE", "auto", false, map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{"a dumb terminal", "auto", true, map[string]string{"TERM": "dumb"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, key := range []string{"NO_COLOR", "CLICOLOR_FORCE"} {
				t.Setenv(key, "")
			}
			t.Setenv("TERM", "xterm")
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			if got := newPalette(test.when, test.tty); got != test.want {
				t.Errorf("colour: %t", got)
			}
		})
	}
}

func TestNearestWord(t *testing.T) {
	for word, want := range map[string]string{
		"servce": "service", "time-out": "timeout", "colour": "color", "pol": "poll",
	} {
		if got := nearest(word, settingKeys()); got != want {
			t.Errorf("%q: %q, expected %q", word, got, want)
		}
	}
}

func TestMemberFiles(t *testing.T) {
	for key, want := range map[string]string{
		"8": "g.epr-008.epr", "123": "g.epr-123.epr", "1234": "g.epr-1234.epr",
	} {
		if got := memberFile("g.epr", key); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}

func TestActivityIsDrawnAndRemoved(t *testing.T) {
	var b bytes.Buffer
	l := startActivity(&b, "waiting for Running", time.Minute)
	l.draw("|")
	l.say("waiting for Paused")
	l.stop()
	if !bytes.Contains(b.Bytes(), []byte("| waiting for Running, 0s elapsed, 1m left")) ||
		!bytes.HasSuffix(b.Bytes(), []byte("\r\x1b[K")) {
		t.Errorf("drawn %q", b.String())
	}
}

// A row that a terminal has no room for is cut with a mark, of whole characters.
func TestTableIsCutToTheTerminal(t *testing.T) {
	for columns, want := range map[int]string{
		0: "A  B\nä  a long reason\n", 8: "A  B\nä  a lo…\n", 99: "A  B\nä  a long reason\n",
	} {
		cut := table{headers: []string{"A", "B"}, columns: columns}
		cut.add("ä", "a long reason")
		var b strings.Builder
		if err := cut.write(&b, true); err != nil || b.String() != want {
			t.Errorf("%d columns: %q, %v, want %q", columns, b.String(), err, want)
		}
	}
}
