package client

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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
	Timestamp   time.Time      // when the service made the fault; zero when it does not say
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

// IsFault reports whether err is a fault that the service answered with.
func IsFault(err error) bool {
	var f *Fault
	return errors.As(err, &f)
}

// IsUnknown reports whether err says that the resource does not exist, for
// this caller: never created, ended, or another's.
func IsUnknown(err error) bool {
	if kind := kindOf(err); kind != "" {
		return kind == "not found" && !named(err, "WorkspaceMetadataFault")
	}
	return named(err, "WorkspaceUnknownFault", "ResourceUnknownFault")
}

// IsDenied reports whether err says that policy forbids what was asked for.
func IsDenied(err error) bool {
	if kind := kindOf(err); kind != "" {
		return kind == "denied" || kind == "quota" || kind == "no resource"
	}
	return named(err, "WorkspaceResourceRequestDeniedFault", "WorkspaceStagingRequestDeniedFault",
		"TerminationTimeChangeRejectedFault", "UnableToSetTerminationTimeFault",
		"SubscribeCreationFailedFault")
}

// IsNoResource reports whether err says that the pool cannot hold the request,
// now or ever, or that a quota is reached. Such an error is also IsDenied: the
// contract has one fault for both, and the description tells them apart.
func IsNoResource(err error) bool {
	if kind := kindOf(err); kind != "" {
		return kind == "no resource" || kind == "quota"
	}
	var f *Fault
	if !errors.As(err, &f) || f.Name.Local != "WorkspaceResourceRequestDeniedFault" {
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

// IsConflict reports whether err says that the resource's state does not allow
// it, or that the service is busy.
func IsConflict(err error) bool {
	if kind := kindOf(err); kind != "" {
		return kind == "conflict" || kind == "busy"
	}
	return named(err, "OperationDisabledFault", "WorkspaceSchedulingFault",
		"WorkspaceStartFault", "WorkspaceShutdownFault", "ResourceNotDestroyedFault",
		"PauseFailedFault", "ResumeFailedFault")
}

// IsInvalid reports whether err says that what was sent is wrong: the fault is
// one for that, or its description names a line of what was sent.
func IsInvalid(err error) bool {
	if kind := kindOf(err); kind != "" {
		return kind == "invalid" || kind == "not found" && named(err, "WorkspaceMetadataFault")
	}
	var f *Fault
	if !errors.As(err, &f) || IsDenied(err) { // a refusal, too, may name what it refuses
		return false
	}
	if f.Place.Line > 0 || f.Name.Local == "" && strings.HasPrefix(f.Code, "Client") {
		return true
	}
	return named(err, "WorkspaceMetadataFault", "InvalidResourcePropertyQNameFault",
		"UnknownQueryExpressionDialectFault", "InvalidQueryExpressionFault",
		"QueryEvaluationErrorFault", "InvalidTopicExpressionFault", "TopicNotSupportedFault",
		"TopicPathDialectUnknownFault")
}

// kindOf returns the kind that a fault in err's chain says it is of, if it does.
func kindOf(err error) string {
	var f *Fault
	if !errors.As(err, &f) {
		return ""
	}
	return f.Kind
}

// named reports whether err holds a Fault with one of the local names.
func named(err error, names ...string) bool {
	var f *Fault
	return errors.As(err, &f) && slices.Contains(names, f.Name.Local)
}

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
	return f
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
