package xmlstrict

import (
	"errors"
	"strings"
	"testing"
)

// TestFits holds an element against a shape; want is what is wrong with it.
func TestFits(t *testing.T) {
	in := In("urn:a")
	shape := Shape{
		Parts: []Part{{Name: in("one")}, {Name: in("two"), Many: true}, {Name: in("three")},
			{Name: in(""), Many: true}},
		Attributes: []Name{{"", "color"}}, Foreign: "urn:a",
	}
	words := Shape{Content: Words, Nillable: true}
	const (
		xsi = `xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" `
		b   = `xmlns:b="urn:b" `
	)
	tests := []struct {
		name, attributes, content string
		shape                     Shape
		want                      string
	}{
		{"empty", "", "", shape, ""},
		{"all", "", "<one/><two/><two/><three/><b:x/><b:y/>", shape, ""},
		{"blank", "", " <one/> \n <two/>", shape, ""},
		{"text", "", "<one/>word", shape, "there is text"},
		{"repeated", "", "<one/><one/>", shape, "a second one"},
		{"repeated later", "", "<one/><two/><one/>", shape, "a second one"},
		{"order", "", "<two/><three/><two/>", shape, "two is out of order"},
		{"unknown", "", "<four/>", shape, "element four does not belong"},
		{"behind the others", "", "<b:x/><one/>", shape, "one is out of order"},
		{"no namespace", "", `<one xmlns=""/>`, shape, "element one does not belong"},
		{"attributes", `color="red" b:color="red" xml:lang="en"`, "", shape, ""},
		{"attribute", `weight="1"`, "", shape, "attribute weight does not belong"},
		{"hints", xsi + `xsi:type="b:c" xsi:nil="0" xsi:schemaLocation="a b"`, "", shape, ""},
		{"loose", `weight="1" b:weight="1" color="red"`, "", Shape{Loose: true}, ""},
		{"nil", xsi + `xsi:nil="true"`, "", shape, "e is nil"},
		{"nil what", xsi + `xsi:nil="maybe"`, "", shape, `xsi:nil is "maybe"`},
		{"other hint", xsi + `xsi:color="red"`, "", shape, "attribute"},
		{"words", "", "some words", words, ""},
		{"words and element", "", "some <one/> words", words, "element one does not belong"},
		{"words and attribute", `color="red"`, "some words", words, "attribute color"},
		{"foreign attribute", `b:color="red"`, "words", words, "attribute {urn:b}color"},
		{"nil words", xsi + `xsi:nil="1"`, "", words, ""},
		{"nil with words", xsi + `xsi:nil="1"`, "words", words, "is nil and has content"},
		{"nothing", "", " ", Shape{}, ""},
		{"something", "", "<one/>", Shape{}, "nothing inside e"},
		{"mixed", "", "some <one/> words", Shape{Content: Mixed}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := `<e xmlns="urn:a" ` + b + tt.attributes + ">" + tt.content + "</e>"
			doc, err := Parse([]byte(text), DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			err = doc.Fits(doc.Root, tt.shape)
			var placed *ContentError
			if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &placed) ||
				!strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q\n%s", err, tt.want, text)
			}
		})
	}
}

func TestIsURI(t *testing.T) {
	for text, want := range map[string]bool{
		"http://example.org/a?b#c": true, "urn:a:b": true, "a/b": true, "#c": true, "": true,
		"http://[::1]:80/": true, "http://example.org/é": true,
		"http://[::1": false, "http://example.org:port/": false, "%zz": false, "::": false,
		"1http://x": false, "http://x/##": false, "a]": false, "12:00": false,
	} {
		if got := IsURI(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
