package port

import (
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Notification returns the edition of WS-BaseNotification that a face speaks.
func Notification(face wsdl.Face) wsn.Edition {
	if face == wsdl.Two {
		return wsn.Final
	}
	return wsn.Draft
}

// The services of pull points, on face two alone, and the name of their keys.
const (
	PullPoints = "PullPoints"
	PullPoint  = "PullPoint"
)

// PullPointKey is the name of the keys of pull points.
var PullPointKey = xmlstrict.Name{Space: schema.Lease, Local: "PullPointKey"}

// SubscriptionEPR returns the reference of a subscription, for the reply to c.
// On face two the address alone names it too, for clients that keep no more of
// a reference.
func SubscriptionEPR(c *dispatch.Call, id workspace.SubscriptionID) wsa.EPR {
	address := Subscription.url(c)
	if c.Face == wsdl.Two {
		address += "?" + dispatch.KeyParameter + "=" + string(id)
	}
	return wsa.NewEPR(address, SubscriptionKey, string(id))
}

// PullPointEPR returns the reference of a pull point, whose address alone names
// it too.
func PullPointEPR(c *dispatch.Call, id workspace.PullPointID) wsa.EPR {
	return wsa.NewEPR(c.URL(wsdl.Two, PullPoint)+"?"+dispatch.KeyParameter+"="+string(id),
		PullPointKey, string(id))
}

// PullPointID returns the call's key as that of a pull point.
func PullPointID(c *dispatch.Call) workspace.PullPointID {
	return workspace.PullPointID(strings.Clone(c.Key))
}

// A Renewal gives what a call is about another end, and returns the end that it
// has then; zero stands for none.
type Renewal func(at time.Time) (time.Time, error)

// Renew answers Renew (WS-BaseNotification 1.3, 6.1.1). An end that the core
// does not accept gets the fault that names the earliest one.
func Renew(c *dispatch.Call, renew Renewal) (dispatch.Reply, error) {
	edition := Notification(c.Face)
	end, err := edition.ParseRenew(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	at, err := renew(end.From(now))
	switch workspace.KindOf(err) {
	case workspace.Denied, workspace.Invalid:
		return nil, edition.Unacceptable(edition.Names().UnacceptableTerminationTime, err)
	}
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) { edition.WriteRenewResponse(enc, at, now) }, nil
}

// SetTermination answers SetTerminationTime (WS-ResourceLifetime 1.2 draft 1, 5,
// and 1.2, 5.1).
func SetTermination(c *dispatch.Call, renew Renewal) (dispatch.Reply, error) {
	edition := Edition(c.Face)
	end, err := edition.ParseSetTerminationTime(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	at, err := renew(end.From(now))
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		wsrf.NewTermination{At: at, Now: now}.WriteIn(enc, edition)
	}, nil
}
