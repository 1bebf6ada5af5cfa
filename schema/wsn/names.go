package wsn

import "github.com/philoxenia/philoxenia/schema/xmlstrict"

// Space is the namespace of the draft.
const Space = "http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification-1.2-draft-01.xsd"

// Action is the stem of the actions; an operation's action is the stem and its
// name, its reply's ends in Response.
const Action = "http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification/"

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
	SubscriptionKey = xmlstrict.Name{Space: CoreSpace, Local: "SubscriptionKey"}
	ConsumerKey     = xmlstrict.Name{Space: CoreSpace, Local: "NotificationConsumerKey"}
)

// CoreSpace is the namespace of GT4's own keys.
const CoreSpace = "http://www.globus.org/namespaces/2004/06/core"

func name(local string) xmlstrict.Name {
	return xmlstrict.Name{Space: Space, Local: local}
}
