package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/service/config"
)

// look holds a configuration whose text is good against this machine. It changes
// nothing. What would keep the daemon from starting is an error; what would keep it
// from a host or a repository is told, and no error: the others work.
func look(out, aside io.Writer, c *config.Config) error {
	var wrong []error
	for _, dir := range []struct{ key, path string }{
		{"data", c.Data}, {"repository.file.dir", c.Repositories.File.Dir},
	} {
		if err := writable(dir.path); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", dir.key, err))
		}
	}
	if _, err := c.Images.Trusted(); err != nil {
		wrong = append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("cannot use the configuration: %w", err)
	}
	for _, f := range named(c) {
		if err := f.wrong(); err != nil {
			fmt.Fprintf(aside, "warning: %s: %v\n", f.key, err)
		}
	}
	fmt.Fprintln(out, "the configuration is good")
	return nil
}

// writable refuses a directory that could not be written in, or not be made.
func writable(dir string) error {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at) {
			continue
		}
		switch {
		case err != nil:
			return err
		case !info.IsDir():
			return fmt.Errorf("%s is no directory", at)
		}
		if err := unix.Access(at, unix.W_OK|unix.X_OK); err != nil {
			return fmt.Errorf("%s cannot be written by this user: %w", at, err)
		}
		return nil
	}
}

// A namedFile is a file that the configuration names.
type namedFile struct {
	key, path string
	secret    bool // it is nobody else's affair
}

// wrong says what would keep the daemon from using the file.
func (f namedFile) wrong() error {
	opened, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer opened.Close()
	info, err := opened.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory", f.path)
	case f.secret && info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s can be read by others (mode %04o): chmod 600 %s", f.path,
			info.Mode().Perm(), f.path)
	}
	return nil
}

// named lists the files of this machine that the configuration names, those left
// out.
func named(c *config.Config) (all []namedFile) {
	add := func(where, key, path string, secret bool) {
		if path != "" {
			all = append(all, namedFile{where + ": " + key, path, secret})
		}
	}
	for _, h := range c.Hosts {
		where := "host " + h.ID
		add(where, "tls.ca_file", h.TLS.CAFile, false)
		add(where, "tls.cert_file", h.TLS.CertFile, false)
		add(where, "tls.key_file", h.TLS.KeyFile, true)
		if h.SSH != nil {
			add(where, "ssh.key_file", h.SSH.KeyFile, true)
			add(where, "ssh.password_file", h.SSH.PasswordFile, true)
			add(where, "ssh.known_hosts", h.SSH.KnownHosts, false)
		}
	}
	for _, servers := range [][]config.SSHRepository{c.Repositories.SFTP, c.Repositories.SCP} {
		for _, r := range servers {
			where := "repository " + r.Address
			add(where, "key_file", r.KeyFile, true)
			add(where, "password_file", r.PasswordFile, true)
			add(where, "known_hosts", r.KnownHosts, false)
		}
	}
	for _, r := range c.Repositories.Web {
		where := "repository " + r.Address
		add(where, "password_file", r.PasswordFile, true)
		add(where, "token_file", r.TokenFile, true)
		add(where, "ca_file", r.CAFile, false)
	}
	return append(all, kernelFiles(c)...)
}

// kernelFiles are those of the kernels, where some host reads them here.
func kernelFiles(c *config.Config) (all []namedFile) {
	here := false
	for _, h := range c.Hosts {
		here = here || h.Adapter == "libvirt" && h.SSH == nil
	}
	for _, k := range c.Kernels {
		if !here {
			continue
		}
		all = append(all, namedFile{"kernel " + k.Name + ": image", k.Image, false})
		if k.Initrd != "" {
			all = append(all, namedFile{"kernel " + k.Name + ": initrd", k.Initrd, false})
		}
	}
	return all
}
