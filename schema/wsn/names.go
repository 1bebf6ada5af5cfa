package wsn

import (
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Space is the namespace of the draft.
const Space = schema.BaseNotification

var name = xmlstrict.In(Space)

// Action is the stem of the actions; an operation's action is the stem and its
// name, its reply's ends in Response.
const Action = schema.NotificationAction

// The message elements.
var (
	Subscribe                  = name("Subscribe")
	SubscribeResponse          = name("SubscribeResponse")
	Notify                     = name("Notify")
	PauseSubscription          = name("PauseSubscription")
	PauseSubscriptionResponse  = name("PauseSubscriptionResponse")
	ResumeSubscription         = name("ResumeSubscription")
	ResumeSubscriptionResponse = name("ResumeSubscriptionResponse")
	GetCurrentMessage          = name("GetCurrentMessage")
	GetCurrentMessageResponse  = name("GetCurrentMessageResponse")
)

// The resource properties of notification producers.
var (
	Topic                   = name("Topic")
	FixedTopicSet           = name("FixedTopicSet")
	TopicExpressionDialects = name("TopicExpressionDialects")
)

// The faults.
var (
	ResourceUnknown         = name("ResourceUnknownFault")
	SubscribeCreationFailed = name("SubscribeCreationFailedFault")
	InvalidTopicExpression  = name("InvalidTopicExpressionFault")
	TopicNotSupported       = name("TopicNotSupportedFault")
	TopicPathDialectUnknown = name("TopicPathDialectUnknownFault")
	NoCurrentMessageOnTopic = name("NoCurrentMessageOnTopicFault")
	PauseFailed             = name("PauseFailedFault")
	ResumeFailed            = name("ResumeFailedFault")
)

// The keys of endpoint references to subscriptions and consumers in GT4.
var (
	SubscriptionKey = xmlstrict.Name{Space: schema.Core, Local: "SubscriptionKey"}
	ConsumerKey     = xmlstrict.Name{Space: schema.Core, Local: "NotificationConsumerKey"}
)
