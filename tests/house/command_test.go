package house

import (
	"strconv"
	"strings"
	"testing"
)

// TestCommandStandsOnTheClient holds the command line to asking the service
// through the client alone: what it can do, every Go program can.
func TestCommandStandsOnTheClient(t *testing.T) {
	seen := false
	for _, s := range sources(t) {
		if s.test || !under(s.dir, "client/cmd") {
			continue
		}
		for _, spec := range s.ast.Imports {
			target, _ := strconv.Unquote(spec.Path.Value)
			inside, ours := strings.CutPrefix(target, module+"/")
			seen = seen || inside == "client"
			if ours && !under(inside, "client") && !under(inside, "schema") &&
				!under(inside, "service/simulate") { // which asks no service
				t.Errorf("%s: the command imports %q; what it needs of the service belongs "+
					"into the client, what it reads and writes into schema",
					s.at(spec.Pos()), target)
			}
			if target == "net/http" {
				t.Errorf("%s: the command speaks HTTP by itself; the client does that for it",
					s.at(spec.Pos()))
			}
		}
	}
	if !seen {
		t.Error("no file of client/cmd imports the client: this test looks in the wrong place")
	}
}
