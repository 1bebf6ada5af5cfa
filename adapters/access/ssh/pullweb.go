package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// fetchWeb has the host's curl fetch the file. All that it is told comes by its
// standard input: command lines can be read by anyone on the host.
func (g *puller) fetchWeb(ctx context.Context) error {
	if len(g.Source.Trust) > 0 {
		if err := g.trust(string(g.Source.Trust)); err != nil {
			return err
		}
	}
	err := g.curl(ctx)
	var exit *exitError
	if g.resumed && errors.As(err, &exit) && slices.Contains(noRange, exit.status) {
		g.resumed = false
		if err := errors.Join(remove(g.s, g.part), g.prepare()); err != nil {
			return err
		}
		err = g.curl(ctx)
	}
	return g.full(err)
}

// noRange are the ends of curl that tell that the server cannot go on in the middle.
var noRange = []int{33, 36}

func (g *puller) curl(ctx context.Context) error {
	var status bytes.Buffer
	err := run(ctx, g.s.Line(), program{Command: workspace.Command{
		Args:  []string{"env", "LC_ALL=C", "curl", "-q", "--config", "-"},
		Stdin: strings.NewReader(g.configuration()), Stdout: &status}})
	var exit *exitError
	if errors.As(err, &exit) {
		return workspace.Refuse(curlKind(exit, status.String()), "the host cannot fetch it: %w",
			exit)
	}
	if err != nil {
		return err
	}
	switch code := strings.TrimSpace(status.String()); code {
	case "200", "206":
		return nil
	default:
		return workspace.Refuse(workspace.Unavailable,
			"the server answers the host with status %s", code)
	}
}

// configuration is curl's, see curl(1), --config.
func (g *puller) configuration() string {
	var b strings.Builder
	say := func(name, value string) {
		fmt.Fprintf(&b, "%s = \"%s\"\n", name, escaped.Replace(value))
	}
	b.WriteString("silent\nshow-error\nfail\ngloboff\npath-as-is\n")
	say("url", g.Source.Scheme+"://"+g.Source.Address+g.Source.Path)
	say("proto", "=http,https")
	say("output", g.part)
	say("connect-timeout", seconds(g.limits.DialTimeout))
	say("speed-limit", "1")
	say("speed-time", seconds(g.limits.StallTimeout))
	say("write-out", "%{http_code}")
	say("user-agent", "philoxenia")
	if g.resumed {
		say("continue-at", "-")
	}
	if g.Size > 0 {
		say("max-filesize", fmt.Sprint(g.Size))
	}
	if g.Rate > 0 {
		say("limit-rate", fmt.Sprint(g.Rate))
	}
	if g.Source.User != "" {
		say("user", g.Source.User+":"+g.Source.Password)
	}
	if len(g.Source.Trust) > 0 {
		say("cacert", g.known)
	}
	for _, name := range slices.Sorted(maps.Keys(g.Source.Headers)) {
		say("header", name+": "+g.Source.Headers[name])
	}
	return b.String()
}

// seconds writes a time as programs of hosts take it: whole seconds, and never none.
func seconds(d time.Duration) string { return fmt.Sprint(max(1, int64(d/time.Second))) }

// escaped writes a value between the quotes of curl's configuration.
var escaped = strings.NewReplacer("\\", `\\`, "\"", `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// curlKinds says what curl's ends mean, see curl(1), EXIT CODES.
var curlKinds = map[int]workspace.Kind{
	1: workspace.Unavailable, 2: workspace.Unavailable, // it is older than we know
	5: workspace.Unavailable, 6: workspace.Unavailable, 7: workspace.Unavailable,
	18: workspace.Transient, 28: workspace.Unavailable, 35: workspace.Unavailable,
	51: workspace.Denied, 52: workspace.Transient, 55: workspace.Transient,
	56: workspace.Transient, 58: workspace.Denied, 60: workspace.Denied, 63: workspace.Invalid,
	77: workspace.Denied,
}

// statusKinds are those of the answers by which --fail fails.
var statusKinds = map[string]workspace.Kind{
	"401": workspace.Denied, "403": workspace.Denied, "404": workspace.NotFound,
	"410": workspace.NotFound, "429": workspace.Transient, "500": workspace.Transient,
	"502": workspace.Unavailable, "503": workspace.Unavailable, "504": workspace.Unavailable,
}

func curlKind(exit *exitError, status string) workspace.Kind {
	if exit.status == notFound {
		return workspace.Unavailable
	}
	if kind := transfer.Said(exit.said); kind != workspace.Internal {
		return kind
	}
	if kind, known := statusKinds[strings.TrimSpace(status)]; known && exit.status == 22 {
		return kind
	}
	if kind, known := curlKinds[exit.status]; known {
		return kind
	}
	return workspace.Transient
}
