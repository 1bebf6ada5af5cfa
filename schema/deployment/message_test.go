package deployment

import (
	"errors"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// recorded returns the text of a message of the original client.
func recorded(t testing.TB, name string) string {
	t.Helper()
	return file(t, "..", "testdata", "recorded", name+".xml")
}

func TestDecodeCreate(t *testing.T) {
	doc := soaptest.Parse(t, recorded(t, "create-ssh-key"))
	got, err := DecodeCreate(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	if got.Metadata.Definition.Root.Location != "file://ttylinux-xen" ||
		got.Deployment.Mechanism != Trash || got.PartOfEnsemble || got.Ensemble != nil {
		t.Errorf("got %+v", got)
	}
	want := []File{{Content: "ssh-rsa AAAAB3Nza test@example\n",
		Path: "/root/.ssh/authorized_keys"}}
	if diff := cmp.Diff(want, got.Optional.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if u := got.Optional.UserData; u == nil || *u != "hello userdata\n" {
		t.Errorf("user data %v", u)
	}
}

func TestDecodeStaging(t *testing.T) {
	doc := soaptest.Parse(t, recorded(t, "create-staging"))
	got, err := DecodeCreate(doc, doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	in, out := got.Optional.StageIn, got.Optional.StageOut
	if in.Source != "gsiftp://yourcomputer/mnt/images/image01" || in.Destination != out.Source {
		t.Errorf("got %+v and %+v", in, out)
	}
}

// TestCreateErrors expects each part to be named as the document that is wrong.
func TestCreateErrors(t *testing.T) {
	tests := []struct{ name, from, to, document, path, want string }{
		{"metadata", ">Xen<", ">Bochs<", "workspace metadata",
			"/create/metadata/definition/requirements/VMM/type", `unknown VMM type "Bochs"`},
		{"request", ">1</ns11", ">0</ns11", "deployment request",
			"/create/resourceRequest/NodeNumber", `"0" is out of range`},
		{"optional", "/root/", "root/", "optional parameters",
			"/create/optionalParameters/filewrite/pathOnVM", "is not absolute"},
		{"message", "</create>", "<x/></create>", "create message", "/create/x",
			"element x is unknown here"},
		{"flag", "</create>", `<partOfEnsemble
			xmlns="http://www.globus.org/2008/06/workspace/types">maybe</partOfEnsemble></create>`,
			"create message", "/create/partOfEnsemble", `"maybe" is not a truth value`},
		{"reference", "</create>", `<ensembleEPR
			xmlns="http://www.globus.org/2008/06/workspace/types"/></create>`,
			"create message", "/create/ensembleEPR", "has no address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(recorded(t, "create-ssh-key"), tt.from, tt.to, 1)
			doc := soaptest.Parse(t, text)
			v, err := DecodeCreate(doc, doc.Root)
			var bad *xmlstrict.ContentError
			if !errors.As(err, &bad) || v != nil {
				t.Fatalf("got %v, %v", v, err)
			}
			if bad.Document != tt.document || bad.Path != tt.path ||
				!strings.Contains(bad.Err.Error(), tt.want) {
				t.Errorf("got %s %s: %v", bad.Document, bad.Path, bad.Err)
			}
		})
	}
}

func TestShutdown(t *testing.T) {
	tests := []struct {
		name string
		root xmlstrict.Name
		want ShutdownRequest
	}{
		{"shutdown-save", Shutdown, ShutdownRequest{ShutdownReadyForTransport,
			&PostShutdown{Target: "file://newname"}}},
		{"pause", Shutdown, ShutdownRequest{Type: ShutdownPause}},
		{"group-pause", ShutdownAll, ShutdownRequest{Type: ShutdownPause}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			enc := xmlstrict.NewEncoder()
			tt.want.Write(enc, tt.root)
			for _, text := range []string{recorded(t, tt.name), string(enc.Bytes())} {
				doc := soaptest.Parse(t, text)
				got, err := DecodeShutdown(doc, doc.Root)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(&tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestShutdownErrors(t *testing.T) {
	tests := []broken{
		{"type", "ReadyForTransport", "Explode", "/shutdownWorkspace/shutdownType", 1,
			`unknown shutdown type "Explode"`, "one of Normal, Pause"},
		{"target with another type", "ReadyForTransport", "Normal",
			"/shutdownWorkspace/PostShutdown", 1,
			"PostShutdown is only compatible with a ReadyForTransport request",
			"no PostShutdown with Normal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := soaptest.Parse(t, tt.breakUp(t, recorded(t, "shutdown-save")))
			_, err := DecodeShutdown(doc, doc.Root)
			tt.check(t, "shutdown message", err)
		})
	}
}

func BenchmarkDecodeCreate(b *testing.B) {
	doc := soaptest.Parse(b, recorded(b, "create"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeCreate(doc, doc.Root); err != nil {
			b.Fatal(err)
		}
	}
}

// placed checks that an error names its place.
func placed(t *testing.T, err error) {
	t.Helper()
	var bad *xmlstrict.ContentError
	if !errors.As(err, &bad) || bad.Path == "" {
		t.Errorf("an error without place: %v", err)
	}
}

// seed gives a fuzz target every document and message that there is.
func seed(f *testing.F) {
	for _, data := range soaptest.Documents(f) {
		f.Add(data)
	}
}

// stable reads a document, writes it, reads that and writes it again: it must
// be the same. What cannot be read must say where.
func stable[T any](
	t *testing.T, data []byte, read func(*xmlstrict.Document, *etree.Element) (T, error),
	write func(T, *xmlstrict.Encoder),
) {
	doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		return
	}
	v, err := read(doc, doc.Root)
	if err != nil {
		placed(t, err)
		return
	}
	first := soaptest.Written(t, func(enc *xmlstrict.Encoder) { write(v, enc) })
	again, err := read(first, first.Root)
	if err != nil {
		t.Fatalf("cannot read again what was read: %v", err)
	}
	second := soaptest.Written(t, func(enc *xmlstrict.Encoder) { write(again, enc) })
	if a, b := text(t, first), text(t, second); a != b {
		t.Errorf("written %s\nthen    %s", a, b)
	}
}

// text returns a document's text.
func text(t *testing.T, doc *xmlstrict.Document) string {
	t.Helper()
	enc := xmlstrict.NewEncoder()
	enc.Tree(doc.Root)
	return string(enc.Bytes())
}

// FuzzDecode feeds deployment requests.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Add([]byte(request))
	f.Add([]byte(termed))
	f.Fuzz(func(t *testing.T, data []byte) {
		stable(t, data, Decode, func(v *WorkspaceDeployment, enc *xmlstrict.Encoder) {
			v.Write(enc, RequestWire)
		})
		stable(t, data, Decode, func(v *WorkspaceDeployment, enc *xmlstrict.Encoder) {
			v.Write(enc, RequestFile) // which has terms too
		})
		stable(t, data, DecodeAllocation, (*ResourceAllocation).Write)
	})
}

// FuzzDecodeOptional feeds optional parameters.
func FuzzDecodeOptional(f *testing.F) {
	seed(f)
	f.Add([]byte(optionals))
	f.Fuzz(func(t *testing.T, data []byte) {
		stable(t, data, DecodeOptional, func(v *OptionalParameters, enc *xmlstrict.Encoder) {
			v.Write(enc, OptionalFile)
		})
	})
}

// FuzzDecodeMessages feeds the create and shutdown messages of both faces. What
// one face read, the other can write: its own parts apart.
func FuzzDecodeMessages(f *testing.F) {
	seed(f)
	for _, name := range []string{"create", "create-staging", "create-group"} {
		_, text := leased(f, name)
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		stable(t, data, DecodeCreate, (*CreateRequest).Write)
		stable(t, data, DecodeCreate, (*CreateRequest).WriteLease)
		stable(t, data, DecodeCreate, (*CreateRequest).WritePlan)
		stable(t, data, DecodeShutdown, (*ShutdownRequest).WriteLease)
		stable(t, data, DecodeShutdown, func(v *ShutdownRequest, enc *xmlstrict.Encoder) {
			v.Write(enc, ShutdownAll)
		})
	})
}
