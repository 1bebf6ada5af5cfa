package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// A source is a file from which a part of the request came.
type source struct {
	name string
	doc  *xmlstrict.Document
}

// sources are the files of a request, by the element of the message that
// carries what was in them.
type sources map[string]source

// inMessage is where those elements lie in face one, and inLease in face two.
const (
	inMessage = "/Envelope/Body/create/"
	inLease   = "/Envelope/Body/Create/"
	inPlan    = "/Envelope/Body/Plan/"
)

// inFaceOne are the elements of face two's message by their names in face one's.
var inFaceOne = map[string]string{
	"VirtualWorkspace": "metadata", "WorkspaceDeployment": "resourceRequest",
	"OptionalParameters": "optionalParameters",
}

// within returns the place in the message below the message's own element, as
// face one names it.
func within(path string) string {
	for _, before := range []string{inLease, inPlan} {
		if below, ok := strings.CutPrefix(path, before); ok {
			part, rest, _ := strings.Cut(below, "/")
			return strings.TrimSuffix(inFaceOne[part]+"/"+rest, "/")
		}
	}
	return strings.TrimPrefix(path, inMessage)
}

// place turns the place that a fault names in the message, which users never
// see, into the option that set it, or into a place in their own file.
func (c *deployCmd) place(err error) error {
	var f *client.Fault
	if !errors.As(err, &f) {
		return err
	}
	path := within(f.Place.Path)
	here := c.option(path)
	if here == "" {
		here = c.sources.find(path)
	}
	if here == "" {
		return err
	}
	there := fmt.Sprintf("%s (line %d)", f.Place.Path, f.Place.Line)
	return &failure{exitCode(err), placed{err, strings.Replace(err.Error(), there, here, 1)},
		hintFor(err, "")}
}

// A placed error says in its text where users find what it is about.
type placed struct {
	error
	text string
}

// Error returns the text.
func (p placed) Error() string { return p.text }

// Unwrap returns the error as the service told it.
func (p placed) Unwrap() error { return p.error }

// terms are the terms of a lease within the request.
const terms = "resourceRequest/LeaseTerms"

// option returns the option that set an element of the message, "" when none did.
func (c *deployCmd) option(path string) string {
	for _, set := range []struct {
		by, path string
		given    bool
	}{
		{"--name", "metadata/name", c.Name != ""},
		{"--for", "resourceRequest/DeploymentTime", c.For != ""},
		{"--until", "resourceRequest/DeploymentTime", c.Until != ""},
		{"--state", "resourceRequest/InitialState", c.State != ""},
		{"--memory", "resourceRequest/ResourceAllocation/IndividualPhysicalMemory", c.Memory != ""},
		{"--cpus", "resourceRequest/ResourceAllocation/IndividualCPUCount", c.CPUs != ""},
		{"--nodes", "resourceRequest/NodeNumber", c.Nodes != 0},
		{"--trash", "resourceRequest/ShutdownMechanism", c.Trash},
		{"--save-to", "resourceRequest/PostShutdown", c.SaveTo != ""},
		{"--start", terms + "/Start", c.Start != ""},
		{"--deadline", terms + "/Deadline", c.Deadline != ""},
		{"--warn", terms + "/Warn", c.Warn != ""},
		{"--disk", terms + "/Extra/DiskMB", c.Disk != ""},
		{"--net-in", terms + "/Extra/NetInKbps", c.NetIn != ""},
		{"--net-out", terms + "/Extra/NetOutKbps", c.NetOut != ""},
		{"--part", terms + "/Part", len(c.Part) > 0},
		{"--near", terms + "/Near", c.Near.On},
		{"--apart", terms + "/Apart", c.Apart.On},
	} {
		if set.given && strings.HasPrefix(path, set.path) {
			return set.by
		}
	}
	return ""
}

// find returns where in its file an element of the message is, "" when it is
// in none.
func (s sources) find(path string) string {
	part, below, _ := strings.Cut(path, "/")
	from, ok := s[part]
	if !ok {
		return ""
	}
	path = "/" + from.doc.Root.Tag + "/" + below
	for _, e := range from.doc.Root.FindElements(".//*") {
		if from.doc.Path(e) == path {
			return fmt.Sprintf("file %q, line %d, %s", from.name, from.doc.Line(e), path)
		}
	}
	return ""
}
