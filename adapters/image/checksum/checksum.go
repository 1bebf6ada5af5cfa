// Package checksum reads and writes the file that stands beside an image and
// holds its SHA-256, and reads the list of a directory's, both in the form of
// sha256sum. It must not open files itself.
package checksum

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Suffix is what the checksum's file has after the image's name.
const Suffix = ".sha256"

// MaxBytes is the most that a checksum's file may hold.
const MaxBytes = 64 << 10

// List is the name of the file that has the checksums of its directory's images, and
// MaxListBytes the most that it may hold.
const (
	List         = "SHA256SUMS"
	MaxListBytes = 1 << 20
)

// Line returns the one line of the checksum's file, as sha256sum writes it.
// Backslashes and line feeds in name are escaped as sha256sum escapes them.
func Line(sum, name string) string {
	if !strings.ContainsAny(name, "\\\n\r") {
		return sum + "  " + name + "\n"
	}
	return "\\" + sum + "  " + escaper.Replace(name) + "\n"
}

var (
	escaper   = strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r")
	unescaper = strings.NewReplacer("\\\\", "\\", "\\n", "\n", "\\r", "\r")
)

// Parse finds the checksum of name in the text of a checksum's file. A file
// with one bare checksum, or with one line of whatever name, is that of the
// image it stands beside, as when the image was renamed; of several lines, the
// one with the name counts.
func Parse(text, name string) (string, error) {
	var only string
	lines := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		sum, of, err := parseLine(line)
		if err != nil {
			return "", err
		}
		if of == name {
			return sum, nil
		}
		only = sum
		lines++
	}
	switch lines {
	case 0:
		return "", errors.New("the checksum file is empty")
	case 1:
		return only, nil
	}
	return "", fmt.Errorf("the checksum file has %d lines, none for %q", lines, name)
}

// Find finds the checksum of name in the text of a list; "" when the list has none.
// Lines that are not of that name, or in no form that is known, count for nothing: they
// are of other images, or signatures.
func Find(text, name string) (string, error) {
	found := ""
	for line := range strings.Lines(text) {
		sum, of, err := parseLine(strings.TrimRight(line, "\r\n"))
		if err != nil || of != name {
			continue
		}
		if found != "" && found != sum {
			return "", fmt.Errorf("%s has two checksums for %q, %s and %s", List, name, found, sum)
		}
		found = sum
	}
	return found, nil
}

func parseLine(line string) (sum, name string, err error) {
	rest, escaped := strings.CutPrefix(line, "\\")
	sum, name, _ = strings.Cut(rest, " ")
	if sum, err = Normal(sum); err != nil {
		return "", "", fmt.Errorf("the checksum file is not in the form of sha256sum: %w", err)
	}
	if name != "" && (name[0] == ' ' || name[0] == '*') {
		name = name[1:]
	}
	if escaped {
		name = unescaper.Replace(name)
	}
	return sum, strings.TrimPrefix(name, "./"), nil
}

// Normal returns a SHA-256 written in hexadecimal in lower case, or an error
// when sum is no such thing.
func Normal(sum string) (string, error) {
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 32 {
		return "", fmt.Errorf("%q is no SHA-256 in hexadecimal", sum[:min(len(sum), 80)])
	}
	return strings.ToLower(sum), nil
}
