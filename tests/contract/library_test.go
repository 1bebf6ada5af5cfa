package contract

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/wsdl"
)

// described is an image as messages have it.
func described(name, location string) string {
	return `<i:Image xmlns:i="urn:philoxenia:2026:library"><i:Name>` + name +
		`</i:Name><i:Version>1</i:Version><i:Shelf>own</i:Shelf><i:Location>` + location +
		`</i:Location><i:Architecture>x86</i:Architecture><i:VMM>KVM</i:VMM><i:Software>` +
		`<i:Name>python</i:Name><i:Version>3.9.2</i:Version></i:Software></i:Image>`
}

// about is the reference of a message.
func about(reference string) string {
	return `<i:Reference xmlns:i="urn:philoxenia:2026:library">` + reference + `</i:Reference>`
}

// TestLibraryRepliesAreValid asks for all that the image library does, and for what it
// refuses.
func TestLibraryRepliesAreValid(t *testing.T) {
	c := newCaller(t, wsdl.Two, start(t))
	ask := func(operation, content string) string {
		t.Helper()
		return c.ask(request{"Images", operation, content, ""})
	}
	refuse := func(operation, content, fault string) {
		t.Helper()
		if said := c.refuse(request{"Images", operation, content, ""}); !strings.Contains(
			said, fault) {
			t.Errorf("%s does not say %s: %s", operation, fault, said)
		}
	}
	ask("QueryImages", "")
	added := ask("AddImage", described("tty", "file://ttylinux-xen"))
	if !strings.Contains(added, ">4096</") {
		t.Errorf("it was added as %s", added)
	}
	refuse("AddImage", described("tty", "file://ttylinux-xen"), "MetadataFault")
	refuse("AddImage", described("none", "file://none"), "UnknownFault")
	refuse("GetImage", about("none"), "UnknownFault")
	refuse("VerifyImage", about("none"), "UnknownFault")
	refuse("RemoveImage", about("none"), "UnknownFault")
	ask("VerifyImage", about("tty"))
	ask("GetImage", about("tty:1"))
	ask("ChangeImage", about("tty")+
		`<i:Tag xmlns:i="urn:philoxenia:2026:library">stable</i:Tag>`)
	query := func(text string) string {
		return `<i:Query xmlns:i="urn:philoxenia:2026:library">` + text + `</i:Query>`
	}
	if found := ask("QueryImages", query("software.python&gt;=3.9 tag=stable")); !strings.Contains(
		found, ">tty</") {
		t.Errorf("it found %s", found)
	}
	if found := ask("QueryImages", query("arch=arm64")); !strings.Contains(found, "arch=arm64") {
		t.Errorf("it does not say why: %s", found)
	}
	refuse("QueryImages", query("arch"), "MetadataFault")
	ask("RemoveImage", about("tty"))
	for _, op := range wsdl.Operations() {
		if op.Service == "Images" && !c.asked[op.Name] {
			t.Errorf("nobody asked for %s", op.Name)
		}
	}
}
