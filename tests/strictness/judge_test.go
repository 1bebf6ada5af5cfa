package strictness

import (
	"errors"
	"maps"
	"sync"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/library"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/wssg"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// decoder reads a document and says what is wrong with it.
type decoder func(doc *xmlstrict.Document, e *etree.Element) error

// reads drops what a decoder found, for its verdict alone.
func reads[T any](f func(*xmlstrict.Document, *etree.Element) (T, error)) decoder {
	return func(doc *xmlstrict.Document, e *etree.Element) error {
		_, err := f(doc, e)
		return err
	}
}

// decoders are what reads each document and message, by the root's name.
var decoders = map[xmlstrict.Name]decoder{
	metadata.File:            reads(metadata.Decode),
	metadata.Wire:            reads(metadata.Decode),
	deployment.RequestFile:   reads(deployment.Decode),
	deployment.RequestWire:   reads(deployment.Decode),
	deployment.OptionalFile:  reads(deployment.DecodeOptional),
	deployment.OptionalWire:  reads(deployment.DecodeOptional),
	deployment.Create:        reads(deployment.DecodeCreate),
	deployment.CreateLease:   reads(deployment.DecodeCreate),
	deployment.PlanLease:     reads(deployment.DecodeCreate),
	deployment.Shutdown:      reads(deployment.DecodeShutdown),
	deployment.ShutdownAll:   reads(deployment.DecodeShutdown),
	deployment.ShutdownLease: reads(deployment.DecodeShutdown),

	report.CreateResponse:      reads(report.DecodeCreated),
	report.CreateLeaseResponse: reads(report.DecodeCreated),
	report.UsageResponse:       reads(report.DecodeUsage),
	report.QueryUsageResponse:  reads(report.DecodeUsage),
	report.ListResponse:        reads(report.DecodeCurrentWorkspaces),
	report.FactoryRPSet:        reads(report.DecodeFactoryProperties),
	report.FactoryLeaseRPSet:   reads(report.DecodeFactoryProperties),
	report.ServiceRPSet:        reads(report.DecodeServiceProperties),
	report.ServiceLeaseRPSet:   reads(report.DecodeServiceProperties),
	report.StatusRPSet:         reads(report.DecodeStatusProperties),
	report.StatusLeaseRPSet:    reads(report.DecodeStatusProperties),
	report.HostRPSet:           reads(report.DecodeHostProperties),
	report.PropertyState:       reads(report.DecodeState),
	report.PropertyLease:       reads(report.DecodeLease),
	report.PropertyExplanation: reads(report.DecodeExplanation),
	report.PropertyShape:       reads(report.DecodeShape),
	report.PropertyMode:        reads(report.DecodeMode),
	report.LeaseWarning:        reads(report.DecodeStanding),
	report.LeaseStatus:         reads(report.DecodeStanding),
	report.TransferProgress:    reads(report.DecodeTransfer),
	report.PlanResponse:        reads(report.DecodeProposal),
	report.QuerySchedule:       reads(report.DecodeSpan),
	report.Migrate:             reads(report.DecodeMove),
	report.MigrateResponse:     reads(report.DecodeMove),
	report.Snapshot:            reads(report.DecodeKeep),

	report.QuerySnapshotsResponse: reads(report.DecodeSnapshots),
	report.QueryNetworks: func(d *xmlstrict.Document, e *etree.Element) error {
		return report.DecodeNetworksQuery(d, e)
	},
	report.QueryNetworksResponse:                  reads(report.DecodeNetworks),
	report.HoldAddresses:                          reads(report.DecodeHold),
	report.HoldAddressesResponse:                  reads(report.DecodeHold),
	report.ReleaseAddress:                         reads(report.DecodeRelease),
	report.ReleaseAddressResponse:                 reads(report.DecodeHold),
	report.QueryScheduleResponse:                  reads(report.DecodeSchedule),
	library.File:                                  reads(library.Decode),
	library.AddImage:                              reads(library.DecodeAddition),
	library.AddImageResponse:                      reads(library.DecodeEntry),
	library.ChangeImage:                           reads(library.DecodeChange),
	library.ChangeImageResponse:                   reads(library.DecodeEntry),
	library.GetImageResponse:                      reads(library.DecodeEntry),
	library.VerifyImageResponse:                   reads(library.DecodeEntry),
	library.QueryImagesResponse:                   reads(library.DecodeResult),
	{Space: schema.ServiceGroup2, Local: "Entry"}: reads(wssg.ParseEntry),
}

// The messages of both editions have the same readers.
func init() {
	for _, e := range []wsrf.Edition{wsrf.Draft, wsrf.Final} {
		n := e.Names()
		maps.Copy(decoders, map[xmlstrict.Name]decoder{
			n.GetResourceProperty:           reads(e.ParseGetResourceProperty),
			n.GetMultipleResourceProperties: reads(e.ParseGetMultipleResourceProperties),
			n.QueryResourceProperties:       reads(e.ParseQuery),
			n.SetTerminationTime:            reads(e.ParseSetTerminationTime),
			n.SetTerminationTimeResponse:    reads(e.ParseSetTerminationTimeResponse),
			n.PutResourcePropertyDocument:   reads(e.ParsePutResourcePropertyDocument),
			n.SetResourceProperties:         reads(e.ParseModification),
			n.InsertResourceProperties:      reads(e.ParseModification),
			n.UpdateResourceProperties:      reads(e.ParseModification),
			n.DeleteResourceProperties:      reads(e.ParseModification),
		})
		empty(n.GetResourcePropertyDocument, n.Destroy, n.DestroyResponse)
	}
	for _, e := range []wsn.Edition{wsn.Draft, wsn.Final} {
		n := e.Names()
		maps.Copy(decoders, map[xmlstrict.Name]decoder{
			n.Subscribe:               reads(e.ParseSubscribe),
			n.SubscribeResponse:       reads(e.ParseSubscribeResponse),
			n.GetCurrentMessage:       reads(e.ParseGetCurrentMessage),
			n.Notify:                  reads(e.ParseNotify),
			n.Renew:                   reads(e.ParseRenew),
			n.GetMessages:             reads(e.ParseGetMessages),
			n.GetMessagesResponse:     reads(e.ParseGetMessagesResponse),
			n.CreatePullPointResponse: reads(e.ParseCreatePullPointResponse),
			n.RenewResponse: func(doc *xmlstrict.Document, e2 *etree.Element) error {
				_, _, err := e.ParseRenewResponse(doc, e2)
				return err
			},
		})
	}
	event := xmlstrict.In(schema.ONVIFEvents)
	decoders[event("CreatePullPointSubscription")] = reads(wsn.ParsePullPointSubscription)
	decoders[event("PullMessages")] = reads(wsn.ParsePullMessages)
	draft := wsn.Draft.Names()
	empty(draft.PauseSubscription, draft.ResumeSubscription,
		xmlstrict.Name{Space: schema.Workspace, Local: "startWorkspace"},
		xmlstrict.Name{Space: schema.Group, Local: "startWorkspaces"},
		xmlstrict.Name{Space: schema.Status, Local: "queryUsedAndReserved"},
		xmlstrict.Name{Space: schema.Status, Local: "queryCurrentWorkspaces"},
		deployment.StartLease, report.QueryUsage, report.QuerySnapshots)
}

// empty notes messages without content.
func empty(names ...xmlstrict.Name) {
	for _, name := range names {
		decoders[name] = holdsNothing
	}
}

// holdsNothing reads a message without content.
func holdsNothing(doc *xmlstrict.Document, e *etree.Element) error {
	return document.Empty(doc, e, "message")
}

// verdict is what one judge says of a document: nothing, or what is wrong.
type verdict []string

// judge has our own readers judge mutants, several at a time.
func judge(all []mutant) []verdict {
	verdicts := make([]verdict, len(all))
	var workers sync.WaitGroup
	for from := 0; from < len(all); from += batch {
		to := min(from+batch, len(all))
		workers.Go(func() {
			for i := from; i < to; i++ {
				verdicts[i] = verdictOn(all[i].sample.name, all[i].source)
			}
		})
	}
	workers.Wait()
	return verdicts
}

// verdictOn is what our readers say of one document.
func verdictOn(name xmlstrict.Name, source string) verdict {
	doc, err := xmlstrict.Parse([]byte(source), xmlstrict.DefaultLimits())
	if err != nil {
		return verdict{"document: " + err.(*xmlstrict.SyntaxError).Reason}
	}
	if found := xmlstrict.NameOf(doc.Root); found != name {
		return verdict{"document: the root is " + found.Local}
	}
	if err := decoders[name](doc, doc.Root); err != nil {
		return verdict{said(err)}
	}
	return nil
}

// said is what an error says, without the line.
func said(err error) string {
	var placed *xmlstrict.ContentError
	if !errors.As(err, &placed) {
		return err.Error()
	}
	return placed.Path + ": " + placed.Err.Error()
}
