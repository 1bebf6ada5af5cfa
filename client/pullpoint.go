package client

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
)

// Ask is a question for the messages of a pull point.
type Ask struct {
	Most int           // messages at once; 0: as many as the service likes to give
	Wait time.Duration // that the service may hold the question open while there is none, 0 to 60 s
	// MessageID identifies the question; made up when empty. The service answers one
	// that it has seen with the messages that it gave the first time: to repeat one whose
	// answer was lost, give its MessageID.
	MessageID string
}

// CreatePullPoint creates a pull point, which keeps messages until they are
// taken (WS-BaseNotification 1.3, 5.1). At a time it is destroyed, with what it
// holds and the subscriptions to it; zero leaves that to the service. Only face
// two has it.
func (c *Client) CreatePullPoint(ctx context.Context, until time.Time) (wsa.EPR, error) {
	const op = "create a pull point"
	a, err := c.call(ctx, request{
		op: op, operation: "CreatePullPoint", target: c.service("", pullPointsTwo),
		body: empty(wsn.Final.Names().CreatePullPoint),
	})
	if err != nil {
		return wsa.EPR{}, err
	}
	epr, err := wsn.Final.ParseCreatePullPointResponse(a.doc, a.body)
	if err != nil || until.IsZero() {
		return epr, unreadable(op, err)
	}
	if _, err := c.SetTerminationTime(ctx, epr, until); err != nil {
		_ = c.Destroy(ctx, epr) // nobody will use it; the first failure is what counts
		return wsa.EPR{}, err
	}
	return epr, nil
}

// Messages takes messages out of a pull point, the oldest first; none when
// there is none within Ask.Wait. Each question says that the messages of the
// one before have arrived. ErrOverflow says, once, that the pull point was full
// and messages were dropped; the next question gets those that are there.
func (c *Client) Messages(ctx context.Context, pullPoint wsa.EPR, ask Ask) ([]Notification, error) {
	op := "take messages out of " + Describe(pullPoint)
	a, err := c.call(ctx, request{
		op: op, operation: "GetMessages", target: pullPoint, messageID: ask.MessageID,
		body: wsn.GetMessages{Most: ask.Most, Wait: ask.Wait}.Write, wait: ask.Wait,
	})
	if err != nil {
		return nil, err
	}
	all, err := wsn.Final.ParseGetMessagesResponse(a.doc, a.body)
	if err != nil {
		return nil, unreadable(op, err)
	}
	list, err := readNotifications(a.doc, all)
	return list, unreadable(op, err)
}

// DestroyPullPoint ends a pull point, with what it holds and the subscriptions
// to it. A retry after a lost answer that finds nothing left counts as done.
func (c *Client) DestroyPullPoint(ctx context.Context, pullPoint wsa.EPR) error {
	a, err := c.call(ctx, request{
		op: "destroy " + Describe(pullPoint), operation: "DestroyPullPoint", target: pullPoint,
		body: empty(wsn.Final.Names().DestroyPullPoint),
	})
	if a.attempts > 1 && IsUnknown(err) {
		return nil
	}
	return err
}
