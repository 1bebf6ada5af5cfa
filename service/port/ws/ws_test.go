package ws

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/port/producer"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

const (
	space = "http://www.globus.org/2008/06/workspace"
)

// desk is a Manager with one workspace, 7, that writes down what it is asked.
type desk struct {
	asked   []string
	state   workspace.State
	fault   string
	granted time.Time
	terms   []workspace.Terms // asked for
	shapes  []workspace.Shape // asked for
	why     *workspace.Refusal
	booking *workspace.Booking
	reading *workspace.Reading
}

func (d *desk) Workspace(
	_ context.Context, owner workspace.Owner, id workspace.ID,
) (*workspace.Workspace, error) {
	if owner != porttest.Owner || id != 7 {
		return nil, workspace.Errorf(workspace.NotFound, "find it", id.String(), "unknown")
	}
	return &workspace.Workspace{
		ID: 7, State: d.state, Fault: d.fault,
		Demand: workspace.Allocation{MemoryMB: 256, CPUs: 2, CPUsGiven: true, CPUPercent: 50},
		Lease:  workspace.Lease{Duration: time.Hour, Grace: time.Minute},
	}, nil
}

func (d *desk) note(words ...string) error {
	d.asked = append(d.asked, strings.Join(words, " "))
	return nil
}

func (d *desk) Start(_ context.Context, _ workspace.Owner, id workspace.ID) error {
	return d.note("start", id.String())
}

func (d *desk) Shutdown(
	_ context.Context, _ workspace.Owner, id workspace.ID, kind workspace.ShutdownKind, to string,
) error {
	return d.note("shutdown", id.String(), string(kind), to)
}

func (d *desk) Destroy(_ context.Context, _ workspace.Owner, id workspace.ID) error {
	return d.note("destroy", id.String())
}

func (d *desk) SetTermination(
	_ context.Context, _ workspace.Owner, id workspace.ID, at time.Time,
) (time.Time, error) {
	return d.granted, d.note("end", id.String(), wsrf.FormatTime(at))
}

func (d *desk) Renegotiate(
	_ context.Context, _ workspace.Owner, id workspace.ID, terms workspace.Terms,
) (*workspace.Workspace, error) {
	d.terms = append(d.terms, terms)
	return nil, d.note("renegotiate", id.String())
}

func (d *desk) Resize(
	_ context.Context, _ workspace.Owner, id workspace.ID, r workspace.Resize,
) (*workspace.Workspace, error) {
	d.shapes = append(d.shapes, r.Shape)
	return nil, d.note("resize", id.String())
}

func (d *desk) Use(context.Context, workspace.Owner, workspace.ID) (*workspace.Reading, error) {
	return d.reading, nil
}

func (d *desk) Explain(context.Context, workspace.Owner, workspace.ID) (
	*workspace.Refusal, *workspace.Booking, error,
) {
	return d.why, d.booking, nil
}

// serve returns the port type over the desk. Subscribing is tested with the
// producer.
func serve(d *desk) dispatch.Service { return New(wsdl.One, d, producer.Source{}) }

func shutdown(kind, more string) string {
	return `<shutdownWorkspace xmlns="` + space + `"><t:shutdownType xmlns:t="` + space +
		`/types">` + kind + `</t:shutdownType>` + more + `</shutdownWorkspace>`
}

const saveTo = `<n:PostShutdown xmlns:n="` + space + `/negotiable">` +
	`<n:rootPartitionUnpropagationTarget>sftp://r/new.img</n:rootPartitionUnpropagationTarget>` +
	`</n:PostShutdown>`

func TestOperationsReachTheManager(t *testing.T) {
	destroy := `<l:Destroy xmlns:l="` + schema.Lifetime + `"/>`
	tests := map[string]struct{ operation, body, asked, reply string }{
		"start": {"start", `<startWorkspace xmlns="` + space + `"/>`, "start 7",
			`<w:startWorkspaceResponse xmlns:w="` + space + `"/>`},
		"destroy": {"Destroy", destroy, "destroy 7",
			`<wsrl:DestroyResponse xmlns:wsrl="` + schema.Lifetime + `"/>`},
	}
	for _, kind := range []string{
		"Normal", "Pause", "Serialize", "Reboot", "Trash", "ReadyForTransport",
	} {
		tests[kind] = struct{ operation, body, asked, reply string }{
			"shutdown", shutdown(kind, ""), "shutdown 7 " + kind + " ",
			`<w:shutdownWorkspaceResponse xmlns:w="` + space + `"/>`,
		}
	}
	tests["save"] = struct{ operation, body, asked, reply string }{
		"shutdown", shutdown("ReadyForTransport", saveTo),
		"shutdown 7 ReadyForTransport sftp://r/new.img",
		`<w:shutdownWorkspaceResponse xmlns:w="` + space + `"/>`,
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := new(desk)
			reply, err := porttest.Call(t, serve(d), tt.operation, "7", tt.body)
			if err != nil || reply != tt.reply {
				t.Errorf("reply is %s, %v, want %s", reply, err, tt.reply)
			}
			if len(d.asked) != 1 || d.asked[0] != tt.asked {
				t.Errorf("the manager was asked %q, want %q", d.asked, tt.asked)
			}
		})
	}
}

func TestPostShutdownGoesWithReadyForTransportAlone(t *testing.T) {
	d := new(desk)
	_, err := porttest.Call(t, serve(d), "shutdown", "7", shutdown("Normal", saveTo))
	var content *xmlstrict.ContentError
	if !errors.As(err, &content) || len(d.asked) > 0 {
		t.Errorf("error is %v, the manager was asked %q", err, d.asked)
	}
}

func TestEveryOperationWantsAProperKey(t *testing.T) {
	s := serve(new(desk))
	for name := range s.Operations {
		_, err := porttest.Call(t, s, name, "x7", `<x/>`)
		var key *dispatch.InvalidKey
		if !errors.As(err, &key) {
			t.Errorf("%s: error is %v, want an invalid key", name, err)
		}
	}
}

func TestSetTerminationTime(t *testing.T) {
	d := &desk{granted: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)}
	reply, err := porttest.Call(t, serve(d), "SetTerminationTime", "7",
		`<l:SetTerminationTime xmlns:l="`+schema.Lifetime+`"><l:RequestedTerminationTime>`+
			`2036-06-01T02:00:00+02:00</l:RequestedTerminationTime></l:SetTerminationTime>`)
	if err != nil || d.asked[0] != "end 7 2036-06-01T00:00:00.000Z" ||
		!strings.Contains(reply, "NewTerminationTime>2036-01-01T00:00:00.000Z<") {
		t.Errorf("asked %q, reply is %s, %v", d.asked, reply, err)
	}
}

func TestProperties(t *testing.T) {
	query := `<p:QueryResourceProperties xmlns:p="` + schema.Properties +
		`"><p:QueryExpression Dialect="` + wsrf.XPathDialect + `">/</p:QueryExpression>` +
		`</p:QueryResourceProperties>`
	tests := map[string]struct {
		desk desk
		says []string
		not  string
	}{
		"running": {desk{state: workspace.Running}, []string{
			">Running<", "IndividualCPUCount", ">2.0<", "CPUPercentage", ">50.0<", ">256.0<",
			":Topic ", "TopicExpressionDialects", "FixedTopicSet",
		}, "WorkspaceFault"},
		"on its way": {desk{state: workspace.ReadyingForTransport}, []string{">Propagated<"},
			"ReadyingForTransport"},
		"given up": {desk{state: workspace.Propagated, fault: "no room in the repository"},
			[]string{">Propagated<", "WorkspaceFault", "no room in the repository"}, "Corrupted"},
		"corrupted": {desk{state: workspace.Corrupted, fault: "image is damaged"}, []string{
			">Corrupted<", "WorkspaceFault", "image is damaged",
		}, "Running"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			reply, err := porttest.Call(t, serve(&tt.desk), "QueryResourceProperties", "7", query)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range tt.says {
				if !strings.Contains(reply, text) {
					t.Errorf("properties lack %s: %s", text, reply)
				}
			}
			if strings.Contains(reply, tt.not) {
				t.Errorf("properties have %s: %s", tt.not, reply)
			}
		})
	}
}
