// Command gen makes the generated bindings: it has gowsdl, at the version that
// tools.mod pins, read the flat WSDL of face two, and changes two things in what
// comes out: the run-time package, and wildcards from strings to elements.
//
// It must not change what a message looks like: if gowsdl gets one wrong, the
// published schema is what has to be put in another way.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/philoxenia/philoxenia/wsdl"
)

func main() {
	out := flag.String("o", "lease.go", "the `file` to write")
	flag.Parse()
	if err := generate(*out); err != nil {
		fmt.Fprintln(os.Stderr, "gen: cannot generate the bindings:", err)
		os.Exit(1)
	}
}

// services are those that the bindings are for. Others can be generated in the
// same way, each on its own.
var services = []string{"WorkspaceFactory", "Workspace", "Group", "Status", "Images"}

// generate writes the bindings.
func generate(out string) error {
	dir, err := os.MkdirTemp("", "philoxenia-gen-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	document := filepath.Join(dir, "lease.wsdl")
	text := wsdl.FaceTwoFlat("http://localhost:8080/ws", services...)
	if err := os.WriteFile(document, text, 0o600); err != nil {
		return err
	}
	if err := gowsdl(dir, document); err != nil {
		return err
	}
	source, err := os.ReadFile(filepath.Join(dir, "binding", "made.go"))
	if err != nil {
		return err
	}
	if source, err = rewrite(source); err != nil {
		return err
	}
	return os.WriteFile(out, source, 0o644)
}

// gowsdl runs the pinned tool, which writes binding/made.go below the directory.
func gowsdl(dir, document string) error {
	module, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return err
	}
	root := filepath.Dir(string(bytes.TrimSpace(module)))
	//nolint:gosec // the tool's name and the files are this program's own
	c := exec.Command("go", "tool", "-modfile="+filepath.Join(root, "tools.mod"), "gowsdl",
		"-d", dir, "-p", "binding", "-o", "made.go", document)
	c.Dir = root
	c.Env = append(os.Environ(), "TMPDIR="+dir) // where it keeps a cache of its own
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("gowsdl: %w\n%s", err, said)
	}
	return nil
}

// changes are what is put in another way in gowsdl's output.
var changes = []struct{ from, to string }{
	{`"github.com/hooklift/gowsdl/soap"`, `"github.com/philoxenia/philoxenia/client/binding/soap"`},
	{"Items []string `xml:\",any\"", "Items []soap.Any `xml:\",any\""},
}

// rewrite makes the changes, each of which must be needed.
func rewrite(source []byte) ([]byte, error) {
	for _, c := range changes {
		if !bytes.Contains(source, []byte(c.from)) {
			return nil, fmt.Errorf("gowsdl no longer writes %s", c.from)
		}
		source = bytes.ReplaceAll(source, []byte(c.from), []byte(c.to))
	}
	return format.Source(bytes.TrimLeft(source, "\n"))
}
