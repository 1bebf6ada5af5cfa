package query

import (
	"fmt"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var (
	inGroup     = xmlstrict.In(schema.ServiceGroup2)
	inTypes     = xmlstrict.In(schema.Types)
	inLogistics = xmlstrict.In(schema.Logistics)
)

// entries is how many entries the group of the benchmarks has.
const entries = 10_000

// writeEntry writes an entry of a service group about a workspace, with some
// thirty elements, as the service does.
func writeEntry(enc *xmlstrict.Encoder, i int) {
	key := xmlstrict.Name{Space: schema.Workspace, Local: "WorkspaceKey"}
	enc.Start(inGroup("Entry"))
	for _, at := range []string{"ServiceGroupEntryEPR", "MemberServiceEPR"} {
		wsa.NewEPR("http://leases.example.org/ws/"+at, key, fmt.Sprint(i)).
			Write(enc, inGroup(at), wsa.V200508)
	}
	enc.Start(inGroup("Content"))
	enc.Start(xmlstrict.Name{Space: schema.Workspace, Local: "ServiceRPSet"})
	writeContent(enc, i)
	enc.End()
	enc.End()
	enc.End()
}

// writeContent writes a workspace's properties.
func writeContent(enc *xmlstrict.Encoder, i int) {
	states := []string{"Running", "Paused", "Propagated", "Unstaged"}
	enc.Start(inTypes("currentState"))
	enc.Element(inTypes("state"), states[i%len(states)])
	enc.End()
	enc.Start(inTypes("schedule"))
	enc.Element(inTypes("ActualInstantiationTime"), "2026-11-22T03:00:00.000Z")
	enc.Element(inTypes("Duration"), "PT3600S")
	enc.Element(inTypes("ActualTerminationTime"), "2026-11-22T04:00:00.000Z")
	enc.End()
	enc.Start(inLogistics("logistics"))
	enc.Start(inLogistics("networking"))
	for nic := range 2 {
		enc.Start(inLogistics("nic"))
		enc.Element(inLogistics("name"), fmt.Sprint("eth", nic))
		enc.Element(inLogistics("MAC"), "52:54:00:12:34:56")
		enc.Start(inLogistics("ipConfig"))
		enc.Element(inLogistics("acquisitionMethod"), "AllocateAndConfigure")
		enc.Element(inLogistics("ipAddress"), fmt.Sprintf("10.0.%d.%d", i/250, i%250))
		enc.Element(inLogistics("hostname"), fmt.Sprintf("pub%05d.example.org", i))
		enc.Element(inLogistics("netmask"), "255.255.0.0")
		enc.End()
		enc.Element(inLogistics("association"), "public & private")
		enc.End()
	}
	enc.End()
	enc.End()
}

// entry returns what writeEntry writes.
func entry(enc *xmlstrict.Encoder, i int) []byte {
	enc.Reset()
	writeEntry(enc, i)
	return enc.Bytes()
}

// group returns a service group with n entries.
func group(t testing.TB, n int) *Forest {
	t.Helper()
	f := &Forest{Root: inGroup("ServiceGroupRP")}
	names, enc := new(Names), xmlstrict.NewEncoder()
	for i := range n {
		d, err := names.Read(entry(enc, i))
		if err != nil {
			t.Fatal(err)
		}
		f.Pieces = append(f.Pieces, d)
	}
	return f
}

// asked are what the benchmarks ask of the group.
var asked = map[string]string{
	"running": "//t:currentState[t:state='Running']",
	"members": "/*/sg:Entry[sg:Content//t:state='Paused']/sg:MemberServiceEPR",
	"one":     "/*/sg:Entry[sg:Content//ws:WorkspaceKey='x' or .//l:ipAddress='10.0.39.7']",
	"count":   "count(//l:nic[l:name='eth1'])",
	"first":   "/*/sg:Entry[1]",
	"text":    "//l:hostname[starts-with(., 'pub0999')]/text()",
}

// BenchmarkGroup asks a service group with 10,000 entries, and writes the
// answer.
func BenchmarkGroup(b *testing.B) {
	f := group(b, entries)
	for name, text := range asked {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ask(b, f, text)
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/query")
		})
	}
}

// ask compiles an expression, evaluates it and writes the answer.
func ask(b *testing.B, f *Forest, text string) {
	e, err := Compile(text, prefixes)
	if err != nil {
		b.Fatal(err)
	}
	results, err := e.Select(f)
	if err != nil || results.Len() == 0 {
		b.Fatalf("%s: %d results, %v", text, results.Len(), err)
	}
	enc := xmlstrict.Borrow()
	results.Write(enc)
	if enc.Err() != nil {
		b.Fatal(enc.Err())
	}
	enc.Release()
}

// BenchmarkRead builds the group anew each time, as if every entry had changed,
// and for comparison only writes the entries.
func BenchmarkRead(b *testing.B) {
	b.Run("write and read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			group(b, entries)
		}
	})
	b.Run("write", func(b *testing.B) {
		enc := xmlstrict.NewEncoder()
		start := time.Now()
		for b.Loop() {
			for i := range entries {
				entry(enc, i)
			}
		}
		b.ReportMetric(float64(len(entry(enc, 7))), "B/entry")
		b.ReportMetric(float64(time.Since(start).Milliseconds())/float64(b.N), "ms/group")
	})
}
