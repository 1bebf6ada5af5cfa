package pullpoint

import (
	"bytes"
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/producer"
	"github.com/philoxenia/philoxenia/wsdl"
)

// factory is the port type that makes pull points.
type factory struct{ manager Manager }

// NewFactory returns the port type that makes pull points over the manager.
func NewFactory(m Manager) dispatch.Service {
	f := factory{m}
	return dispatch.Service{
		Face: wsdl.Two, Name: port.PullPoints,
		Operations: map[string]dispatch.Operation{
			"CreatePullPoint":             {Do: f.create},
			"CreatePullPointSubscription": {Do: f.createSubscribed},
		},
	}
}

// create answers CreatePullPoint (WS-BaseNotification 1.3, 5.2.1). A pull point
// stays until it is destroyed, unless it is given an end.
func (f factory) create(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	made, err := f.manager.CreatePullPoint(ctx, c.Owner, time.Time{})
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		wsn.Final.WriteCreatePullPointResponse(enc, port.PullPointEPR(c, made.ID))
	}, nil
}

// patience is how long a pull point stays that ONVIF's clients make without
// saying how long: they do not tidy up.
const patience = time.Hour

// createSubscribed answers CreatePullPointSubscription (ONVIF Core, 9.2.1): a
// pull point with one subscription, to all that the caller's workspaces publish.
// The end that is asked for is that of the pull point, and with it of both.
func (f factory) createSubscribed(
	ctx context.Context, c *dispatch.Call,
) (dispatch.Reply, error) {
	asked, err := wsn.ParsePullPointSubscription(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	wish, err := producer.Wish(c, asked)
	if err != nil {
		return nil, err
	}
	if !asked.UseNotify {
		return nil, wsn.UnsupportedPolicy(c.Document.Errorf(c.Body,
			"messages inside NotificationMessage", "a pull point does not hand out raw messages"),
			names.UseRaw)
	}
	now, end := time.Now(), wish.Expires
	if end.IsZero() {
		end = now.Add(patience).UTC().Truncate(time.Millisecond)
	}
	made, err := f.manager.CreatePullPoint(ctx, c.Owner, end)
	if err != nil {
		return nil, err
	}
	epr := port.PullPointEPR(c, made.ID)
	wish.PullPoint, wish.Expires = made.ID, time.Time{}
	wish.Address, wish.Consumer = epr.Address, reference(epr)
	if _, err := f.manager.Subscribe(ctx, wish); err != nil {
		undo := context.WithoutCancel(ctx)
		_ = f.manager.DestroyPullPoint(undo, c.Owner, made.ID) // the caller does not know it
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		wsn.WritePullPointSubscriptionResponse(enc, epr, now, made.Expires)
	}, nil
}

// reference returns a consumer's reference as an element of its own.
func reference(epr wsa.EPR) []byte {
	enc := xmlstrict.Borrow()
	defer enc.Release()
	epr.Write(enc, names.ConsumerReference, wsa.V200508)
	return bytes.Clone(enc.Bytes())
}
