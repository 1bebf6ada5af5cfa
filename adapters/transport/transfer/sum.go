package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Sum is the SHA-256 of what passes by. A nil *Sum computes nothing.
type Sum struct{ hash hash.Hash }

// NewSum begins a checksum.
func NewSum() *Sum { return &Sum{sha256.New()} }

// Add takes in the next bytes.
func (s *Sum) Add(b []byte) {
	if s != nil {
		s.hash.Write(b)
	}
}

var zeros [64 << 10]byte

// AddZeros takes in n zeros, as a hole of the file reads. It looks at ctx now and then.
func (s *Sum) AddZeros(ctx context.Context, n int64) error {
	if s == nil {
		return nil
	}
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		step := min(n, int64(len(zeros)))
		s.hash.Write(zeros[:step])
		n -= step
	}
	return nil
}

// AddReader takes in all that r holds, looking at ctx now and then.
func (s *Sum) AddReader(ctx context.Context, r io.Reader) error {
	buffer := Buffer()
	defer Recycle(buffer)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(*buffer)
		s.Add((*buffer)[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Text returns the checksum in hexadecimal, "" for a nil Sum.
func (s *Sum) Text() string {
	if s == nil {
		return ""
	}
	return hex.EncodeToString(s.hash.Sum(nil))
}

// Verify compares the checksum with the expected one, which "" leaves
// unchecked. The error has kind Invalid and names both.
func (s *Sum) Verify(expected string) error {
	if expected == "" || s == nil || s.Text() == expected {
		return nil
	}
	return workspace.Errorf(workspace.Invalid, "verify the image", "",
		"its SHA-256 is %s, expected %s", s.Text(), expected)
}
