package wsrf

import (
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Edition is an edition of the specifications. What they have in common is
// read and written once, by the edition's names.
type Edition uint8

// The editions.
const (
	Draft Edition = iota // of June 2004, as GT4 speaks it
	Final                // WSRF 1.2, OASIS standard of April 2006
)

// Names returns the names of the edition's elements. They must not be changed.
func (e Edition) Names() *Names { return names[e] }

// Addressing returns the version of WS-Addressing that the edition builds on.
func (e Edition) Addressing() wsa.Version {
	if e == Final {
		return wsa.V200508
	}
	return wsa.V200403
}

// String returns "draft" or "final".
func (e Edition) String() string {
	if e == Final {
		return "final"
	}
	return "draft"
}

// Names are the expanded names of one edition. Those that the drafts do not
// have are there all the same, for nobody to use.
type Names struct {
	// The messages of WS-ResourceProperties.
	GetResourceProperty, GetResourcePropertyResponse                     xmlstrict.Name
	GetMultipleResourceProperties, GetMultipleResourcePropertiesResponse xmlstrict.Name
	QueryResourceProperties, QueryResourcePropertiesResponse             xmlstrict.Name
	GetResourcePropertyDocument, GetResourcePropertyDocumentResponse     xmlstrict.Name
	PutResourcePropertyDocument, PutResourcePropertyDocumentResponse     xmlstrict.Name
	SetResourceProperties, SetResourcePropertiesResponse                 xmlstrict.Name
	InsertResourceProperties, InsertResourcePropertiesResponse           xmlstrict.Name
	UpdateResourceProperties, UpdateResourcePropertiesResponse           xmlstrict.Name
	DeleteResourceProperties, DeleteResourcePropertiesResponse           xmlstrict.Name

	// The messages of WS-ResourceLifetime.
	Destroy, DestroyResponse                       xmlstrict.Name
	SetTerminationTime, SetTerminationTimeResponse xmlstrict.Name

	// Properties: of every resource that ends, and of one that can be queried.
	CurrentTime, TerminationTime, QueryExpressionDialect xmlstrict.Name
	// The topic of a resource's end, and the messages about changes.
	ResourceTermination, TerminationNotification, ValueChange xmlstrict.Name

	// Faults that any operation may answer with. In the drafts each
	// specification has its own, so there the unknown resource has two names.
	UnknownToProperties, UnknownToLifetime, ResourceUnavailable xmlstrict.Name
	// BaseFault is the fault that is of no type of its own.
	BaseFault xmlstrict.Name

	// Faults of WS-ResourceProperties.
	InvalidResourcePropertyQName, InvalidModification      xmlstrict.Name
	UnableToModifyResourceProperty                         xmlstrict.Name
	SetResourcePropertyRequestFailed                       xmlstrict.Name
	InsertResourcePropertiesRequestFailed                  xmlstrict.Name
	UpdateResourcePropertiesRequestFailed                  xmlstrict.Name
	DeleteResourcePropertiesRequestFailed                  xmlstrict.Name
	UnableToPutResourcePropertyDocument                    xmlstrict.Name
	UnknownQueryExpressionDialect                          xmlstrict.Name
	InvalidQueryExpression, QueryEvaluationError           xmlstrict.Name
	ResourceNotDestroyed, UnableToSetTerminationTime       xmlstrict.Name // of lifetimes
	TerminationTimeChangeRejected                          xmlstrict.Name
	property, query, insert, update, remove, changeFailure xmlstrict.Name
	currentValue, requestedValue, oldValues, newValues     xmlstrict.Name
	requestedTime, requestedDuration, newTime              xmlstrict.Name
	FaultCause, faultTimestamp, faultOriginator            xmlstrict.Name
	faultErrorCode, faultDescription                       xmlstrict.Name
}

// names are those of each edition.
var names = [...]*Names{
	Draft: newNames(schema.Properties, schema.Lifetime, schema.BaseFaults, Draft),
	Final: newNames(schema.Properties2, schema.Lifetime2, schema.BaseFaults2, Final),
}

// newNames returns the names of an edition whose specifications have the
// namespaces given.
func newNames(properties, lifetime, faults string, e Edition) *Names {
	rp, rl, bf := xmlstrict.In(properties), xmlstrict.In(lifetime), xmlstrict.In(faults)
	n := &Names{}
	n.setMessages(rp, rl)
	n.setFaults(rp, rl)
	n.setParts(rp, rl, bf)
	n.newValues, n.oldValues = rp("NewValue"), rp("OldValue")
	n.UnknownToProperties = rp("ResourceUnknownFault")
	n.UnknownToLifetime = rl("ResourceUnknownFault")
	n.ResourceUnavailable = bf("BaseFault")
	if e == Final {
		r := xmlstrict.In(schema.Resource2)
		n.newValues, n.oldValues = rp("NewValues"), rp("OldValues")
		n.UnknownToProperties = r("ResourceUnknownFault")
		n.UnknownToLifetime = n.UnknownToProperties
		n.ResourceUnavailable = r("ResourceUnavailableFault")
	}
	return n
}

// setMessages fills in the names of messages.
func (n *Names) setMessages(rp, rl func(string) xmlstrict.Name) {
	for local, pair := range map[string][2]*xmlstrict.Name{
		"GetResourceProperty": {&n.GetResourceProperty, &n.GetResourcePropertyResponse},
		"GetMultipleResourceProperties": {
			&n.GetMultipleResourceProperties, &n.GetMultipleResourcePropertiesResponse},
		"QueryResourceProperties": {
			&n.QueryResourceProperties, &n.QueryResourcePropertiesResponse},
		"GetResourcePropertyDocument": {
			&n.GetResourcePropertyDocument, &n.GetResourcePropertyDocumentResponse},
		"PutResourcePropertyDocument": {
			&n.PutResourcePropertyDocument, &n.PutResourcePropertyDocumentResponse},
		"SetResourceProperties": {&n.SetResourceProperties, &n.SetResourcePropertiesResponse},
		"InsertResourceProperties": {
			&n.InsertResourceProperties, &n.InsertResourcePropertiesResponse},
		"UpdateResourceProperties": {
			&n.UpdateResourceProperties, &n.UpdateResourcePropertiesResponse},
		"DeleteResourceProperties": {
			&n.DeleteResourceProperties, &n.DeleteResourcePropertiesResponse},
	} {
		*pair[0], *pair[1] = rp(local), rp(local+"Response")
	}
	n.Destroy, n.DestroyResponse = rl("Destroy"), rl("DestroyResponse")
	n.SetTerminationTime = rl("SetTerminationTime")
	n.SetTerminationTimeResponse = rl("SetTerminationTimeResponse")
	n.CurrentTime, n.TerminationTime = rl("CurrentTime"), rl("TerminationTime")
	n.QueryExpressionDialect = rp("QueryExpressionDialect")
	n.ResourceTermination = rl("ResourceTermination")
	n.TerminationNotification = rl("TerminationNotification")
	n.ValueChange = rp("ResourcePropertyValueChangeNotification")
}

// setFaults fills in the names of faults.
func (n *Names) setFaults(rp, rl func(string) xmlstrict.Name) {
	for local, at := range map[string]*xmlstrict.Name{
		"InvalidResourcePropertyQName":          &n.InvalidResourcePropertyQName,
		"InvalidModification":                   &n.InvalidModification,
		"UnableToModifyResourceProperty":        &n.UnableToModifyResourceProperty,
		"SetResourcePropertyRequestFailed":      &n.SetResourcePropertyRequestFailed,
		"InsertResourcePropertiesRequestFailed": &n.InsertResourcePropertiesRequestFailed,
		"UpdateResourcePropertiesRequestFailed": &n.UpdateResourcePropertiesRequestFailed,
		"DeleteResourcePropertiesRequestFailed": &n.DeleteResourcePropertiesRequestFailed,
		"UnableToPutResourcePropertyDocument":   &n.UnableToPutResourcePropertyDocument,
		"UnknownQueryExpressionDialect":         &n.UnknownQueryExpressionDialect,
		"InvalidQueryExpression":                &n.InvalidQueryExpression,
		"QueryEvaluationError":                  &n.QueryEvaluationError,
	} {
		*at = rp(local + "Fault")
	}
	n.ResourceNotDestroyed = rl("ResourceNotDestroyedFault")
	n.UnableToSetTerminationTime = rl("UnableToSetTerminationTimeFault")
	n.TerminationTimeChangeRejected = rl("TerminationTimeChangeRejectedFault")
}

// setParts fills in the names of what stands inside messages.
func (n *Names) setParts(rp, rl, bf func(string) xmlstrict.Name) {
	n.property, n.query = rp("ResourceProperty"), rp("QueryExpression")
	n.insert, n.update, n.remove = rp("Insert"), rp("Update"), rp("Delete")
	n.changeFailure = rp("ResourcePropertyChangeFailure")
	n.currentValue, n.requestedValue = rp("CurrentValue"), rp("RequestedValue")
	n.requestedTime, n.newTime = rl("RequestedTerminationTime"), rl("NewTerminationTime")
	n.requestedDuration = rl("RequestedLifetimeDuration")
	n.BaseFault, n.FaultCause = bf("BaseFault"), bf("FaultCause")
	n.faultTimestamp, n.faultOriginator = bf("Timestamp"), bf("Originator")
	n.faultErrorCode, n.faultDescription = bf("ErrorCode"), bf("Description")
}
