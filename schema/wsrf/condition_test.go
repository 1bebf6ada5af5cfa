package wsrf

import (
	"strings"
	"sync"
	"testing"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

func TestCondition(t *testing.T) {
	doc, err := xmlstrict.Parse([]byte(`<r xmlns="u:r"><state>Running</state><n>3</n>`+
		strings.Repeat("<o/>", 200)+`</r>`),
		xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	ns := func(prefix string) (string, bool) { return "u:r", prefix == "r" }
	tests := map[string]struct {
		holds         bool
		refuses, dies string
	}{
		"/r:r/r:state='Running'":     {holds: true},
		"r:state='Running'":          {holds: true},
		"r:state='Paused'":           {},
		"//r:state":                  {holds: true},
		"//state":                    {},
		"r:n > 2":                    {holds: true},
		"r:n - 3":                    {},
		"number('x')":                {},
		"string(r:state)":            {holds: true},
		"string(r:none)":             {},
		"not(r:none)":                {holds: true},
		"/":                          {holds: true},
		"x:y":                        {refuses: "not declared"},
		"r:n[":                       {refuses: "not XPath 1.0"},
		"matches(r:n, 'x')":          {refuses: "not one of XPath 1.0"},
		"count(//*[count(//*) > 0])": {dies: "too many steps"},
	}
	for expression, tt := range tests {
		c, err := NewCondition(expression, ns)
		if tt.refuses != "" || err != nil {
			if err == nil || !strings.Contains(err.Error(), tt.refuses) || tt.refuses == "" {
				t.Errorf("%s: %v, want an error with %q", expression, err, tt.refuses)
			}
			continue
		}
		holds, err := c.Holds(doc.Root)
		if holds != tt.holds || (err == nil) != (tt.dies == "") ||
			err != nil && !strings.Contains(err.Error(), tt.dies) {
			t.Errorf("%s: %t, %v", expression, holds, err)
		}
	}
}

func TestConditionIsSharedByGoroutines(t *testing.T) {
	doc, _ := xmlstrict.Parse([]byte(`<r><a/><a><b/></a></r>`), xmlstrict.DefaultLimits())
	c, err := NewCondition("count(//a) = 2 and //b", nil)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				if holds, err := c.Holds(doc.Root); !holds || err != nil {
					t.Errorf("%t, %v", holds, err)
				}
			}
		})
	}
	group.Wait()
}
