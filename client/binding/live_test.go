package binding

import (
	"context"
	"encoding/xml"
	"errors"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/client/binding/soap"
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// start runs workspaced --demo and returns where its services of face two are.
func start(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	if err := daemon.Build(bin); err != nil {
		t.Fatal(err)
	}
	p, err := daemon.Start(t.Context(), daemon.Options{Bin: bin, Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p.URL + "/ws/"
}

// TestAgainstTheDaemon leases a workspace, reads it, ends it, and is told that
// it is gone, with nothing but the generated types and services.
func TestAgainstTheDaemon(t *testing.T) {
	services := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	factory := NewWorkspaceFactoryPort(soap.NewClient(services + "WorkspaceFactory"))
	created, err := factory.CreateContext(ctx, &Create{
		VirtualWorkspace:    example[VirtualWorkspace](t, "metadata.xml"),
		WorkspaceDeployment: example[WorkspaceDeployment](t, "request.xml"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(created.Workspace) != 1 || created.Workspace[0].Key == "" ||
		created.Workspace[0].Schedule.Duration == nil || created.Group != nil {
		t.Fatalf("created %+v", created)
	}
	workspace := NewWorkspacePort(At(soap.NewClient(""), created.Workspace[0].Reference))
	document, err := workspace.GetResourcePropertyDocumentContext(ctx,
		&GetResourcePropertyDocument{})
	if err != nil {
		t.Fatal(err)
	}
	checkProperties(t, document)
	checkPropertyByName(ctx, t, workspace)
	if _, err := workspace.DestroyContext(ctx, &Destroy{}); err != nil {
		t.Fatal(err)
	}
	_, err = workspace.GetResourcePropertyDocumentContext(ctx, &GetResourcePropertyDocument{})
	var fault *soap.Fault
	if !errors.As(err, &fault) || !fault.Has(schema.Resource2, "ResourceUnknownFault") {
		t.Fatalf("after the end: %v", err)
	}
	var unknown ResourceUnknownFault
	if err := fault.Detail[0].Decode(&unknown); err != nil || unknown.Timestamp.IsZero() {
		t.Errorf("the fault's detail is %+v: %v", unknown, err)
	}
}

// checkProperties looks into the document of a workspace that was just leased.
func checkProperties(t *testing.T, document *GetResourcePropertyDocumentResponse) {
	t.Helper()
	if len(document.Items) != 1 {
		t.Fatalf("the document has %d roots", len(document.Items))
	}
	var p WorkspaceProperties
	if err := document.Items[0].Decode(&p); err != nil {
		t.Fatal(err)
	}
	if p.CurrentState == nil || p.CurrentState.State == nil || *p.CurrentState.State == "" {
		t.Errorf("the state is %+v", p.CurrentState)
	}
	if p.Schedule == nil || *p.Schedule.Duration != "PT1800S" {
		t.Errorf("the schedule is %+v, %s", p.Schedule, *p.Schedule.Duration)
	}
	nics := p.Logistics.Networking.Nic
	if len(nics) != 1 || nics[0].Name != "eth0" || nics[0].IpConfig.IpAddress == "" {
		t.Errorf("the network is %+v", nics)
	}
	if memory := p.ResourceAllocation.IndividualPhysicalMemory; memory.Exact[0].Value != 256 {
		t.Errorf("the memory is %+v", memory)
	}
	if p.CurrentTime.Value.IsZero() || p.TerminationTime.Value.Before(p.CurrentTime.Value.Time) {
		t.Errorf("it is %v, the end is %v", p.CurrentTime, p.TerminationTime)
	}
}

// checkPropertyByName asks for one property by its qualified name.
func checkPropertyByName(ctx context.Context, t *testing.T, workspace WorkspacePort) {
	t.Helper()
	name := QName("t:currentState")
	one, err := workspace.GetMultipleResourcePropertiesContext(ctx,
		&GetMultipleResourceProperties{ResourceProperty: []*QName{&name}})
	if err != nil {
		t.Fatal(err)
	}
	want := xml.Name{Space: schema.Types, Local: "currentState"}
	if len(one.Items) != 1 || one.Items[0].Name() != want {
		t.Errorf("asked for %s, got %+v", name, one.Items)
	}
	if _, err := workspace.GetResourcePropertyContext(ctx, &name); err != nil {
		t.Errorf("one property: %v", err)
	}
}
