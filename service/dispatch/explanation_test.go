package dispatch_test

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
)

// TestExplanations finds why there is no room first in the faults of face two,
// and nothing of it on face one, whose clients know no such element.
func TestExplanations(t *testing.T) {
	m, address := twoFaces(t)
	const why = `<p:Explanation xmlns:p="urn:philoxenia:2026:workspace"><p:Code>taken</p:Code>`
	resize := question{body: `<r:SetResourceProperties xmlns:r="` + schema.Properties2 +
		`" xmlns:p="` + schema.Lease + `" xmlns:q="` + schema.Terms + `"><r:Update>` +
		`<p:Allocation><q:MemoryMB>2000000</q:MemoryMB></p:Allocation></r:Update></r:SetResourceProperties>`}
	a := resize.ask(t, address)
	a.expect(t, 500, why, "<p:Change>smaller</p:Change>", "<q:MemoryMB>4</q:MemoryMB>",
		":UnableToModifyResourcePropertyFault ", `ResourcePropertyChangeFailure Restored="true"`,
		">no resource<")
	if strings.Index(a.text, "Explanation") > strings.Index(a.text, "Timestamp") {
		t.Errorf("the reason stands behind the time: %s", a.text)
	}
	later := func(space string) string {
		return `<l:SetTerminationTime xmlns:l="` + space + `"><l:RequestedTerminationTime>` +
			`2099-01-01T00:00:00Z</l:RequestedTerminationTime></l:SetTerminationTime>`
	}
	m.fail = full
	question{body: later(schema.Lifetime2)}.ask(t, address).expect(t, 500, why,
		":TerminationTimeChangeRejectedFault ")
	m.fail = full
	status, reply := post(t, address, workspacePath, payload(later(schema.Lifetime)))
	if status != 500 || strings.Contains(reply, "Explanation") ||
		!strings.Contains(reply, "memory: wanted 9 MB, node-1 has 0 free") {
		t.Errorf("face one says %d: %s", status, reply)
	}
}
