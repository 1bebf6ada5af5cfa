package ssh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	cryptossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// unsayable are what OpenSSH's sftp takes for something else in names. Images of
// such names come through this machine.
const unsayable = "\"'\\*?[]{}~#\n\r\t\x00"

// ciphers are those of OpenSSH that cost least, the cheapest first.
const ciphers = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com," +
	"aes128-ctr,aes256-ctr"

// fetchSSH has the host's sftp or scp fetch the file, without any of its user's own
// settings, keys or known hosts.
func (g *puller) fetchSSH(ctx context.Context) error {
	host, port, err := net.SplitHostPort(g.Source.Address)
	if err != nil {
		return transfer.Invalid("%w", err)
	}
	if len(g.Source.Key) == 0 || strings.ContainsAny(g.Source.Path, unsayable) ||
		strings.HasPrefix(host, "-") || strings.HasPrefix(g.Source.User, "-") {
		return workspace.Refuse(workspace.Unavailable,
			"hosts fetch by key alone, and files of plain names")
	}
	if err := g.trust(strings.Join(g.Source.HostKeys, "\n") + "\n"); err != nil {
		return err
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	options := g.options(port)
	if g.Source.Scheme == "sftp" {
		verb := "get"
		if g.resumed {
			verb = "reget"
		}
		batch := fmt.Sprintf("%s \"%s\" \"%s\"\n", verb, g.Source.Path, g.part)
		if strings.ContainsAny(g.part, unsayable) {
			return workspace.Refuse(workspace.Unavailable, "hosts fetch to plain names alone")
		}
		args := append([]string{"sftp", "-b", "-"}, options...)
		return g.byAgent(ctx, workspace.Command{Stdin: strings.NewReader(batch),
			Args: append(args, "--", g.Source.User+"@"+host)})
	}
	from := g.Source.User + "@" + host + ":" + Quote(g.Source.Path)
	// The old protocol has a name since OpenSSH 8.7; before, it was the only one.
	for _, old := range []string{"-O", "-p"} {
		args := append([]string{"scp", old}, options...)
		err = g.byAgent(ctx, workspace.Command{Args: append(args, "--", from, g.part)})
		if err == nil || !strings.Contains(err.Error(), "option -- O") {
			break
		}
	}
	return err
}

func (g *puller) options(port string) []string {
	args := append([]string{"-P", port}, g.settings()...)
	if g.Rate > 0 {
		args = append(args, "-l", fmt.Sprint(max(1, g.Rate*8/1000)))
	}
	return args
}

// settings are what ssh, sftp and scp are told, and nothing else.
func (g *puller) settings() []string {
	args := []string{"-F", "/dev/null"}
	for _, o := range []string{
		"BatchMode=yes", "LogLevel=ERROR", "StrictHostKeyChecking=yes",
		"UserKnownHostsFile=" + g.known, "GlobalKnownHostsFile=/dev/null",
		"IdentityFile=none", "ControlPath=none", "PreferredAuthentications=publickey",
		"ConnectTimeout=" + seconds(g.limits.DialTimeout), "ServerAliveCountMax=3",
		"ServerAliveInterval=" + seconds(g.limits.StallTimeout/3),
		"ForwardAgent=no", "ClearAllForwardings=yes", "Ciphers=" + ciphers,
	} {
		args = append(args, "-o", o)
	}
	return args
}

// lent is the agent of one Pull: it signs and lists, and does nothing else.
type lent struct{ agent.Agent }

var errLent = errors.New("the key is only lent")

// Add refuses.
func (lent) Add(agent.AddedKey) error { return errLent }

// Remove refuses.
func (lent) Remove(cryptossh.PublicKey) error { return errLent }

// RemoveAll refuses.
func (lent) RemoveAll() error { return errLent }

// Lock refuses.
func (lent) Lock([]byte) error { return errLent }

// byAgent runs a program with the key of the source in its agent.
func (g *puller) byAgent(ctx context.Context, c workspace.Command) error {
	key, err := cryptossh.ParseRawPrivateKey(g.Source.Key)
	if err != nil {
		return workspace.Refuse(workspace.Denied, "the private key is of no use: %w", err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		return err
	}
	if !g.forwards {
		if err := agent.ForwardToAgent(g.s.Line().Client, lent{ring}); err != nil {
			return err
		}
		g.forwards = true
	}
	c.Args = append([]string{"env", "LC_ALL=C"}, c.Args...)
	err = run(ctx, g.s.Line(), program{Command: c, prepare: func(s *cryptossh.Session) error {
		if err := agent.RequestAgentForwarding(s); err != nil {
			return workspace.Refuse(workspace.Unavailable,
				"the host's SSH server forwards no agent: %w", err)
		}
		return nil
	}})
	return g.full(g.told(err))
}

// told gives the failure of OpenSSH's programs its kind.
func (g *puller) told(err error) error {
	var exit *exitError
	if !errors.As(err, &exit) {
		return err
	}
	kind := transfer.Said(exit.said)
	for _, w := range []struct {
		words string
		kind  workspace.Kind
	}{
		{"not found", workspace.NotFound}, // of sftp: the file; of the shell: below
		{"Permission denied (", workspace.Denied},
		{"Host key verification failed", workspace.Denied},
		{"REMOTE HOST IDENTIFICATION HAS CHANGED", workspace.Denied},
		{"Connection refused", workspace.Unavailable},
		{"Could not resolve", workspace.Unavailable},
		{"timed out", workspace.Unavailable},
		{"No route to host", workspace.Unavailable},
		{"Network is unreachable", workspace.Unavailable},
		{"Connection closed by remote", workspace.Transient},
		{"Connection reset", workspace.Transient},
		{"option --", workspace.Unavailable}, // older than we know
	} {
		if strings.Contains(exit.said, w.words) {
			kind = w.kind
		}
	}
	if exit.status == notFound {
		kind = workspace.Unavailable
	}
	return workspace.Refuse(cmp.Or(kind, workspace.Transient), "the host cannot fetch it: %w", exit)
}
