package house

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fences  = regexp.MustCompile("(?s)```.*?```")
)

// pages returns the text of every Markdown page by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := walk(".md", func(name string, text []byte) error {
		all[name] = string(text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestLinksLead(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
			u, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: link %q: %v", name, m[1], err)
				continue
			}
			if u.Scheme == "" {
				checkLink(t, all, name, u)
			}
		}
	}
}

func checkLink(t *testing.T, all map[string]string, from string, u *url.URL) {
	t.Helper()
	target := from
	if u.Path != "" {
		target = path.Join(path.Dir(from), u.Path)
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
		t.Errorf("%s: link to %q leads nowhere", from, u.String())
		return
	}
	text, isPage := all[target]
	if isPage && u.Fragment != "" && !slices.Contains(anchors(text), u.Fragment) {
		t.Errorf("%s: %s has no heading for #%s", from, target, u.Fragment)
	}
}

// anchors returns the fragments under which a page's headings are found.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
		anchor := strings.ToLower(strings.TrimSpace(m[1]))
		anchor = regexp.MustCompile(`[^\p{L}\p{N}\- _]`).ReplaceAllString(anchor, "")
		all = append(all, strings.ReplaceAll(anchor, " ", "-"))
	}
	return all
}

func TestReadmeIsShort(t *testing.T) {
	if n := strings.Count(read(t, "README.md"), "\n"); n > 150 {
		t.Errorf("README.md has %d lines, more than 150; move the rest to a page of docs", n)
	}
}

func TestPagesNameWhatExists(t *testing.T) {
	// `path/in/backquotes.go` and `make target` are promises too.
	file := regexp.MustCompile(
		"`((?:docs|service|schema|adapters|client|tests|wsdl|examples)/[\\w./-]+)`")
	target := regexp.MustCompile("`make ([a-z][a-z0-9-]*)`")
	for name, text := range pages(t) {
		for _, m := range file.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s: names `%s`, which does not exist", name, m[1])
			}
		}
		for _, m := range target.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(chores, m[1]) {
				t.Errorf("%s: names `make %s`, which is no target", name, m[1])
			}
		}
	}
}

func TestProvenGuaranteesHaveTheirTests(t *testing.T) {
	names := map[string]bool{}
	for _, s := range sources(t) {
		for _, f := range functions(s) {
			names[f] = true
		}
	}
	test := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)\\w+)`")
	for name, text := range pages(t) {
		for _, m := range test.FindAllStringSubmatch(text, -1) {
			if !names[m[1]] {
				t.Errorf("%s: names the test `%s`, which does not exist", name, m[1])
			}
		}
	}
}
