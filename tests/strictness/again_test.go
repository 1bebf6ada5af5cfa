package strictness

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// rewriter reads a document and writes what it found.
type rewriter func(doc *xmlstrict.Document, e *etree.Element, enc *xmlstrict.Encoder) error

// rewrites joins a decoder to what writes the same document.
func rewrites[T any](
	read func(*xmlstrict.Document, *etree.Element) (T, error), write func(T, *xmlstrict.Encoder),
) rewriter {
	return func(doc *xmlstrict.Document, e *etree.Element, enc *xmlstrict.Encoder) error {
		v, err := read(doc, e)
		if err == nil {
			write(v, enc)
		}
		return err
	}
}

// under makes what writes a document under a name.
func under[T interface {
	Write(*xmlstrict.Encoder, xmlstrict.Name)
}](name xmlstrict.Name) func(T, *xmlstrict.Encoder) {
	return func(v T, enc *xmlstrict.Encoder) { v.Write(enc, name) }
}

// rewriters are what reads and writes each document, by the root's name. Parts
// of messages under the names that they have there are no documents.
var rewriters = map[xmlstrict.Name]rewriter{
	metadata.File: rewrites(metadata.Decode, under[*metadata.VirtualWorkspace](metadata.File)),
	deployment.RequestFile: rewrites(deployment.Decode,
		under[*deployment.WorkspaceDeployment](deployment.RequestFile)),
	deployment.OptionalFile: rewrites(deployment.DecodeOptional,
		under[*deployment.OptionalParameters](deployment.OptionalFile)),
	deployment.Create: rewrites(deployment.DecodeCreate, (*deployment.CreateRequest).Write),
	deployment.CreateLease: rewrites(deployment.DecodeCreate,
		(*deployment.CreateRequest).WriteLease),
	deployment.Shutdown: rewrites(deployment.DecodeShutdown,
		under[*deployment.ShutdownRequest](deployment.Shutdown)),
	deployment.ShutdownLease: rewrites(deployment.DecodeShutdown,
		(*deployment.ShutdownRequest).WriteLease),

	report.CreateResponse:      rewrites(report.DecodeCreated, (*report.Created).Write),
	report.CreateLeaseResponse: rewrites(report.DecodeCreated, (*report.Created).WriteLease),
	report.UsageResponse:       rewrites(report.DecodeUsage, (*report.Usage).Write),
	report.QueryUsageResponse:  rewrites(report.DecodeUsage, (*report.Usage).WriteLease),
	report.Migrate:             rewrites(report.DecodeMove, (*report.Move).Write),
	report.MigrateResponse:     rewrites(report.DecodeMove, (*report.Move).WriteResponse),
	report.Snapshot:            rewrites(report.DecodeKeep, (*report.Keep).Write),
	report.QuerySnapshotsResponse: rewrites(report.DecodeSnapshots,
		(*report.Snapshots).Write),
	report.ListResponse: rewrites(report.DecodeCurrentWorkspaces,
		report.CurrentWorkspaces.Write),
	report.FactoryRPSet: rewrites(report.DecodeFactoryProperties,
		(*report.FactoryProperties).Write),
	report.FactoryLeaseRPSet: rewrites(report.DecodeFactoryProperties,
		(*report.FactoryProperties).Write),
	report.ServiceRPSet: rewrites(report.DecodeServiceProperties,
		(*report.ServiceProperties).Write),
	report.ServiceLeaseRPSet: rewrites(report.DecodeServiceProperties,
		(*report.ServiceProperties).Write),
	report.StatusRPSet: rewrites(report.DecodeStatusProperties,
		(*report.StatusProperties).Write),
	report.StatusLeaseRPSet: rewrites(report.DecodeStatusProperties,
		(*report.StatusProperties).Write),
	report.HostRPSet: rewrites(report.DecodeHostProperties, (*report.HostProperties).Write),

	wsn.Draft.Names().Subscribe: rewrites(wsn.Draft.ParseSubscribe,
		wsn.Subscription.Write),
	wsn.Final.Names().Subscribe: rewrites(wsn.Final.ParseSubscribe,
		wsn.Subscription.Write),
}

// TestWhatIsWrittenAgainIsValid writes every mutant that is read, expects the
// schemas to admit what was written, and reads and writes that the same.
func TestWhatIsWrittenAgainIsValid(t *testing.T) {
	samples := corpus(t)
	mutants := append(singles(samples), doubles(samples)...)
	for face, files := range [][]string{schema.FaceOne(), schema.FaceTwo()} {
		var written []mutant
		seen := map[string]bool{}
		for _, m := range mutants {
			if m.sample.face != face || rewriters[m.sample.name] == nil {
				continue
			}
			first, err := rewrite(m.sample.name, m.source)
			if err != nil || seen[first] {
				continue // most are refused, or differ in what does not count
			}
			seen[first] = true
			second, err := rewrite(m.sample.name, first)
			if first != second || err != nil {
				t.Errorf("%s, %s: written\n%s\nand read again %v\n%s", m.sample.file, m.how,
					first, err, second)
			}
			m.source = strings.ReplaceAll(first, "\n", "&#10;")
			written = append(written, m)
		}
		for i, complaints := range newOracle(t, files).judge(t, written) {
			if !written[i].opaque(complaints) {
				t.Errorf("%s, %s: written\n%.2000s\n%q", written[i].sample.file, written[i].how,
					written[i].source, complaints)
			}
		}
		t.Logf("face %d: %d documents written", face+1, len(written))
	}
}

// rewrite reads a document and returns what is written of it.
func rewrite(name xmlstrict.Name, source string) (string, error) {
	doc, err := xmlstrict.Parse([]byte(source), xmlstrict.DefaultLimits())
	if err != nil {
		return "", err
	}
	if found := xmlstrict.NameOf(doc.Root); found != name {
		return "", fmt.Errorf("the root is %s", found)
	}
	enc := xmlstrict.Borrow()
	defer enc.Release()
	if err := rewriters[name](doc, doc.Root, enc); err != nil {
		return "", err
	}
	return string(enc.Bytes()), enc.Err()
}

// opaque tells whether the schemas find fault with nothing but what is not ours
// to judge, which goes out as it came in.
func (m mutant) opaque(complaints verdict) bool {
	for _, text := range complaints {
		if !slices.ContainsFunc(whatWeTake(), func(d *difference) bool {
			return d.where.String() != "" && d.is(m, true, m.sample.name.Local+": "+text)
		}) {
			return false
		}
	}
	return true
}
