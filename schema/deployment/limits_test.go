package deployment

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
)

// TestTooMany repeats each part as often as it may be there, and once more.
func TestTooMany(t *testing.T) {
	const (
		entry = `<entry><partitionName>a#</partitionName><j:IndividualDiskSpace>` +
			`<j:Exact>512.0</j:Exact></j:IndividualDiskSpace></entry>`
		exact = `<j:Exact>256.0</j:Exact>`
	)
	storage := request[strings.Index(request, "<entry>"):strings.Index(request, "</Storage>")]
	tests := []struct {
		name, from, part string
		most             int
	}{
		{"entries", storage, entry, maxParts},
		{"exact amounts", exact, exact, maxParts},
		{"intervals", exact, `<j:Range><j:LowerBound>1</j:LowerBound>` +
			`<j:UpperBound>2</j:UpperBound></j:Range>`, maxParts},
		{"interfaces", "<Storage>", `<nic><name>eth#</name></nic>`, maxParts},
	}
	for _, tt := range tests {
		for _, n := range []int{tt.most, tt.most + 1} {
			var parts strings.Builder
			for i := range n {
				number := strings.Repeat("i", i) // names must differ
				parts.WriteString(strings.ReplaceAll(tt.part, "#", number))
			}
			to := parts.String()
			if tt.name == "interfaces" {
				to = "<Bandwidth>" + to + "</Bandwidth><Storage>"
			}
			doc := soaptest.Parse(t, strings.Replace(request, tt.from, to, 1))
			_, err := Decode(doc, doc.Root)
			if (err == nil) != (n == tt.most) ||
				err != nil && !strings.Contains(err.Error(), "at most 64") {
				t.Errorf("%d %s: %v", n, tt.name, err)
			}
		}
	}
}

// TestTooManyFiles does the same for files to write.
func TestTooManyFiles(t *testing.T) {
	const file = `<filewrite><content>x</content><pathOnVM>/x</pathOnVM></filewrite>`
	for _, n := range []int{maxFiles, maxFiles + 1} {
		doc := soaptest.Parse(t, `<OptionalParameters xmlns="`+OptionalFile.Space+`">`+
			strings.Repeat(file, n)+`</OptionalParameters>`)
		if _, err := DecodeOptional(doc, doc.Root); (err == nil) != (n == maxFiles) {
			t.Errorf("%d files: %v", n, err)
		}
	}
}
