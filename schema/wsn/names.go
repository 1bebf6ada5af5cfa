package wsn

import (
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Space is the namespace of the draft.
const Space = schema.BaseNotification

// Action is the stem of the draft's actions; an operation's action is the stem
// and its name, its reply's ends in Response.
const Action = schema.NotificationAction

// The message elements of the draft.
var (
	Subscribe                  = names[Draft].Subscribe
	SubscribeResponse          = names[Draft].SubscribeResponse
	Notify                     = names[Draft].Notify
	PauseSubscription          = names[Draft].PauseSubscription
	PauseSubscriptionResponse  = names[Draft].PauseSubscriptionResponse
	ResumeSubscription         = names[Draft].ResumeSubscription
	ResumeSubscriptionResponse = names[Draft].ResumeSubscriptionResponse
	GetCurrentMessage          = names[Draft].GetCurrentMessage
	GetCurrentMessageResponse  = names[Draft].GetCurrentMessageResponse
)

// The resource properties of the draft's notification producers.
var (
	Topic                   = names[Draft].Topic
	FixedTopicSet           = names[Draft].FixedTopicSet
	TopicExpressionDialects = names[Draft].TopicExpressionDialect
)

// The faults of the draft.
var (
	ResourceUnknown         = names[Draft].ResourceUnknown
	SubscribeCreationFailed = names[Draft].SubscribeCreationFailed
	InvalidTopicExpression  = names[Draft].InvalidTopicExpression
	TopicNotSupported       = names[Draft].TopicNotSupported
	TopicPathDialectUnknown = names[Draft].TopicDialectUnknown
	NoCurrentMessageOnTopic = names[Draft].NoCurrentMessageOnTopic
	PauseFailed             = names[Draft].PauseFailed
	ResumeFailed            = names[Draft].ResumeFailed
)

// The keys of endpoint references to subscriptions and consumers in GT4.
var (
	SubscriptionKey = xmlstrict.Name{Space: schema.Core, Local: "SubscriptionKey"}
	ConsumerKey     = xmlstrict.Name{Space: schema.Core, Local: "NotificationConsumerKey"}
)
