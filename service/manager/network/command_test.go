package network

import (
	"context"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

var update = flag.Bool("update", false, "write the golden file anew")

// told is a shell that notes all that it runs and what that reads.
type told struct {
	shell
	host string
	all  *strings.Builder
}

func (s told) Run(ctx context.Context, c workspace.Command) error {
	s.all.WriteString(s.host + "$ " + strings.Join(c.Args, " ") + "\n")
	if c.Stdin != nil {
		text, err := io.ReadAll(c.Stdin)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			s.all.WriteString("\t" + line)
		}
		c.Stdin = strings.NewReader(string(text))
	}
	return s.shell.Run(ctx, c)
}

// TestCommands holds what is run on two hosts when the second node of a group starts
// and ends against a file.
func TestCommands(t *testing.T) {
	s := newSite(t, 2, four)
	s.ns.rules["own"] = Rule{Private: true}
	a, b := s.node(1, "one", 4097, 0), s.node(2, "one", 4097, 1)
	must(t, s.ns.Connect(t.Context(), s.hosts[0].node, a))
	all := new(strings.Builder)
	for i, l := range s.hosts {
		name := []string{"host1", "host2"}[i]
		l.node.Access = told{l.node.Access.(shell), name, all}
	}
	all.WriteString("# a start\n")
	must(t, s.ns.Connect(t.Context(), s.hosts[1].node, b))
	all.WriteString("# a look where all is well\n")
	s.mend(1)
	all.WriteString("# an end\n")
	must(t, s.ns.Disconnect(t.Context(), s.hosts[1].node, b))
	const golden = "testdata/commands.txt"
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(golden, []byte(all.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	must(t, err)
	if got := all.String(); got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
