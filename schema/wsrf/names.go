package wsrf

import (
	"github.com/philoxenia/philoxenia/schema"
)

// The namespaces of the drafts.
const (
	PropertiesSpace = schema.Properties
	LifetimeSpace   = schema.Lifetime
	BaseFaultsSpace = schema.BaseFaults
)

// The stems of the drafts' actions; an operation's action is the stem and its
// name, its reply's ends in Response.
const (
	PropertiesAction = schema.PropertiesAction
	LifetimeAction   = schema.LifetimeAction
)

// The message elements of resource properties in the drafts.
var (
	GetResourceProperty                   = names[Draft].GetResourceProperty
	GetResourcePropertyResponse           = names[Draft].GetResourcePropertyResponse
	GetMultipleResourceProperties         = names[Draft].GetMultipleResourceProperties
	GetMultipleResourcePropertiesResponse = names[Draft].GetMultipleResourcePropertiesResponse
	QueryResourceProperties               = names[Draft].QueryResourceProperties
	QueryResourcePropertiesResponse       = names[Draft].QueryResourcePropertiesResponse
)

// The message elements of lifetimes in the drafts.
var (
	Destroy                    = names[Draft].Destroy
	DestroyResponse            = names[Draft].DestroyResponse
	SetTerminationTime         = names[Draft].SetTerminationTime
	SetTerminationTimeResponse = names[Draft].SetTerminationTimeResponse
)

// The properties of every resource that ends, and the topic of its end, in the
// drafts.
var (
	CurrentTime         = names[Draft].CurrentTime
	TerminationTime     = names[Draft].TerminationTime
	ResourceTermination = names[Draft].ResourceTermination
)

// The faults of resource properties in the drafts.
var (
	PropertiesResourceUnknown     = names[Draft].UnknownToProperties
	InvalidResourcePropertyQName  = names[Draft].InvalidResourcePropertyQName
	UnknownQueryExpressionDialect = names[Draft].UnknownQueryExpressionDialect
	InvalidQueryExpression        = names[Draft].InvalidQueryExpression
	QueryEvaluationError          = names[Draft].QueryEvaluationError
)

// The faults of lifetimes in the drafts.
var (
	LifetimeResourceUnknown       = names[Draft].UnknownToLifetime
	ResourceNotDestroyed          = names[Draft].ResourceNotDestroyed
	UnableToSetTerminationTime    = names[Draft].UnableToSetTerminationTime
	TerminationTimeChangeRejected = names[Draft].TerminationTimeChangeRejected
)

// FaultCause is the element of a fault's cause in the drafts.
var FaultCause = names[Draft].faultCause
