package contract

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/wsdl"
)

// timed returns an example request with its times so long from now on; the year
// that the examples have is for people.
func timed(t *testing.T, name string, from time.Duration) string {
	t.Helper()
	start := time.Now().Add(from).UTC()
	text := example(t, name)
	for _, rule := range []struct {
		element string
		at      time.Time
	}{
		{"Start", start}, {"Until", start.Add(time.Hour)}, {"Deadline", start.Add(9 * time.Hour)},
	} {
		text = regexp.MustCompile(`(<`+rule.element+`>)[^<]*<`).
			ReplaceAllString(text, "${1}"+rule.at.Format(time.RFC3339)+"<")
	}
	return text
}

// TestLeaseRepliesAreValid asks for leases of every kind, and for all that is
// told of them.
func TestLeaseRepliesAreValid(t *testing.T) {
	c := newCaller(t, wsdl.Two, start(t))
	about := example(t, "metadata.xml")
	c.ask(request{"WorkspaceFactory", "Plan", about + example(t, "request.xml"), ""})
	for name, status := range map[string]string{
		"request-reservation.xml": "accepted", "request-best-effort.xml": "",
	} {
		asked := about + timed(t, name, 24*time.Hour)
		planned := c.ask(request{"WorkspaceFactory", "Plan", asked, ""})
		if status != "" && inside(t, planned, "Status") != status {
			t.Errorf("the plan of %s is %s", name, planned)
		}
		created := c.ask(request{"WorkspaceFactory", "Create", asked, ""})
		key := `<w:WorkspaceKey>` + inside(t, created, "Key") + `</w:WorkspaceKey>`
		told := c.ask(request{"Workspace", "GetResourcePropertyDocument", "", key})
		if !strings.Contains(told, "<p:Lease>") || !strings.Contains(told, "<p:Allocation") {
			t.Errorf("%s: it tells %s", name, told)
		}
		c.ask(request{"Workspace", "GetResourceProperty", "p:Explanation", key})
		c.ask(request{"Workspaces", "GetResourcePropertyDocument", "", ""})
		if bars := c.ask(request{"WorkspaceFactory", "QuerySchedule", "", ""}); !strings.Contains(
			bars, "<p:Bar>") {
			t.Errorf("nothing is planned: %s", bars)
		}
		c.ask(request{"Workspace", "Destroy", "", key})
	}
}

// TestRefusedTermsLeaveNoTrace asks for what cannot be, and finds no workspace
// afterwards.
func TestRefusedTermsLeaveNoTrace(t *testing.T) {
	c := newCaller(t, wsdl.Two, start(t))
	about := example(t, "metadata.xml")
	reservation, deadline := timed(t, "request-reservation.xml", time.Hour),
		timed(t, "request-deadline.xml", time.Hour)
	for says, asked := range map[string]string{
		"LeaseTerms/Start (line":     timed(t, "request-reservation.xml", -time.Minute),
		"LeaseTerms/Deadline (line":  timed(t, "request-deadline.xml", -8*time.Hour),
		"<p:Explanation":             strings.Replace(reservation, ">1024<", ">2000000000<", 1),
		"LeaseTerms/Part[1]: ":       strings.Replace(reservation, "<Nodes>2<", "<Nodes>3<", 1),
		"LeaseTerms/Near/Workspace:": strings.Replace(deadline, ">7<", ">0<", 1),
		"LeaseTerms/Near (line":      strings.Replace(deadline, ">7<", ">4711<", 1),
		"LeaseTerms/Apart/Host: ":    strings.Replace(deadline, ">node1<", "><", 1),
	} {
		for _, operation := range []string{"Plan", "Create"} {
			said := c.refuse(request{"WorkspaceFactory", operation, about + asked, ""})
			if !strings.Contains(said, says) {
				t.Errorf("%s does not say %s: %s", operation, says, said)
			}
		}
	}
	all := c.ask(request{"Workspaces", "GetResourcePropertyDocument", "", ""})
	if strings.Contains(all, "WorkspaceKey") {
		t.Errorf("workspaces are there: %s", all)
	}
}

// TestShapesAndModes resizes a workspace that runs, more than there is and then
// to what was offered, and drains its host.
func TestShapesAndModes(t *testing.T) {
	c := newCaller(t, wsdl.Two, start(t))
	created := c.ask(request{"WorkspaceFactory", "Create",
		example(t, "metadata.xml") + example(t, "request.xml"), ""})
	key := `<w:WorkspaceKey>` + inside(t, created, "Key") + `</w:WorkspaceKey>`
	c.untilRunning(key)
	shape := func(parts string) string {
		return `<Update><p:Allocation xmlns:q="urn:philoxenia:2026:terms">` + parts +
			`</p:Allocation></Update>`
	}
	c.ask(request{"Workspace", "SetResourceProperties",
		shape("<q:MemoryMB>384</q:MemoryMB>"), key})
	told := c.ask(request{"Workspace", "GetResourceProperty", "p:Allocation", key})
	if inside(t, told, "MemoryMB") != "384" {
		t.Errorf("after a resize it has %s", told)
	}
	refused := c.refuse(request{"Workspace", "SetResourceProperties",
		shape("<q:MemoryMB>2000000000</q:MemoryMB>"), key})
	offered := regexp.MustCompile(`(?s)<p:Offer>.*?<q:MemoryMB>(\d+)<`).FindStringSubmatch(refused)
	if offered == nil {
		t.Fatalf("nothing is offered: %s", refused)
	}
	c.ask(request{"Workspace", "SetResourceProperties",
		shape("<q:MemoryMB>" + offered[1] + "</q:MemoryMB>"), key})
	c.refuse(request{"Workspace", "SetResourceProperties",
		shape("<q:MemoryMB>0</q:MemoryMB>"), key})
	c.modes()
}

// modes drains a host and opens it again.
func (c *caller) modes() {
	c.t.Helper()
	hosts := c.ask(request{"Hosts", "GetResourcePropertyDocument", "", ""})
	host := `<p:HostKey>` + inside(c.t, hosts, "HostKey") + `</p:HostKey>`
	day := time.Now().Add(24 * time.Hour).UTC()
	window := func(until time.Time) string {
		return `<p:Window><p:Begin>` + day.Format(time.RFC3339) + `</p:Begin><p:End>` +
			until.Format(time.RFC3339) + `</p:End><p:Rule>FREQ=WEEKLY;COUNT=3</p:Rule></p:Window>`
	}
	for _, mode := range []string{
		`<p:Drained>true</p:Drained><p:Comment>new disks</p:Comment>`,
		`<p:Drained>false</p:Drained>` + window(day.Add(time.Hour)),
		`<p:Drained>false</p:Drained>`,
	} {
		c.ask(request{"Host", "SetResourceProperties",
			`<Update><p:Mode>` + mode + `</p:Mode></Update>`, host})
		c.ask(request{"Host", "GetResourcePropertyDocument", "", host})
		c.ask(request{"Hosts", "GetResourcePropertyDocument", "", ""})
	}
	c.refuse(request{"Host", "SetResourceProperties", `<Update><p:Mode><p:Drained>0</p:Drained>` +
		window(day) + `</p:Mode></Update>`, host})
}
