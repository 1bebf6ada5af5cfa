package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/schema/attestation"
	"github.com/philoxenia/philoxenia/schema/library"
)

// An imageSignCmd is the command image sign.
type imageSignCmd struct {
	imageArg
	Key     string   `required:"" placeholder:"FILE" help:"Private key of Ed25519, of OpenSSH or in PEM (PKCS 8)."`
	Builder string   `placeholder:"WHO" help:"Who built the image: a URI, or any name; me, unless it is told."`
	From    []string `sep:"none" placeholder:"URI" help:"What it was built from; with a checksum as URI@sha256:SUM."`
	Built   string   `placeholder:"WHEN" help:"When it was built; now, unless it is told."`
	Out     string   `short:"O" placeholder:"FILE" help:"Write the attestation into a file, and do not attach it."`
}

// An imageKeygenCmd is the command image keygen.
type imageKeygenCmd struct {
	File    string `arg:"" help:"File of the private key to be made; the public one gets .pub behind its name."`
	Comment string `placeholder:"TEXT" help:"Comment in the public key, such as an address."`
}

// Run signs a statement about the image.
func (c *imageSignCmd) Run(ctx context.Context, a *app) error {
	key, err := readKey(c.Key)
	if err != nil {
		return err
	}
	e, err := a.client.LibraryImage(ctx, c.Image)
	if err != nil {
		return unlisted(err)
	}
	s, err := c.statement(e)
	if err != nil {
		return err
	}
	data, err := attestation.Sign(s, key)
	if err != nil {
		return failf(exitError, "", "%w", err)
	}
	if c.Out != "" {
		return unwritten(os.WriteFile(c.Out, append(data, '\n'), 0o644))
	}
	reference := e.Shelf + "/" + e.Name + ":" + e.Version
	return a.images([]string{reference}, func(name string) (*library.Entry, error) {
		return a.client.ChangeImage(ctx,
			library.Change{Reference: name, Envelope: string(data)})
	})
}

// statement says what the options say of the image.
func (c *imageSignCmd) statement(e *library.Entry) (attestation.Statement, error) {
	s := attestation.Statement{
		Name: e.Name + ":" + e.Version, SHA256: e.SHA256, Builder: c.Builder,
		Built: time.Now().UTC().Truncate(time.Second),
	}
	if e.SHA256 == "" {
		return s, failf(exitConflict, "`workspace image verify "+c.Image+"` computes it",
			"cannot sign for the image %s: its checksum is not known", c.Image)
	}
	if s.Builder == "" {
		me, err := user.Current()
		if err != nil {
			return s, usagef("name who built it with --builder", "cannot tell who you are: %w", err)
		}
		s.Builder = me.Username
	}
	if c.Built != "" {
		at, err := parseMoment(c.Built, time.Now())
		if err != nil {
			return s, usagef("", "cannot sign for the image: --built: %w", err)
		}
		s.Built = at.UTC().Truncate(time.Second)
	}
	for _, text := range c.From {
		uri, sum, _ := strings.Cut(text, "@sha256:")
		if sum != "" && !attestation.IsSHA256(sum) {
			return s, usagef("", "cannot sign for the image: --from: %q is not a checksum",
				clip(sum))
		}
		s.Sources = append(s.Sources, attestation.Source{URI: uri, SHA256: sum})
	}
	return s, nil
}

// readKey reads a private key.
func readKey(file string) (ed25519.PrivateKey, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, usagef("`workspace image keygen "+file+"` makes one",
			"cannot read the key: %w", err)
	}
	key, err := ssh.ParseRawPrivateKey(data)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, usagef("`ssh-keygen -p -f "+file+"` removes it, in a copy",
			"cannot read the key %s: it has a passphrase", file)
	case err != nil:
		return nil, usagef("", "cannot read the key %s: %w", file, err)
	}
	switch k := key.(type) {
	case ed25519.PrivateKey:
		return k, nil
	case *ed25519.PrivateKey:
		return *k, nil
	}
	return nil, usagef("", "cannot use the key %s: it is a %T, expected one of Ed25519", file, key)
}

// Run makes a key.
func (c *imageKeygenCmd) Run(a *app) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return failf(exitError, "", "cannot make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return failf(exitError, "", "cannot make a key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	line := attestation.FormatPublicKey(public, c.Comment) + "\n"
	for _, f := range []struct {
		name string
		text []byte
		mode os.FileMode
	}{{c.File, text, 0o600}, {c.File + ".pub", []byte(line), 0o644}} {
		if err := writeNew(f.name, f.text, f.mode); err != nil {
			return failf(exitError, "choose another name", "cannot write the key: %w", err)
		}
	}
	a.tell("%s is the private key, %s.pub the public one (%s); operators trust it by an entry "+
		"[[image.signer]] with name and key", c.File, c.File, attestation.KeyID(public))
	_, err = fmt.Fprint(a.out, line)
	return unwritten(err)
}

// writeNew makes a file that is not there yet.
func writeNew(name string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
