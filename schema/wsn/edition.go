package wsn

import (
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Edition is an edition of the specifications. What they have in common is
// read and written once, by the edition's names.
type Edition uint8

// The editions.
const (
	Draft Edition = iota // WS-BaseNotification 1.2 draft 1, June 2004, as GT4 speaks it
	Final                // WS-BaseNotification and WS-Topics 1.3, OASIS standards of 2006
)

// Names returns the names of the edition's elements. They must not be changed.
func (e Edition) Names() *Names { return names[e] }

// Resources returns the edition of WSRF that this one builds on.
func (e Edition) Resources() wsrf.Edition {
	if e == Final {
		return wsrf.Final
	}
	return wsrf.Draft
}

// Addressing returns the version of WS-Addressing that the edition builds on.
func (e Edition) Addressing() wsa.Version { return e.Resources().Addressing() }

// Names are the expanded names of one edition. Those that the draft does not
// have are there all the same, for nobody to use.
type Names struct {
	// The messages.
	Subscribe, SubscribeResponse                   xmlstrict.Name
	Notify, NotificationMessage                    xmlstrict.Name
	GetCurrentMessage, GetCurrentMessageResponse   xmlstrict.Name
	Renew, RenewResponse                           xmlstrict.Name
	Unsubscribe, UnsubscribeResponse               xmlstrict.Name
	PauseSubscription, PauseSubscriptionResponse   xmlstrict.Name
	ResumeSubscription, ResumeSubscriptionResponse xmlstrict.Name
	CreatePullPoint, CreatePullPointResponse       xmlstrict.Name
	GetMessages, GetMessagesResponse               xmlstrict.Name
	DestroyPullPoint, DestroyPullPointResponse     xmlstrict.Name

	// The properties of producers. The draft has a Topic for each topic and
	// lists dialects in one element, 1.3 has TopicExpression, one
	// TopicExpressionDialect each, and a TopicSet.
	Topic, TopicExpression, FixedTopicSet xmlstrict.Name
	TopicExpressionDialect, TopicSet      xmlstrict.Name
	// The properties of subscriptions. UseNotify, Precondition and Selector
	// are the draft's, Filter is that of 1.3.
	ConsumerReference, Filter, SubscriptionPolicy, CreationTime xmlstrict.Name
	UseNotify, Precondition, Selector, UseRaw                   xmlstrict.Name
	ProducerProperties, MessageContent                          xmlstrict.Name
	// What stands inside messages.
	SubscriptionReference, ProducerReference, Message xmlstrict.Name
	InitialTerminationTime                            xmlstrict.Name
	CurrentTime, TerminationTime                      xmlstrict.Name
	PullPoint, MaximumNumber                          xmlstrict.Name

	// Faults.
	ResourceUnknown, SubscribeCreationFailed                     xmlstrict.Name
	InvalidTopicExpression, TopicNotSupported                    xmlstrict.Name
	TopicDialectUnknown, MultipleTopicsSpecified                 xmlstrict.Name
	NoCurrentMessageOnTopic, PauseFailed, ResumeFailed           xmlstrict.Name
	InvalidFilter, NotifyMessageNotSupported                     xmlstrict.Name
	InvalidProducerPropertiesExpression                          xmlstrict.Name
	InvalidMessageContentExpression                              xmlstrict.Name
	UnrecognizedPolicyRequest, UnsupportedPolicyRequest          xmlstrict.Name
	UnacceptableInitialTerminationTime                           xmlstrict.Name
	UnacceptableTerminationTime, UnableToDestroySubscription     xmlstrict.Name
	UnableToCreatePullPoint, UnableToGetMessages                 xmlstrict.Name
	UnableToDestroyPullPoint                                     xmlstrict.Name
	unknownFilter, unrecognizedPolicy, unsupportedPolicy         xmlstrict.Name
	minimumTime, maximumTime                                     xmlstrict.Name
	valueChange, newValue, terminationNotification, terminatedAt xmlstrict.Name
}

// names are those of each edition.
var names = [...]*Names{
	Draft: newNames(Draft, schema.BaseNotification),
	Final: newNames(Final, schema.BaseNotification2),
}

// newNames returns the names of an edition.
func newNames(e Edition, space string) *Names {
	in := xmlstrict.In(space)
	n := &Names{}
	n.setMessages(in)
	n.setParts(in)
	n.setFaults(in)
	r := e.Resources().Names()
	n.ResourceUnknown = in("ResourceUnknownFault")
	n.TopicDialectUnknown = in("TopicPathDialectUnknownFault")
	n.TopicExpressionDialect = in("TopicExpressionDialects")
	n.CurrentTime, n.TerminationTime = r.CurrentTime, r.TerminationTime
	n.valueChange, n.newValue = r.ValueChange, xmlstrict.Name{
		Space: r.ValueChange.Space, Local: "NewValue",
	}
	n.terminationNotification, n.terminatedAt = r.TerminationNotification, r.TerminationTime
	if e == Final {
		n.ResourceUnknown = r.UnknownToProperties
		n.TopicDialectUnknown = in("TopicExpressionDialectUnknownFault")
		n.TopicExpressionDialect = in("TopicExpressionDialect")
		n.CurrentTime, n.TerminationTime = in("CurrentTime"), in("TerminationTime")
		n.newValue.Local = "NewValues"
		n.TopicSet = xmlstrict.Name{Space: schema.Topics1, Local: "TopicSet"}
	}
	return n
}

// setMessages fills in the names of messages.
func (n *Names) setMessages(in func(string) xmlstrict.Name) {
	for local, pair := range map[string][2]*xmlstrict.Name{
		"Subscribe":          {&n.Subscribe, &n.SubscribeResponse},
		"GetCurrentMessage":  {&n.GetCurrentMessage, &n.GetCurrentMessageResponse},
		"Renew":              {&n.Renew, &n.RenewResponse},
		"Unsubscribe":        {&n.Unsubscribe, &n.UnsubscribeResponse},
		"PauseSubscription":  {&n.PauseSubscription, &n.PauseSubscriptionResponse},
		"ResumeSubscription": {&n.ResumeSubscription, &n.ResumeSubscriptionResponse},
		"CreatePullPoint":    {&n.CreatePullPoint, &n.CreatePullPointResponse},
		"GetMessages":        {&n.GetMessages, &n.GetMessagesResponse},
		"DestroyPullPoint":   {&n.DestroyPullPoint, &n.DestroyPullPointResponse},
	} {
		*pair[0], *pair[1] = in(local), in(local+"Response")
	}
	n.Notify, n.NotificationMessage = in("Notify"), in("NotificationMessage")
}

// setParts fills in the names of properties and of what stands in messages.
func (n *Names) setParts(in func(string) xmlstrict.Name) {
	for local, at := range map[string]*xmlstrict.Name{
		"Topic": &n.Topic, "TopicExpression": &n.TopicExpression,
		"FixedTopicSet": &n.FixedTopicSet, "ConsumerReference": &n.ConsumerReference,
		"Filter": &n.Filter, "SubscriptionPolicy": &n.SubscriptionPolicy,
		"CreationTime": &n.CreationTime, "UseNotify": &n.UseNotify,
		"Precondition": &n.Precondition, "Selector": &n.Selector, "UseRaw": &n.UseRaw,
		"ProducerProperties": &n.ProducerProperties, "MessageContent": &n.MessageContent,
		"SubscriptionReference":  &n.SubscriptionReference,
		"ProducerReference":      &n.ProducerReference,
		"Message":                &n.Message,
		"InitialTerminationTime": &n.InitialTerminationTime,
		"PullPoint":              &n.PullPoint, "MaximumNumber": &n.MaximumNumber,
		"UnknownFilter":      &n.unknownFilter,
		"UnrecognizedPolicy": &n.unrecognizedPolicy,
		"UnsupportedPolicy":  &n.unsupportedPolicy,
		"MinimumTime":        &n.minimumTime, "MaximumTime": &n.maximumTime,
	} {
		*at = in(local)
	}
}

// setFaults fills in the names of faults.
func (n *Names) setFaults(in func(string) xmlstrict.Name) {
	for local, at := range map[string]*xmlstrict.Name{
		"SubscribeCreationFailed":             &n.SubscribeCreationFailed,
		"InvalidTopicExpression":              &n.InvalidTopicExpression,
		"TopicNotSupported":                   &n.TopicNotSupported,
		"MultipleTopicsSpecified":             &n.MultipleTopicsSpecified,
		"NoCurrentMessageOnTopic":             &n.NoCurrentMessageOnTopic,
		"PauseFailed":                         &n.PauseFailed,
		"ResumeFailed":                        &n.ResumeFailed,
		"InvalidFilter":                       &n.InvalidFilter,
		"NotifyMessageNotSupported":           &n.NotifyMessageNotSupported,
		"InvalidProducerPropertiesExpression": &n.InvalidProducerPropertiesExpression,
		"InvalidMessageContentExpression":     &n.InvalidMessageContentExpression,
		"UnrecognizedPolicyRequest":           &n.UnrecognizedPolicyRequest,
		"UnsupportedPolicyRequest":            &n.UnsupportedPolicyRequest,
		"UnacceptableInitialTerminationTime":  &n.UnacceptableInitialTerminationTime,
		"UnacceptableTerminationTime":         &n.UnacceptableTerminationTime,
		"UnableToDestroySubscription":         &n.UnableToDestroySubscription,
		"UnableToCreatePullPoint":             &n.UnableToCreatePullPoint,
		"UnableToGetMessages":                 &n.UnableToGetMessages,
		"UnableToDestroyPullPoint":            &n.UnableToDestroyPullPoint,
	} {
		*at = in(local + "Fault")
	}
}

// NotifyAction returns the action of a Notify. That of 1.3 is what the published
// WSDL gives by default (WS-Addressing 1.0 metadata, 4.4.4).
func (e Edition) NotifyAction() string {
	if e == Final {
		return schema.Notification2Action + "NotificationConsumer/Notify"
	}
	return schema.NotificationAction + "Notify"
}

// The shapes of elements that hold text, and any elements.
var (
	words    = xmlstrict.Shape{Content: xmlstrict.Words}
	anything = xmlstrict.Shape{Parts: []xmlstrict.Part{{Many: true}}}
)

// parts returns the shape of an element with parts in that order, in the final
// edition with extensions behind them.
func (e Edition) parts(all ...xmlstrict.Name) xmlstrict.Shape {
	var s xmlstrict.Shape
	for _, name := range all {
		s.Parts = append(s.Parts, xmlstrict.Part{Name: name})
	}
	if e == Final {
		other := xmlstrict.Name{Space: names[e].Subscribe.Space}
		s.Parts = append(s.Parts, xmlstrict.Part{Name: other, Many: true})
	}
	return s
}

// pullParts returns the shape of a message about pull points, which admits any
// attribute.
func (e Edition) pullParts(all ...xmlstrict.Name) xmlstrict.Shape {
	s := e.parts(all...)
	s.Loose = true
	return s
}
