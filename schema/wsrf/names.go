package wsrf

import (
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The namespaces of the drafts.
const (
	PropertiesSpace = schema.Properties
	LifetimeSpace   = schema.Lifetime
	BaseFaultsSpace = schema.BaseFaults
)

// The stems of the actions; an operation's action is the stem and its name,
// its reply's ends in Response.
const (
	PropertiesAction = schema.PropertiesAction
	LifetimeAction   = schema.LifetimeAction
)

// The makers of names, one a namespace.
var (
	property  = xmlstrict.In(PropertiesSpace)
	lifetime  = xmlstrict.In(LifetimeSpace)
	baseFault = xmlstrict.In(BaseFaultsSpace)
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
