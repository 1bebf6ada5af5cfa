package main

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema/report"
)

// TestSocketView writes what noVNC puts its WebSocket's address together from.
func TestSocketView(t *testing.T) {
	for location, want := range map[string]string{
		"ws://127.0.0.1:8080/consoles/ABC":       "0 127.0.0.1 8080 consoles/ABC",
		"wss://vm.example.org/pool/consoles/ABC": "1 vm.example.org 443 pool/consoles/ABC",
		"ws://[2001:db8::1]/consoles/ABC":        "0 2001:db8::1 80 consoles/ABC",
	} {
		v, err := newSocket(&report.ConsolePass{Location: location, Password: "a&#+%='7",
			Until: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)})
		if err != nil || v.URL != location {
			t.Fatalf("%s: %+v, %v", location, v, err)
		}
		told, err := url.ParseQuery(strings.TrimPrefix(v.NoVNC, "#"))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join([]string{told.Get("encrypt"), told.Get("host"), told.Get("port"),
			told.Get("path")}, " ")
		if got != want || told.Get("password") != "a&#+%='7" || told.Get("autoconnect") != "1" {
			t.Errorf("%s: noVNC is told %q, want %q", location, v.NoVNC, want)
		}
		var text bytes.Buffer
		if err := v.write(&text, nil); err != nil || !strings.Contains(text.String(),
			"URL       "+location+"\nPassword  a&#+%='7\nUntil     2026-01-02T03:04:05Z\n") {
			t.Errorf("it is shown as %q, %v", text.String(), err)
		}
	}
}
