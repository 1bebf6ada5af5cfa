package dispatch

import (
	"reflect"
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

// TestFaultsAreDeclared holds the table of faults against the WSDL: what an
// operation of face two answers with, its description declares, and every row is
// that of an operation.
func TestFaultsAreDeclared(t *testing.T) {
	declared := map[string][]xmlstrict.Name{}
	for _, o := range wsdl.Operations() {
		if o.Face == wsdl.Two {
			for _, f := range o.Faults {
				declared[o.Name] = append(declared[o.Name], xmlstrict.Name(f))
			}
		}
	}
	for operation, row := range faultsTwo.operations {
		if declared[operation] == nil {
			t.Errorf("%s is no operation of face two, or declares no fault", operation)
		}
		if operation == "PullMessages" {
			continue // ONVIF declares a fault of its own, and for other things
		}
		v := reflect.ValueOf(row)
		for i := range v.NumField() {
			name := xmlstrict.Name{Space: v.Field(i).Field(0).String(),
				Local: v.Field(i).Field(1).String()}
			if name != (xmlstrict.Name{}) && name != plainTwo &&
				!slices.Contains(declared[operation], name) {
				t.Errorf("%s answers with %s, which its WSDL does not declare", operation, name)
			}
		}
	}
	for operation := range declared {
		if _, ok := faultsTwo.operations[operation]; !ok {
			t.Errorf("%s has no row of faults", operation)
		}
	}
}
