package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/beevik/etree"
	"gopkg.in/yaml.v3"
)

// outputForms are the words that -o takes.
var outputForms = []string{"table", "wide", "json", "yaml", "xml", "name"}

// A view is a result ready to be shown. The value itself is what JSON and YAML
// show; write prints it for people; its names are the keys alone.
type view interface {
	write(w io.Writer, p *printer) error
	names() []string
}

// A printer writes results in the form that the user chose.
type printer struct {
	out     io.Writer
	form    string
	headers bool
	colors  palette
	columns int              // of the terminal; 0: the output goes elsewhere
	now     time.Time        // what relative times are seen from; zero: the present
	replies []*etree.Element // for -o xml: what the service said
}

// wide reports whether tables show every column.
func (p *printer) wide() bool { return p.form == "wide" }

// people reports whether the output is read by people.
func (p *printer) people() bool { return p.form == "table" || p.form == "wide" }

// present returns the time that relative times are seen from.
func (p *printer) present() time.Time {
	if p.now.IsZero() {
		return time.Now()
	}
	return p.now
}

// print writes the view.
func (p *printer) print(v view) error { return unwritten(p.show(v)) }

// unwritten is the failure of output that could not be written.
func unwritten(err error) error {
	if err == nil {
		return nil
	}
	return failf(exitError, "", "cannot write the output: %w", bare(err))
}

// show is print with the bare error.
func (p *printer) show(v view) error {
	switch p.form {
	case "json":
		return writeJSON(p.out, v, "  ")
	case "yaml":
		return writeYAML(p.out, v)
	case "xml":
		return p.printReplies()
	case "name":
		for _, name := range v.names() {
			if _, err := fmt.Fprintln(tamer{p.out}, name); err != nil {
				return err
			}
		}
		return nil
	}
	return v.write(tamer{p.out}, p)
}

// printReplies writes the elements that the service answered with, each once.
func (p *printer) printReplies() error {
	for _, e := range p.replies {
		doc := etree.NewDocumentWithRoot(e.Copy())
		doc.Indent(2)
		if _, err := doc.WriteTo(p.out); err != nil {
			return err
		}
	}
	p.replies = nil
	return nil
}

// writeJSON writes the value as one JSON document; no indentation makes it
// one line.
func writeJSON(w io.Writer, v any, indent string) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	return enc.Encode(v)
}

// writeYAML writes the value with the keys, and their order, of its JSON.
func writeYAML(w io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return err
	}
	unflow(&doc)
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return err
	}
	return enc.Close()
}

// unflow turns the JSON style of a tree into YAML's own, leaving empty lists as [].
func unflow(n *yaml.Node) {
	if len(n.Content) > 0 || n.Kind == yaml.ScalarNode {
		n.Style = 0
	}
	for _, child := range n.Content {
		unflow(child)
	}
}

// writeBlocks prints each thing as a block of lines, a blank line between.
func writeBlocks[T interface{ detail(*strings.Builder) }](w io.Writer, all []T) error {
	var b strings.Builder
	for i, v := range all {
		if i > 0 {
			b.WriteByte('\n')
		}
		v.detail(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
