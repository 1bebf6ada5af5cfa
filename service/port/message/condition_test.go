package message

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// filtered is a Filter of either face with the conditions, each as NAME
// EXPRESSION.
func filtered(face wsdl.Face, conditions ...string) []byte {
	space, properties := wsn.Space, wsrf.PropertiesSpace
	if face == wsdl.Two {
		space, properties = schema.BaseNotification2, schema.Properties2
	}
	text := `<n:Filter xmlns:n="` + space + `" xmlns:p="` + properties + `" xmlns:t="` +
		schema.Types + `">`
	for _, c := range conditions {
		name, expression, _ := strings.Cut(c, " ")
		text += `<n:` + name + ` Dialect="` + wsrf.XPathDialect + `">` + expression +
			`</n:` + name + `>`
	}
	return []byte(text + `</n:Filter>`)
}

// properties writes a property document that tells the face and the memory.
func properties(face wsdl.Face, w *workspace.Workspace) func(*xmlstrict.Encoder) {
	return func(enc *xmlstrict.Encoder) {
		enc.Start(xmlstrict.Name{Local: "properties"})
		enc.Element(xmlstrict.Name{Local: "face"}, face.String())
		enc.Element(xmlstrict.Name{Space: schema.Types, Local: "memory"}, "256")
		enc.Element(xmlstrict.Name{Local: "id"}, w.ID.String())
		enc.End()
	}
}

func TestWants(t *testing.T) {
	running := workspace.Event{
		Workspace: 13, Topic: workspace.TopicState, State: workspace.Running, At: someday,
	}
	ended := workspace.Event{Workspace: 13, Topic: workspace.TopicTermination, At: someday}
	const isRunning = "//t:state = 'Running'"
	const change = "ResourcePropertyValueChangeNotification"
	tests := map[string]struct {
		filter []byte
		event  workspace.Event
		wants  bool
	}{
		"no conditions": {nil, running, true},
		"content holds": {filtered(wsdl.Two, "MessageContent "+isRunning), running, true},
		"content fails": {filtered(wsdl.Two, "MessageContent "+isRunning), ended, false},
		"the message's own element": {
			filtered(wsdl.Two, "MessageContent /p:"+change+"/p:NewValues"), running, true},
		"the draft's element": {
			filtered(wsdl.One, "Selector /p:"+change+"/p:NewValue"), running, true},
		"the draft's fails": {filtered(wsdl.One, "Selector false()"), running, false},
		"memory of more": {filtered(
			wsdl.Two, "ProducerProperties //t:memory&gt;9"), running, true},
		"memory of less": {filtered(
			wsdl.Two, "ProducerProperties //t:memory&lt;9"), running, false},
		"properties of face two": {
			filtered(wsdl.Two, "ProducerProperties face='face two'"), running, true},
		"properties of face one": {
			filtered(wsdl.One, "Precondition face='face one'"), running, true},
		"properties of this one": {filtered(wsdl.Two, "ProducerProperties id=13"), running, true},
		"both hold": {filtered(wsdl.Two, "ProducerProperties id=13",
			"MessageContent "+isRunning), running, true},
		"one of two fails": {filtered(wsdl.Two, "ProducerProperties id=14",
			"MessageContent "+isRunning), running, false},
		"too costly": {filtered(wsdl.Two, "MessageContent "+strings.Repeat("(//*)[", 5)+
			"count(//*[count(//*[count(//*[count(//*) = 9]) = 9]) = 9]) = 9"+
			strings.Repeat("]", 5)), running, true},
		"no filter at all": {[]byte("x"), running, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := NewFilter(properties)
			s := &workspace.Subscription{ID: "s", Filter: tt.filter}
			for range 2 { // compiled, then remembered
				if got := f.Wants(s, tt.event, &workspace.Workspace{ID: 13}); got != tt.wants {
					t.Errorf("wants it: %t", got)
				}
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	tests := map[string]struct{ filter, says string }{
		"no dialect": {`<n:MessageContent>true()</n:MessageContent>`, "has no dialect"},
		"another dialect": {`<n:MessageContent Dialect="u:x">true()</n:MessageContent>`,
			`the dialect "u:x" of MessageContent is unknown`},
		"no expression": {`<n:MessageContent Dialect="` + wsrf.XPathDialect + `"/>`, "is empty"},
		"an element": {`<n:MessageContent Dialect="` + wsrf.XPathDialect + `"><a/>` +
			`</n:MessageContent>`, "a is no text"},
		"no XPath": {`<n:ProducerProperties Dialect="` + wsrf.XPathDialect + `">a[` +
			`</n:ProducerProperties>`, "is not XPath 1.0"},
		"a prefix of nobody": {`<n:ProducerProperties Dialect="` + wsrf.XPathDialect + `">x:a` +
			`</n:ProducerProperties>`, `line 2, /Filter/ProducerProperties: the prefix "x"`},
	}
	for name, tt := range tests {
		doc, err := xmlstrict.Parse([]byte(`<n:Filter xmlns:n="`+schema.BaseNotification2+"\">\n"+
			tt.filter+`</n:Filter>`), xmlstrict.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Compile(doc, doc.Root); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: error is %v, want one with %q", name, err, tt.says)
		}
	}
}

func TestCacheForgets(t *testing.T) {
	c := newCache[int, int](2)
	made := 0
	for range 3 {
		for i := range 3 {
			if v, err := c.get(i, func() (int, error) { made++; return i * i, nil }); v != i*i ||
				err != nil {
				t.Errorf("%d: %d, %v", i, v, err)
			}
		}
	}
	if len(c.young)+len(c.old) > 4 {
		t.Errorf("%d values are kept", len(c.young)+len(c.old))
	}
	if made >= 9 {
		t.Errorf("%d values were made: nothing is remembered", made)
	}
}

func TestTopicsHaveTheirNames(t *testing.T) {
	for _, face := range []wsdl.Face{wsdl.One, wsdl.Two} {
		for _, name := range Topics(face) {
			topic, ok := TopicOf(face, name)
			if !ok || TopicName(face, topic) != name {
				t.Errorf("%s: %s is %q, %s", face, name, topic, TopicName(face, topic))
			}
		}
	}
	if _, ok := TopicOf(wsdl.Two, wsrf.ResourceTermination); ok {
		t.Error("face two knows the draft's topic")
	}
	if name := TopicName(wsdl.One, "other"); name != (xmlstrict.Name{}) {
		t.Errorf("a topic of nobody is %s", name)
	}
}
