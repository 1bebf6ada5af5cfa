package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/philoxenia/philoxenia/schema/attestation"
)

// ImageLibrary is the site's library of images.
type ImageLibrary struct {
	PerOwner int      `toml:"per_owner"` // entries of one owner, and of the site; default 1000
	Signers  []Signer `toml:"signer"`
}

// Signer is someone whose attestations of images the site trusts.
type Signer struct {
	Name    string `toml:"name"`     // as queries call it: signed-by=NAME
	Key     string `toml:"key"`      // public, of Ed25519: a line of OpenSSH, or PEM
	KeyFile string `toml:"key_file"` // a file with it, instead
}

// Trusted returns the signers' keys. The error names the table that is wrong.
func (l *ImageLibrary) Trusted() ([]attestation.Key, error) {
	var all []attestation.Key
	var wrong []error
	for i, s := range l.Signers {
		key, err := s.public()
		wrong = append(wrong, entry("image.signer", i, s.Name, err))
		all = append(all, key)
	}
	return all, errors.Join(wrong...)
}

// public reads the signer's key.
func (s *Signer) public() (attestation.Key, error) {
	text := s.Key
	switch {
	case (s.Key == "") == (s.KeyFile == ""):
		return attestation.Key{}, errors.New("key or key_file is needed, and not both")
	case s.KeyFile != "":
		data, err := os.ReadFile(s.KeyFile)
		if err != nil {
			return attestation.Key{}, fmt.Errorf("cannot read key_file: %w", err)
		}
		text = string(data)
	}
	key, err := attestation.ParsePublicKey(text)
	return attestation.Key{Name: s.Name, Public: key}, err
}

// checkImages finds what cannot be right of the library. Files of keys are read when
// the service starts.
func (c *Config) checkImages() error {
	var all []error
	seen := once{}
	for i, s := range c.Images.Signers {
		err := errors.Join(plain("name", s.Name), seen.check("name", s.Name))
		if s.KeyFile == "" {
			_, wrong := s.public()
			err = errors.Join(err, wrong)
		} else if s.Key != "" {
			err = errors.Join(err, errors.New("key and key_file exclude each other"))
		}
		if strings.Contains(s.Key, "PRIVATE KEY") {
			err = errors.Join(err, errors.New("key is a private key; keep it to yourself"))
		}
		all = append(all, entry("image.signer", i, s.Name, err))
	}
	if c.Images.PerOwner < 0 {
		all = append(all, errors.New("image.per_owner is negative"))
	}
	return errors.Join(all...)
}
