package dom0

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// loginLimit is how long the handshake may take.
const loginLimit = 5 * time.Minute

// shell is a login on the host, over which any number of commands run at once.
type shell struct{ client *ssh.Client }

func login(h *Host) (*shell, error) {
	text, err := os.ReadFile(h.KeyFile)
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, err
	}
	known, err := knownhosts.New(h.KnownHosts)
	if err != nil {
		return nil, err
	}
	client, err := ssh.Dial("tcp", h.SSH, &ssh.ClientConfig{User: "root",
		Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: known, Timeout: loginLimit})
	if err != nil {
		return nil, fmt.Errorf("cannot log in: %w", err)
	}
	return &shell{client}, nil
}

func (s *shell) close() { _ = s.client.Close() }

// Shell runs commands in dom0's shell, root's, and returns what they wrote.
func (h *Host) Shell(ctx context.Context, commands string) (string, error) {
	session, err := h.shell.client.NewSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	stop := context.AfterFunc(ctx, func() { session.Close() })
	defer stop()
	var out, errs bytes.Buffer
	session.Stdout, session.Stderr = &out, &errs
	err = session.Run("export LIBVIRT_DEFAULT_URI=xen:///system\n" + commands)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return out.String(), fmt.Errorf("dom0: %q: %w: %s", commands, err,
			strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}
