package strictness

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
)

// oracle is xmllint with the published schemas. It judges many documents in one
// run: they are wrapped in one, and its complaints are told apart by line.
type oracle struct{ xmllint, dir, driver string }

// newOracle writes schemas for xmllint, and one that joins them, in which the
// wrapper takes any document that is declared.
func newOracle(t *testing.T, names []string) *oracle {
	t.Helper()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Fatalf("this test needs xmllint (Debian: libxml2-utils): %v", err)
	}
	o := &oracle{xmllint, t.TempDir(), ""}
	var all strings.Builder
	all.WriteString(`<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">` + "\n")
	for _, name := range names {
		data, _ := schema.File(name)
		o.file(t, name, data)
		fmt.Fprintf(&all, "<xs:import namespace=%q schemaLocation=%q/>\n", schema.Space(name), name)
	}
	all.WriteString(`<xs:element name="mutants"><xs:complexType><xs:sequence>` +
		`<xs:any minOccurs="0" maxOccurs="unbounded" processContents="strict"/>` +
		"</xs:sequence></xs:complexType></xs:element>\n</xs:schema>\n")
	o.driver = o.file(t, "all.xsd", []byte(all.String()))
	return o
}

// file writes a file of the oracle's.
func (o *oracle) file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(o.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// batch is how many documents go into one run. A document is one line, and the
// lines that xmllint counts end at 65,535.
const batch = 4096

// judge returns the verdict on each mutant, several batches at a time.
func (o *oracle) judge(t *testing.T, all []mutant) []verdict {
	t.Helper()
	verdicts := make([]verdict, len(all))
	var workers sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for from := 0; from < len(all); from += batch {
		to := min(from+batch, len(all))
		workers.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			name := fmt.Sprintf("wrapped-%d.xml", from)
			if err := o.run(t, name, all[from:to], verdicts[from:to]); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	return verdicts
}

// complaint is a line of xmllint's about a document.
var complaint = regexp.MustCompile(`(?m)^[^\n]*wrapped-\d+\.xml:(\d+): (.*)$`)

// run judges the mutants of one batch: the first is in line 2.
func (o *oracle) run(t *testing.T, name string, all []mutant, verdicts []verdict) error {
	var wrapped bytes.Buffer
	wrapped.WriteString("<mutants>\n")
	for _, m := range all {
		if strings.Contains(m.source, "\n") {
			return fmt.Errorf("a mutant has more than one line: %.200s", m.source)
		}
		wrapped.WriteString(m.source + "\n")
	}
	wrapped.WriteString("</mutants>\n")
	path := filepath.Join(o.dir, name)
	if err := os.WriteFile(path, wrapped.Bytes(), 0o600); err != nil {
		return err
	}
	out, failed := o.lint(t, path)
	for _, match := range complaint.FindAllStringSubmatch(out, -1) {
		line, _ := strconv.Atoi(match[1])
		switch {
		case strings.Contains(match[2], "parser warning"):
			continue
		case line < 2 || line > len(all)+1 || strings.Contains(match[2], "parser error"):
			return fmt.Errorf("xmllint did not read the mutants: %s", match[0])
		}
		verdicts[line-2] = append(verdicts[line-2], tidy(match[2]))
	}
	if failed == clean(verdicts) {
		return fmt.Errorf("xmllint's complaints are not understood: %.2000s", out)
	}
	return nil
}

// lint runs xmllint over files and tells whether it found fault with one.
func (o *oracle) lint(t *testing.T, files ...string) (out string, failed bool) {
	args := append([]string{"--nonet", "--noout", "--huge", "--schema", o.driver}, files...)
	//nolint:gosec // the validator, found by its name, over files of this test
	text, err := exec.CommandContext(t.Context(), o.xmllint, args...).CombinedOutput()
	return string(text), err != nil
}

// alone tells which mutants are valid, each judged in a file of its own.
func (o *oracle) alone(t *testing.T, all []mutant) []bool {
	t.Helper()
	files := make([]string, len(all))
	for i, m := range all {
		files[i] = o.file(t, fmt.Sprintf("alone-%d.xml", i), []byte(m.source))
	}
	out, _ := o.lint(t, files...)
	valid := make([]bool, len(all))
	for i, file := range files {
		valid[i] = strings.Contains(out, file+" validates\n")
	}
	return valid
}

// clean tells whether nothing is wrong with any document.
func clean(all []verdict) bool {
	return !slices.ContainsFunc(all, func(v verdict) bool { return len(v) > 0 })
}

// noise is what a complaint says for machines.
var noise = regexp.MustCompile(
	`^element \S+: Schemas validity error : |\{[^{}]*\}|\[facet[^\]]*\] `)

// tidy leaves the words that say nothing out of a complaint.
func tidy(text string) string {
	return strings.TrimSpace(noise.ReplaceAllString(text, ""))
}
