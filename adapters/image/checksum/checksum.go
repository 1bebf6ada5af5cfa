// Package checksum reads and writes the file that stands beside an image and
// holds its SHA-256, in the form of sha256sum. It must not open files itself.
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
