package wsn

import (
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The keys of endpoint references to subscriptions and consumers in GT4.
var (
	SubscriptionKey = xmlstrict.Name{Space: schema.Core, Local: "SubscriptionKey"}
	ConsumerKey     = xmlstrict.Name{Space: schema.Core, Local: "NotificationConsumerKey"}
)
