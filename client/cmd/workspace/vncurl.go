package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/report"
)

// A socketView is the way to a screen for a viewer that speaks WebSocket, as it is
// shown.
type socketView struct {
	URL      string    `json:"url"` // ws: or wss:, good once
	Password string    `json:"password"`
	Until    time.Time `json:"until"`
	// NoVNC is what follows the address of noVNC's vnc.html. It is a fragment: browsers
	// keep it from the server that has the page.
	NoVNC string `json:"noVNC"`
}

// newSocket makes the view of a pass.
func newSocket(pass *report.ConsolePass) (socketView, error) {
	at, err := url.Parse(pass.Location)
	if err != nil {
		return socketView{}, failf(exitError, "", "cannot read the screen's address: %w", err)
	}
	encrypt, port := "0", "80"
	if at.Scheme == "wss" {
		encrypt, port = "1", "443"
	}
	if at.Port() != "" {
		port = at.Port()
	}
	told := "#autoconnect=1"
	for _, setting := range [][2]string{
		{"encrypt", encrypt}, {"host", at.Hostname()}, {"port", port},
		{"path", strings.TrimPrefix(at.EscapedPath(), "/")}, {"password", pass.Password},
	} {
		// noVNC decodes %20, not the + of forms.
		told += "&" + setting[0] + "=" + strings.ReplaceAll(url.QueryEscape(setting[1]), "+", "%20")
	}
	return socketView{URL: at.String(), Password: pass.Password, Until: pass.Until.UTC(),
		NoVNC: told}, nil
}

// names returns the URL alone.
func (v socketView) names() []string { return []string{v.URL} }

// write prints one line for each.
func (v socketView) write(w io.Writer, _ *printer) error {
	_, err := fmt.Fprintf(w, "URL       %s\nPassword  %s\nUntil     %s\nnoVNC     vnc.html%s\n",
		v.URL, v.Password, v.Until.Format(time.RFC3339), v.NoVNC)
	return err
}
