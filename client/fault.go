package client

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Fault is a fault that the service answered with. It is found in a chain of
// errors with errors.As.
type Fault struct {
	Op          string         // what was asked for: "start workspace 7"
	Name        xmlstrict.Name // of the typed fault (WorkspaceUnknownFault); zero when untyped
	Code        string         // faultcode without its prefix, such as Server.generalException
	Kind        string         // "no resource", "denied", ...; empty when the service does not say
	Description string         // what the service says about it
	Causes      []string       // descriptions of the fault's causes, outermost first
	Place       Place          // in the document sent, when the description names one
	// Explanation is why there is no room, and what there is; nil when it is not told.
	Explanation *report.Explanation
	Timestamp   time.Time // when the service made the fault; zero when it does not say
}

// Place is where in a document a fault lies.
type Place struct {
	Path string // element path, such as /WorkspaceDeployment/NodeNumber
	Line int    // 1-based; 0 when unknown
}

// Error returns "cannot OP: DESCRIPTION".
func (f *Fault) Error() string {
	text := f.Description
	if text == "" {
		text = strings.Join(f.Causes, ": ")
	}
	if strings.HasPrefix(text, "cannot ") {
		return text
	}
	if text == "" {
		text = f.label()
	}
	return "cannot " + f.Op + ": " + text
}

// label names a fault that has no description.
func (f *Fault) label() string {
	if f.Name.Local != "" {
		return "the service answered with the fault " + f.Name.Local
	}
	return "the service answered with the fault " + f.Code
}

// The kinds of faults, for errors.Is. A fault may be of several: whoever has no
// room denies too, for the contract has one fault for both.
var (
	// ErrUnknown: the resource does not exist, for this caller: never created,
	// ended, or another's.
	ErrUnknown = errors.New("the resource is unknown")
	// ErrDenied: policy forbids what was asked for.
	ErrDenied = errors.New("policy forbids it")
	// ErrNoResource: the pool cannot hold the request, now or ever, or a quota is
	// reached.
	ErrNoResource = errors.New("the pool cannot hold it")
	// ErrConflict: the resource's state does not allow it, or the service is busy.
	ErrConflict = errors.New("the state does not allow it")
	// ErrInvalid: what was sent is wrong; the fault is one for that, or its
	// description names a line of what was sent.
	ErrInvalid = errors.New("the request is wrong")
	// ErrOverflow: a pull point was full, and messages were dropped.
	ErrOverflow = errors.New("messages were dropped")
)

// Is reports whether the fault is of the kind that one of the errors above
// stands for; errors.Is asks it.
func (f *Fault) Is(target error) bool {
	switch target { //nolint:errorlint // errors.Is unwraps; here identity is meant
	case ErrUnknown:
		return f.unknown()
	case ErrDenied:
		return f.denied()
	case ErrNoResource:
		return f.short()
	case ErrConflict:
		return f.conflict()
	case ErrInvalid:
		return f.invalid()
	case ErrOverflow:
		return f.named(overflowFault) && (f.Kind == "" || f.Kind == "quota")
	}
	return false
}

// IsFault reports whether err is a fault that the service answered with.
func IsFault(err error) bool {
	var f *Fault
	return errors.As(err, &f)
}

// IsUnknown reports whether err is ErrUnknown.
func IsUnknown(err error) bool { return errors.Is(err, ErrUnknown) }

// IsDenied reports whether err is ErrDenied.
func IsDenied(err error) bool { return errors.Is(err, ErrDenied) }

// IsNoResource reports whether err is ErrNoResource. Such an error is also
// ErrDenied; where the fault does not say its kind, its description tells them
// apart.
func IsNoResource(err error) bool { return errors.Is(err, ErrNoResource) }

// IsConflict reports whether err is ErrConflict.
func IsConflict(err error) bool { return errors.Is(err, ErrConflict) }

// IsInvalid reports whether err is ErrInvalid.
func IsInvalid(err error) bool { return errors.Is(err, ErrInvalid) }

// overflowFault is the fault of a pull point that could not keep everything. It
// has other causes too, which the kind tells apart.
const overflowFault = "UnableToGetMessagesFault"

func (f *Fault) unknown() bool {
	if f.Kind != "" {
		return f.Kind == "not found" && !f.named(metadataFaults...)
	}
	return f.named("WorkspaceUnknownFault", "ResourceUnknownFault", "UnknownFault")
}

func (f *Fault) denied() bool {
	if f.Kind != "" {
		return f.Kind == "denied" || f.short()
	}
	return f.named("WorkspaceResourceRequestDeniedFault", "WorkspaceStagingRequestDeniedFault",
		"RequestDeniedFault", "TerminationTimeChangeRejectedFault",
		"UnableToSetTerminationTimeFault", "SubscribeCreationFailedFault",
		"UnableToModifyResourcePropertyFault", "SetResourcePropertyRequestFailedFault",
		"UnacceptableTerminationTimeFault", "UnacceptableInitialTerminationTimeFault",
		"UnableToCreatePullPointFault")
}

func (f *Fault) short() bool {
	if f.Kind != "" {
		return f.Kind == "no resource" || f.Kind == "quota"
	}
	if !f.named("WorkspaceResourceRequestDeniedFault", "RequestDeniedFault") {
		return false
	}
	text := f.Description + " " + strings.Join(f.Causes, " ")
	return slices.ContainsFunc(shortages, func(word string) bool {
		return strings.Contains(text, word)
	})
}

// shortages are the words by which a description tells that something is
// short, rather than forbidden.
var shortages = []string{
	"free", "quota", "would fit", "never fit", "not currently available", "too large",
}

func (f *Fault) conflict() bool {
	if f.Kind != "" {
		return f.Kind == "conflict" || f.Kind == "busy"
	}
	return f.named("OperationDisabledFault", "DisabledFault", "WorkspaceSchedulingFault",
		"SchedulingFault", "WorkspaceStartFault", "StartFault", "WorkspaceShutdownFault",
		"ShutdownFault", "MigrateFault",
		"SnapshotFault", "ResourceNotDestroyedFault", "UnableToDestroySubscriptionFault",
		"UnableToDestroyPullPointFault", "PauseFailedFault", "ResumeFailedFault")
}

func (f *Fault) invalid() bool {
	if f.Kind != "" {
		return f.Kind == "invalid" || f.Kind == "not found" && f.named(metadataFaults...)
	}
	if f.denied() { // a refusal, too, may name what it refuses
		return false
	}
	if f.Place.Line > 0 || f.Name.Local == "" && strings.HasPrefix(f.Code, "Client") {
		return true
	}
	return f.named(wrong...)
}

// metadataFaults are the faults of metadata: a thing that they say does not
// exist, as an image, is not the resource that was addressed.
var metadataFaults = []string{"WorkspaceMetadataFault", "MetadataFault"}

// wrong are the faults that say that the request is wrong.
var wrong = append([]string{
	"InvalidResourcePropertyQNameFault", "UnknownQueryExpressionDialectFault",
	"InvalidQueryExpressionFault", "QueryEvaluationErrorFault", "InvalidTopicExpressionFault",
	"InvalidModificationFault", "TopicNotSupportedFault", "TopicPathDialectUnknownFault",
	"TopicExpressionDialectUnknownFault", "InvalidFilterFault",
	"InvalidMessageContentExpressionFault", "InvalidProducerPropertiesExpressionFault",
	"MultipleTopicsSpecifiedFault", "UnrecognizedPolicyRequestFault",
	"UnsupportedPolicyRequestFault",
}, metadataFaults...)

// named reports whether the fault has one of the local names.
func (f *Fault) named(names ...string) bool { return slices.Contains(names, f.Name.Local) }

// place finds an element path and a line in a description.
var place = regexp.MustCompile(`((?:/[A-Za-z_][\w.-]*(?:\[\d+\])?){1,64})|\bline (\d{1,9})`)

// newFault translates what came over the wire.
func newFault(op string, sf *soap.Fault) *Fault {
	f := &Fault{Op: op, Code: sf.Code, Description: sf.String}
	if typed, ok := wsrf.Typed(sf); ok {
		f.Name, f.Timestamp = typed.Name, typed.Timestamp
		if text := strings.TrimSpace(strings.Join(typed.Description, "; ")); text != "" {
			f.Description = text
		}
		f.Causes = causes(typed.Cause)
		if typed.Dialect == wsrf.KindDialect {
			f.Kind = typed.ErrorCode
		}
	}
	f.Place = findPlace(f.Description)
	f.Explanation = explained(sf)
	return f
}

// explained finds the explanation in the detail of a fault, nil where there is
// none that can be read.
func explained(sf *soap.Fault) *report.Explanation {
	for _, entry := range sf.Entries {
		for _, e := range append([]*etree.Element{entry}, entry.FindElements(".//*")...) {
			if !xmlstrict.Is(e, report.PropertyExplanation) {
				continue
			}
			if v, err := report.DecodeExplanation(sf.Doc, e); err == nil {
				return v
			}
		}
	}
	return nil
}

// causes lists the descriptions of a fault's causes, outermost first.
func causes(all []wsrf.BaseFault) []string {
	var texts []string
	for _, c := range all {
		texts = append(texts, c.Description...)
		texts = append(texts, causes(c.Cause)...)
	}
	return texts
}

// findPlace reads the place that a description names.
func findPlace(text string) Place {
	var p Place
	for _, m := range place.FindAllStringSubmatch(text, -1) {
		if m[1] != "" && p.Path == "" {
			p.Path = m[1]
		}
		if m[2] != "" && p.Line == 0 {
			p.Line, _ = strconv.Atoi(m[2])
		}
	}
	return p
}
