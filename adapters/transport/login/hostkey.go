package login

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// clientConfig reads the server's files anew for each connection, so that a
// changed key needs no restart. What the check of the host key found wrong is left
// in verdict, because the handshake's own error does not carry it.
func clientConfig(s Server) (config *ssh.ClientConfig, verdict *error, err error) {
	known, err := knownhosts.New(s.KnownHostsFile)
	if err != nil {
		return nil, nil, Denied("the known hosts cannot be read: %w", err)
	}
	methods, err := authentication(s)
	if err != nil {
		return nil, nil, err
	}
	verdict = new(error)
	config = &ssh.ClientConfig{
		User: s.User, Auth: methods, HostKeyAlgorithms: s.HostKeyAlgorithms,
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			*verdict = judge(s, known(host, remote, key), key)
			return *verdict
		},
	}
	if len(s.HostKeyAlgorithms) == 0 {
		config.HostKeyAlgorithms = algorithms(s, known)
	}
	return config, verdict, nil
}

func authentication(s Server) ([]ssh.AuthMethod, error) {
	var methods []ssh.AuthMethod
	if s.KeyFile != "" {
		text, err := os.ReadFile(s.KeyFile)
		if err != nil {
			return nil, Denied("the private key cannot be read: %w", err)
		}
		key, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return nil, Denied("the private key in %s is of no use: %w", s.KeyFile, err)
		}
		methods = append(methods, ssh.PublicKeys(key))
	}
	if s.PasswordFile != "" {
		text, err := os.ReadFile(s.PasswordFile)
		if err != nil {
			return nil, Denied("the password cannot be read: %w", err)
		}
		line, _, _ := bytes.Cut(text, []byte("\n"))
		methods = append(methods, ssh.Password(strings.TrimRight(string(line), "\r")))
	}
	if len(methods) == 0 {
		return nil, Denied("neither a key nor a password is configured for %s", s.Address)
	}
	return methods, nil
}

// judge says what is wrong with a host key and what to do about it.
func judge(s Server, err error, offered ssh.PublicKey) error {
	if err == nil {
		return nil
	}
	line := knownhosts.Line([]string{knownhosts.Normalize(s.Address)}, offered)
	var revoked *knownhosts.RevokedError
	var wrong *knownhosts.KeyError
	switch {
	case errors.As(err, &revoked):
		return Denied("the host key of %s, %s, is revoked in %s", s.Address, name(offered),
			s.KnownHostsFile)
	case errors.As(err, &wrong) && len(wrong.Want) > 0:
		return Denied("the host key of %s changed: expected %s, offered %s; someone may be "+
			"listening in, or the server was set up anew: ask its administrator, and only if the "+
			"new key is right, put the line %q in place of the old", s.Address,
			expectedKeys(wrong.Want), name(offered), line)
	case errors.As(err, &wrong):
		return Denied("the host key of %s is unknown: %s expected none, offered %s; compare it "+
			"with what the server's administrator says, then add the line %q", s.Address,
			s.KnownHostsFile, name(offered), line)
	}
	return Denied("the host key of %s cannot be checked: %w", s.Address, err)
}

func name(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

func expectedKeys(known []knownhosts.KnownKey) string {
	var names []string
	for _, k := range known {
		names = append(names, fmt.Sprintf("%s (%s line %d)", name(k.Key), k.Filename, k.Line))
	}
	return strings.Join(names, " or ")
}

// algorithms asks the server for a key of a type that we know, so that one that
// has several kinds of keys does not seem to have changed. The other types come
// after: a server that changed its key must be found out, not just disagree.
func algorithms(s Server, known ssh.HostKeyCallback) []string {
	all := ssh.SupportedAlgorithms().HostKeys
	var first []string
	for _, want := range knownKeys(s, known) {
		types := []string{want.Key.Type()}
		if want.Key.Type() == ssh.KeyAlgoRSA {
			types = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		for _, t := range types {
			if slices.Contains(all, t) && !slices.Contains(first, t) {
				first = append(first, t)
			}
		}
	}
	for _, t := range all {
		if !slices.Contains(first, t) {
			first = append(first, t)
		}
	}
	return first
}

// knownKeys finds the keys on file for a server by offering one that none has.
func knownKeys(s Server, known ssh.HostKeyCallback) []knownhosts.KnownKey {
	nobodys, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return nil
	}
	var wrong *knownhosts.KeyError
	if errors.As(known(s.Address, &net.TCPAddr{IP: net.IPv4zero}, nobodys), &wrong) {
		return wrong.Want
	}
	return nil
}
