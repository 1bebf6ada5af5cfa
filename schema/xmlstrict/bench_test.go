package xmlstrict

import (
	"testing"

	"github.com/beevik/etree"
)

// benchmarked are recorded requests: the smallest common one and a create.
var benchmarked = []string{"34-getrp-currentstate-request", "02-deploy-nosub-request"}

// BenchmarkParse parses recorded requests.
func BenchmarkParse(b *testing.B) {
	for _, name := range benchmarked {
		data := recorded(b, name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(data, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEtree is the alternative that BenchmarkParse is measured against:
// etree's own reader, which refuses next to nothing.
func BenchmarkEtree(b *testing.B) {
	for _, name := range benchmarked {
		data := recorded(b, name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := etree.NewDocument().ReadFromBytes(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEncoder writes a small document the way a reply is written.
func BenchmarkEncoder(b *testing.B) {
	space := "http://www.globus.org/2008/06/workspace/types"
	state, inner := Name{space, "currentState"}, Name{space, "state"}
	b.ReportAllocs()
	for b.Loop() {
		enc := Borrow()
		enc.Start(state)
		for range 10 {
			enc.Element(inner, "Running & well")
		}
		enc.End()
		if enc.Err() != nil {
			b.Fatal(enc.Err())
		}
		enc.Release()
	}
}

// BenchmarkTree copies a recorded request's tree.
func BenchmarkTree(b *testing.B) {
	doc, err := Parse(recorded(b, benchmarked[1]), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		enc := Borrow()
		enc.Tree(doc.Root)
		enc.Release()
	}
}
