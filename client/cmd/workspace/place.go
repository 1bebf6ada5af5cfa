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

// inMessage is where those elements lie.
const inMessage = "/Envelope/Body/create/"

// place turns the place that a fault names in the message, which users never
// see, into the option that set it, or into a place in their own file.
func (c *deployCmd) place(err error) error {
	var f *client.Fault
	if !errors.As(err, &f) {
		return err
	}
	path := strings.TrimPrefix(f.Place.Path, inMessage)
	here := c.option(path)
	if here == "" {
		here = c.sources.find(path)
	}
	if here == "" {
		return err
	}
	there := fmt.Sprintf("%s (line %d)", f.Place.Path, f.Place.Line)
	return failf(exitCode(err), hintFor(err, ""), "%s",
		strings.Replace(err.Error(), there, here, 1))
}

// option returns the option that set an element of the message, "" when none did.
func (c *deployCmd) option(path string) string {
	for _, set := range []struct {
		by, path string
		given    bool
	}{
		{"--name", "metadata/name", c.Name != ""},
		{"--for", "resourceRequest/DeploymentTime", c.For != ""},
		{"--state", "resourceRequest/InitialState", c.State != ""},
		{"--memory", "resourceRequest/ResourceAllocation/IndividualPhysicalMemory", c.Memory != ""},
		{"--cpus", "resourceRequest/ResourceAllocation/IndividualCPUCount", c.CPUs != 0},
		{"--nodes", "resourceRequest/NodeNumber", c.Nodes != 0},
		{"--trash", "resourceRequest/ShutdownMechanism", c.Trash},
		{"--save-to", "resourceRequest/PostShutdown", c.SaveTo != ""},
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
