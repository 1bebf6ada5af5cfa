package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// overlay looks for what a host needs that private networks span to: its address, and
// the programs that make them.
func overlay(ctx context.Context, n *host.Node) []workspace.Finding {
	if n.Overlay == "" {
		return nil
	}
	const check = "overlay"
	fault := func(do, format string, args ...any) []workspace.Finding {
		return []workspace.Finding{trouble(check, workspace.VerdictFail,
			fmt.Errorf(format, args...), do)}
	}
	var said bytes.Buffer
	script := `for p in ip bridge nft; do command -v $p >/dev/null || echo $p; done`
	err := n.Access.Run(ctx, workspace.Command{Args: []string{"sh", "-c", script}, Stdout: &said})
	if lacks := strings.Fields(said.String()); err == nil && len(lacks) > 0 {
		return fault("install iproute2 and nftables on the host", "not there: %s",
			strings.Join(lacks, ", "))
	}
	said.Reset()
	err = errors.Join(err, n.Access.Run(ctx, workspace.Command{
		Args: []string{"ip", "-o", "address", "show", "to", n.Overlay}, Stdout: &said}))
	if err != nil {
		return fault("see that the user who logs on there may run ip", "%w", err)
	}
	words := strings.Fields(said.String())
	if len(words) < 2 {
		return fault("name an address of the host at which the others reach it, or leave "+
			"overlay out", "no device of the host has the address %s", n.Overlay)
	}
	return []workspace.Finding{{Check: check, Verdict: workspace.VerdictOK,
		Text: n.Overlay + " is on " + words[1]}}
}
