package wsrf

import "github.com/philoxenia/philoxenia/schema/xmlstrict"

// The namespaces of the drafts.
const (
	PropertiesSpace = "http://docs.oasis-open.org/wsrf/2004/06/" +
		"wsrf-WS-ResourceProperties-1.2-draft-01.xsd"
	LifetimeSpace = "http://docs.oasis-open.org/wsrf/2004/06/" +
		"wsrf-WS-ResourceLifetime-1.2-draft-01.xsd"
	BaseFaultsSpace = "http://docs.oasis-open.org/wsrf/2004/06/" +
		"wsrf-WS-BaseFaults-1.2-draft-01.xsd"
)

// The stems of the actions; an operation's action is the stem and its name,
// its reply's ends in Response.
const (
	PropertiesAction = "http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceProperties/"
	LifetimeAction   = "http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceLifetime/"
)

// The message elements of resource properties.
var (
	GetResourceProperty                   = property("GetResourceProperty")
	GetResourcePropertyResponse           = property("GetResourcePropertyResponse")
	GetMultipleResourceProperties         = property("GetMultipleResourceProperties")
	GetMultipleResourcePropertiesResponse = property("GetMultipleResourcePropertiesResponse")
	QueryResourceProperties               = property("QueryResourceProperties")
	QueryResourcePropertiesResponse       = property("QueryResourcePropertiesResponse")
)

// The message elements of lifetimes.
var (
	Destroy                    = lifetime("Destroy")
	DestroyResponse            = lifetime("DestroyResponse")
	SetTerminationTime         = lifetime("SetTerminationTime")
	SetTerminationTimeResponse = lifetime("SetTerminationTimeResponse")
)

// The properties of every resource that ends, and the topic of its end.
var (
	CurrentTime         = lifetime("CurrentTime")
	TerminationTime     = lifetime("TerminationTime")
	ResourceTermination = lifetime("ResourceTermination")
)

// The faults of resource properties.
var (
	PropertiesResourceUnknown     = property("ResourceUnknownFault")
	InvalidResourcePropertyQName  = property("InvalidResourcePropertyQNameFault")
	UnknownQueryExpressionDialect = property("UnknownQueryExpressionDialectFault")
	InvalidQueryExpression        = property("InvalidQueryExpressionFault")
	QueryEvaluationError          = property("QueryEvaluationErrorFault")
)

// The faults of lifetimes.
var (
	LifetimeResourceUnknown       = lifetime("ResourceUnknownFault")
	ResourceNotDestroyed          = lifetime("ResourceNotDestroyedFault")
	UnableToSetTerminationTime    = lifetime("UnableToSetTerminationTimeFault")
	TerminationTimeChangeRejected = lifetime("TerminationTimeChangeRejectedFault")
)

func property(local string) xmlstrict.Name {
	return xmlstrict.Name{Space: PropertiesSpace, Local: local}
}

func lifetime(local string) xmlstrict.Name {
	return xmlstrict.Name{Space: LifetimeSpace, Local: local}
}

func baseFault(local string) xmlstrict.Name {
	return xmlstrict.Name{Space: BaseFaultsSpace, Local: local}
}
