package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// hostile is a view with a text that would work on the terminal: an eight-bit
// control sequence, a return, and a change of direction.
type hostile struct{}

const spell = "a\u009b2Jb\rc\u202ed\x7f"

func (hostile) names() []string { return []string{spell} }

func (hostile) write(w io.Writer, _ *printer) error {
	_, err := io.WriteString(w, spell+"\tä\x1b[1mbold\n")
	return err
}

func TestTextsDoNotWorkOnTheTerminal(t *testing.T) {
	const tamed = "a\ufffd2Jb\ufffdc\ufffdd\ufffd"
	for form, want := range map[string]string{
		"table": tamed + "\tä\x1b[1mbold\n", "name": tamed + "\n",
	} {
		var out bytes.Buffer
		p := &printer{out: &out, form: form}
		if err := p.print(hostile{}); err != nil || out.String() != want {
			t.Errorf("%s: %q, %v, want %q", form, out.String(), err, want)
		}
	}
	var out bytes.Buffer
	printError(&out, errors.New(spell), "table", "http://h/")
	if !strings.HasPrefix(out.String(), "workspace: "+tamed+"\n") {
		t.Errorf("an error is told as %q", out.String())
	}
}
