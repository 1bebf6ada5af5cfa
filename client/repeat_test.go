package client

import (
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/wsdl"
)

// TestEveryOperationHasItsRow holds the table of what may be sent again against
// the table of operations, both ways.
func TestEveryOperationHasItsRow(t *testing.T) {
	offered := []string{"reboot"} // a kind of shutdown with a row of its own
	for _, o := range wsdl.Operations() {
		name := strings.ToLower(o.Name)
		offered = append(offered, name)
		if o.OneWay {
			continue // the service sends it
		}
		if !slices.ContainsFunc(repeats, func(r Repeat) bool {
			return strings.EqualFold(r.Operation, name)
		}) {
			t.Errorf("%s of %s has no row", o.Name, o.Service)
		}
	}
	for _, r := range Repeats() {
		if !slices.Contains(offered, strings.ToLower(r.Operation)) {
			t.Errorf("there is a row for %s, which no service offers", r.Operation)
		}
		if r.Why == "" {
			t.Errorf("no reason is given for %s", r.Operation)
		}
	}
}
