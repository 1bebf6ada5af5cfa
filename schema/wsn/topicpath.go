package wsn

import (
	"errors"
	"fmt"
	"strings"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// MaxTopicExpression is how long a topic expression may be, in bytes.
const MaxTopicExpression = 1024

// topicPaths are the paths of an expression; a topic that one of them names is
// named by all.
type topicPaths struct{ all []topicPath }

// A topicPath leads from the root topics down (WS-Topics 1.3, 8.3):
//
//	TopicPath ::= RootTopic ChildTopicExpression*
//	RootTopic ::= NamespacePrefix? ('//')? (NCName | '*')
//	ChildTopicExpression ::= '/' '/'? (QName | NCName | '*' | '.')
type topicPath struct {
	scoped bool   // a prefix limits the path to root topics of one namespace
	space  string // that namespace
	steps  []topicStep
}

// A topicStep goes one level down, or any number of them.
type topicStep struct {
	deep bool           // behind "//": from here or anywhere below
	kind byte           // '*' any topic, '.' the topic itself, 'n' a name
	name xmlstrict.Name // of kind 'n'; of a root topic the local part counts
}

// topicForm is what a dialect allows.
type topicForm struct{ union, wild, end bool }

// formOf returns what a dialect that is not simple allows.
func formOf(dialect string) topicForm {
	switch {
	case dialect == ConcreteSet:
		return topicForm{union: true, end: true}
	case strings.HasSuffix(dialect, "/Full"):
		return topicForm{union: true, wild: true, end: true}
	}
	return topicForm{}
}

// topicParser reads an expression.
type topicParser struct {
	text   string
	form   topicForm
	lookup func(prefix string) (space string, ok bool)
}

// parse reads the whole expression.
func (p *topicParser) parse() (*topicPaths, error) {
	if len(p.text) > MaxTopicExpression {
		return nil, fmt.Errorf("the topic expression is longer than %d bytes", MaxTopicExpression)
	}
	if p.text == "" {
		return nil, errors.New("the topic expression is empty")
	}
	paths := &topicPaths{}
	for text := range strings.SplitSeq(p.text, "|") {
		if len(paths.all) > 0 && !p.form.union {
			return nil, errors.New("the dialect has no \"|\"")
		}
		path, err := p.path(text)
		if err != nil {
			return nil, fmt.Errorf("in %q: %w", xmlstrict.Clip(text), err)
		}
		paths.all = append(paths.all, path)
	}
	return paths, nil
}

// path reads one path.
func (p *topicParser) path(text string) (topicPath, error) {
	var path topicPath
	prefix, rest, prefixed := strings.Cut(text, ":")
	if !prefixed || strings.Contains(prefix, "/") {
		prefix, rest, prefixed = "", text, false
	}
	space, ok := p.lookup(prefix)
	if prefixed && !ok {
		return path, fmt.Errorf("the prefix %q is not declared", xmlstrict.Clip(prefix))
	}
	rest, deep := strings.CutPrefix(rest, "//")
	if path.scoped = prefixed || space != "" && !strings.HasPrefix(rest, "*"); path.scoped {
		path.space = strings.Clone(space)
	}
	for {
		word, behind, more := strings.Cut(rest, "/")
		step, err := p.step(word, deep, len(path.steps) == 0)
		if err != nil {
			return path, err
		}
		if path.steps = append(path.steps, step); !more {
			return path, p.check(path)
		}
		rest, deep = strings.CutPrefix(behind, "/")
	}
}

// step reads what stands between slashes.
func (p *topicParser) step(word string, deep, root bool) (topicStep, error) {
	s := topicStep{deep: deep, kind: 'n'}
	switch {
	case word == "*", word == "." && !root:
		s.kind = word[0]
		return s, nil
	case root && strings.Contains(word, ":"):
		return s, fmt.Errorf("%q is no topic", xmlstrict.Clip(word))
	}
	prefix, local, prefixed := strings.Cut(word, ":")
	if !prefixed {
		prefix, local = "", word
	}
	if !xmlstrict.IsNCName(local) || prefixed && !xmlstrict.IsNCName(prefix) {
		return s, fmt.Errorf("%q is no topic", xmlstrict.Clip(word))
	}
	s.name.Local = strings.Clone(local)
	if prefixed {
		space, ok := p.lookup(prefix)
		if !ok {
			return s, fmt.Errorf("the prefix %q is not declared", xmlstrict.Clip(prefix))
		}
		s.name.Space = strings.Clone(space)
	}
	return s, nil
}

// check refuses what the dialect does not allow.
func (p *topicParser) check(path topicPath) error {
	for i, s := range path.steps {
		last := i == len(path.steps)-1
		ends := p.form.end && last && s.deep && s.kind == '.'
		if (s.deep || s.kind != 'n') && !p.form.wild && !ends {
			return errors.New("the dialect has no wildcards")
		}
	}
	return nil
}

// match tells whether one of the paths leads to the topic.
func (t *topicPaths) match(topic []xmlstrict.Name) bool {
	for i := range t.all {
		if t.all[i].match(topic) {
			return true
		}
	}
	return false
}

// match tells whether the path leads to the topic. Reached holds, after each
// step, at which levels of the topic's own path one can stand; level 0 is
// above the root topic.
func (p *topicPath) match(topic []xmlstrict.Name) bool {
	if len(topic) == 0 || p.scoped && topic[0].Space != p.space {
		return false
	}
	reached := make([]bool, len(topic)+1)
	reached[0] = true
	for _, s := range p.steps {
		reached = p.advance(s, reached, topic)
	}
	return reached[len(topic)]
}

// advance takes one step from everywhere that was reached.
func (p *topicPath) advance(s topicStep, reached []bool, topic []xmlstrict.Name) []bool {
	next := make([]bool, len(reached))
	from := false
	for level := range reached {
		from = reached[level] || s.deep && from
		switch {
		case !from:
		case s.kind == '.':
			next[level] = true
		case level < len(topic) && p.names(s, topic, level):
			next[level+1] = true
		}
	}
	return next
}

// names tells whether a step names the topic at a level below.
func (p *topicPath) names(s topicStep, topic []xmlstrict.Name, level int) bool {
	switch {
	case s.kind == '*':
		return true
	case level == 0:
		return topic[0] == xmlstrict.Name{Space: p.space, Local: s.name.Local}
	}
	return topic[level] == s.name
}

// write returns the expression; prefix returns what stands for a namespace.
func (t *topicPaths) write(prefix func(space string) string) string {
	var b strings.Builder
	for i := range t.all {
		if i > 0 {
			b.WriteByte('|')
		}
		t.all[i].write(&b, func(space string) string {
			p := prefix(space)
			if strings.HasPrefix(p, "{") {
				return p
			}
			return p + ":"
		})
	}
	return b.String()
}

// write appends the path.
func (p *topicPath) write(b *strings.Builder, prefix func(string) string) {
	if p.scoped {
		b.WriteString(prefix(p.space))
	}
	for i, s := range p.steps {
		if i > 0 {
			b.WriteByte('/')
		} else if s.deep {
			b.WriteString("/")
		}
		if s.deep {
			b.WriteByte('/')
		}
		if s.name.Space != "" {
			b.WriteString(prefix(s.name.Space))
		}
		if s.kind == 'n' {
			b.WriteString(s.name.Local)
		} else {
			b.WriteByte(s.kind)
		}
	}
}
