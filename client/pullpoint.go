package client

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsa"
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

// CreatePullPoint creates a pull point that is destroyed at a time, with what
// it holds; zero leaves that to the service.
func (c *Client) CreatePullPoint(_ context.Context, _ time.Time) (wsa.EPR, error) {
	return wsa.EPR{}, ErrNoFace
}

// Messages takes messages out of a pull point, the oldest first.
func (c *Client) Messages(_ context.Context, _ wsa.EPR, _ Ask) ([]Notification, error) {
	return nil, ErrNoFace
}
