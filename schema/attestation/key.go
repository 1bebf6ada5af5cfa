package attestation

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Key is a public key and the name that who trusts it has for its owner.
type Key struct {
	Name   string
	Public ed25519.PublicKey
}

// algorithm is what OpenSSH calls keys of Ed25519 (RFC 8709, section 4).
const algorithm = "ssh-ed25519"

// ParsePublicKey reads a public key: a line of OpenSSH ("ssh-ed25519 AAAA... COMMENT",
// as ssh-keygen writes it), or PEM ("PUBLIC KEY", as OpenSSL does).
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	key, err := parsePublicKey(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("cannot read the public key: %w", err)
	}
	return key, nil
}

func parsePublicKey(text string) (ed25519.PublicKey, error) {
	if strings.HasPrefix(text, "-----BEGIN") {
		return parsePEM(text)
	}
	fields := strings.Fields(text)
	if len(fields) < 2 || fields[0] != algorithm || strings.ContainsAny(text, "\r\n") {
		return nil, errors.New(`expected a line "ssh-ed25519 AAAA... COMMENT", or PEM`)
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return nil, fmt.Errorf("it is not base64: %w", err)
	}
	prefix := wire(nil)[:len(wire(nil))-4]
	rest, ok := bytes.CutPrefix(blob, prefix)
	if !ok || len(rest) != 4+ed25519.PublicKeySize ||
		binary.BigEndian.Uint32(rest) != ed25519.PublicKeySize {
		return nil, errors.New("it is not a key of Ed25519")
	}
	return ed25519.PublicKey(rest[4:]), nil
}

func parsePEM(text string) (ed25519.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("it is not one PUBLIC KEY in PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("it is a %T, expected one of Ed25519", parsed)
	}
	return key, nil
}

// wire returns the key as OpenSSH has it on the wire (RFC 8709, section 4).
func wire(key ed25519.PublicKey) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(algorithm)))
	b = append(b, algorithm...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(key)))
	return append(b, key...)
}

// KeyID returns the fingerprint of a key, as ssh-keygen -l shows it: SHA256:...
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(wire(key))
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// FormatPublicKey returns the key as a line of OpenSSH, without its end.
func FormatPublicKey(key ed25519.PublicKey, comment string) string {
	line := algorithm + " " + base64.StdEncoding.EncodeToString(wire(key))
	return strings.TrimSpace(line + " " + comment)
}
