package message

import (
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// filtered is a kept filter with the conditions, each as NAME EXPRESSION; its
// prefix p is for the properties of the face.
func filtered(face wsdl.Face, conditions ...string) []byte {
	text := `<n:Filter xmlns:n="` + schema.BaseNotification2 + `" xmlns:p="` +
		port.Edition(face).Names().ValueChange.Space + `" xmlns:t="` + schema.Types + `">`
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
		format string // of face two when empty
	}{
		"no conditions": {nil, running, true, ""},
		"content holds": {filtered(wsdl.Two, "MessageContent "+isRunning), running, true, ""},
		"content fails": {filtered(wsdl.Two, "MessageContent "+isRunning), ended, false, ""},
		"the message's own element": {
			filtered(wsdl.Two, "MessageContent /p:"+change+"/p:NewValues"), running, true, ""},
		"the draft's element": {
			filtered(wsdl.One, "MessageContent /p:"+change+"/p:NewValue"), running, true, GT4},
		"the draft's fails": {filtered(wsdl.One, "MessageContent false()"), running, false, GT4},
		"memory of more": {filtered(
			wsdl.Two, "ProducerProperties //t:memory&gt;9"), running, true, ""},
		"memory of less": {filtered(
			wsdl.Two, "ProducerProperties //t:memory&lt;9"), running, false, ""},
		"properties of face two": {
			filtered(wsdl.Two, "ProducerProperties face='face two'"), running, true, ""},
		"properties of face one": {
			filtered(wsdl.One, "ProducerProperties face='face one'"), running, true, GT4},
		"its own key": {filtered(wsdl.Two, "ProducerProperties id=13"), running, true, ""},
		"both hold": {filtered(wsdl.Two, "ProducerProperties id=13",
			"MessageContent "+isRunning), running, true, ""},
		"one of two fails": {filtered(wsdl.Two, "ProducerProperties id=14",
			"MessageContent "+isRunning), running, false, ""},
		"too costly": {filtered(wsdl.Two, "MessageContent "+strings.Repeat("(//*)[", 5)+
			"count(//*[count(//*[count(//*[count(//*) = 9]) = 9]) = 9]) = 9"+
			strings.Repeat("]", 5)), running, true, ""},
		"no filter at all": {[]byte("x"), running, true, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := NewFilter(properties)
			s := &workspace.Subscription{ID: "s", Filter: tt.filter, Format: tt.format}
			if s.Format == "" {
				s.Format = WSN12
			}
			for range 2 { // compiled, then remembered
				if got := f.Wants(s, tt.event, &workspace.Workspace{ID: 13}); got != tt.wants {
					t.Errorf("wants it: %t", got)
				}
			}
		})
	}
}

// TestConditionsOfOneOwnerTakeABoundedTime lets conditions that fail use up what
// there is for an event: what is left passes, of that owner and that event.
func TestConditionsOfOneOwnerTakeABoundedTime(t *testing.T) {
	f := NewFilter(properties)
	f.spent.most = 1
	e := workspace.Event{Workspace: 13, Topic: workspace.TopicState, At: someday}
	next := e
	next.At = someday.Add(time.Second)
	for i, tt := range []struct {
		owner workspace.Owner
		event workspace.Event
		wants bool
	}{{"ada", e, false}, {"ada", e, true}, {"ada", e, true}, {"eve", e, false},
		{"ada", next, false}, {"ada", next, true}} {
		s := &workspace.Subscription{
			ID: "s", Owner: tt.owner, Format: WSN12, Filter: filtered(wsdl.Two,
				"MessageContent //*[//*[count(//*) = 99]]"),
		}
		if got := f.Wants(s, tt.event, &workspace.Workspace{ID: 13}); got != tt.wants {
			t.Errorf("%d: wants it: %t", i, got)
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
