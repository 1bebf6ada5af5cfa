package client

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

func TestFaults(t *testing.T) {
	is := map[string]func(error) bool{
		"unknown": IsUnknown, "denied": IsDenied, "no resource": IsNoResource,
		"conflict": IsConflict, "invalid": IsInvalid,
	}
	tests := []struct {
		name xmlstrict.Name
		text string
		want []string
	}{
		{inTypes("WorkspaceUnknownFault"), "", []string{"unknown"}},
		{wsrf.Draft.Names().UnknownToLifetime, "", []string{"unknown"}},
		{wsn.Draft.Names().ResourceUnknown, "", []string{"unknown"}},
		{inTypes("WorkspaceResourceRequestDeniedFault"), "too long", []string{"denied"}},
		{inTypes("WorkspaceResourceRequestDeniedFault"),
			"memory: wanted 9 MB, h1 has 8 free; it would fit from noon",
			[]string{"denied", "no resource"}},
		{wsrf.Draft.Names().TerminationTimeChangeRejected, "", []string{"denied"}},
		{inTypes("OperationDisabledFault"), "", []string{"conflict"}},
		{inTypes("WorkspaceSchedulingFault"), "", []string{"conflict"}},
		{inTypes("WorkspaceMetadataFault"), "", []string{"invalid"}},
		{wsrf.Draft.Names().InvalidQueryExpression, "", []string{"invalid"}},
		{inTypes("WorkspaceCreationFault"), "", nil},
	}
	for _, test := range tests {
		t.Run(test.name.Local+" "+test.text, func(t *testing.T) {
			f := newFake(t, failWith(test.name, test.text))
			err := start(t.Context(), f.client(t, Options{}))
			var fault *Fault
			if !errors.As(err, &fault) || fault.Name != test.name {
				t.Fatalf("error %#v, expected the fault %s", err, test.name)
			}
			for kind, holds := range is {
				expected := false
				for _, w := range test.want {
					expected = expected || w == kind
				}
				if holds(err) != expected {
					t.Errorf("is it %s? %t", kind, !expected)
				}
			}
		})
	}
}

// TestFaultsExplain reads the explanation that a fault about room has.
func TestFaultsExplain(t *testing.T) {
	want := &report.Explanation{
		Code: "taken", Text: "no room", Blocking: []int64{3},
		Offers: []report.Offer{{Change: "fewer", Nodes: 2}},
	}
	refuse := func(w http.ResponseWriter) {
		enc := new(xmlstrict.Encoder)
		fault := wsrf.BaseFault{
			Name: inTypes("WorkspaceResourceRequestDeniedFault"), Description: []string{"no room"},
			More: want.Write,
		}
		soap.WriteFault(enc, soap.V11, nil, fault.SOAP())
		w.Header().Set("Content-Type", soap.V11.ContentType())
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(enc.Bytes())
	}
	var f *Fault
	err := start(t.Context(), newFake(t, refuse).client(t, Options{}))
	if !errors.As(err, &f) {
		t.Fatalf("error %v, expected a fault", err)
	}
	if diff := cmp.Diff(want, f.Explanation); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFaultTexts(t *testing.T) {
	name := inTypes("WorkspaceMetadataFault")
	tests := []struct {
		name, description, want string
		place                   Place
	}{
		{"what the service says", "no memory request",
			"cannot start workspace 7: no memory request", Place{}},
		{"no stutter", "cannot start the workspace: it is Corrupted",
			"cannot start the workspace: it is Corrupted", Place{}},
		{"the cause stands in", "", "cannot start workspace 7: deep down", Place{}},
		{"the place is found",
			"cannot create the workspace: deployment request /resourceRequest/NodeNumber[2] " +
				"(line 14): zero",
			"cannot create the workspace: deployment request /resourceRequest/NodeNumber[2] " +
				"(line 14): zero",
			Place{"/resourceRequest/NodeNumber[2]", 14}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, failWith(name, test.description))
			err := start(t.Context(), f.client(t, Options{}))
			if err.Error() != test.want {
				t.Errorf("text %q, expected %q", err, test.want)
			}
			var fault *Fault
			if errors.As(err, &fault); fault.Place != test.place {
				t.Error(cmp.Diff(test.place, fault.Place))
			}
			if fault.Timestamp.IsZero() || fault.Code != "Server.generalException" {
				t.Errorf("fault %+v", fault)
			}
		})
	}
}

func TestOverflowIsNoOtherTrouble(t *testing.T) {
	name := wsn.Final.Names().UnableToGetMessages
	for kind, want := range map[string]bool{"": true, "quota": true, "unavailable": false} {
		err := error(&Fault{Name: name, Kind: kind})
		if got := errors.Is(err, ErrOverflow); got != want {
			t.Errorf("of the kind %q: %t, expected %t", kind, got, want)
		}
	}
}
