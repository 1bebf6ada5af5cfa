package dom0

import (
	"archive/tar"
	"crypto/ed25519"
	"crypto/rand"
	_ "embed"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// script is dom0's first process.
//
//go:embed init
var script []byte

// network is the libvirt network that guests of the tests are on.
//
//go:embed network.xml
var network []byte

// The names of the keys' files in the host's directory.
const (
	userKey = "user_key"
	hostKey = "host_key"
)

// makeKeys makes the keys of the user and of the SSH server.
func (h *Host) makeKeys() error {
	h.KeyFile = filepath.Join(h.dir, userKey)
	h.KnownHosts = filepath.Join(h.dir, "known_hosts")
	return errors.Join(makeKey(h.KeyFile), makeKey(filepath.Join(h.dir, hostKey)))
}

// makeKey writes a private key to path, and its public one beside it.
func makeKey(path string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return err
	}
	shown, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(path, pem.EncodeToMemory(block), 0o600),
		os.WriteFile(path+".pub", ssh.MarshalAuthorizedKey(shown), 0o644))
}

// tellKey writes the server's key down for those who log in.
func (h *Host) tellKey() error {
	text, err := os.ReadFile(filepath.Join(h.dir, hostKey+".pub"))
	if err != nil {
		return err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return err
	}
	line := knownhosts.Line([]string{knownhosts.Normalize(h.SSH)}, key) + "\n"
	return os.WriteFile(h.KnownHosts, []byte(line), 0o644)
}

// makeSeed writes the second disk: a tar file of what this boot adds to the first.
func (h *Host) makeSeed(files map[string]string) error {
	out, err := os.Create(filepath.Join(h.dir, "seed.tar"))
	if err != nil {
		return err
	}
	defer out.Close()
	w := tar.NewWriter(out)
	key, err := os.ReadFile(filepath.Join(h.dir, hostKey))
	if err != nil {
		return err
	}
	user, err := os.ReadFile(h.KeyFile + ".pub")
	if err != nil {
		return err
	}
	err = errors.Join(add(w, "lab/init", script, 0o755), add(w, "lab/network.xml", network, 0o644),
		add(w, "lab/host_key", key, 0o600), add(w, "root/.ssh/authorized_keys", user, 0o600))
	for to, from := range files {
		err = errors.Join(err, addFile(w, to[1:], from))
	}
	return errors.Join(err, w.Close(), out.Close())
}

// add writes a small file.
func add(w *tar.Writer, name string, data []byte, mode int64) error {
	err := w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data))})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// addFile copies a file of this machine.
func addFile(w *tar.Writer, name, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	err = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: info.Size()})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}
