package notify

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Replier posts single messages to addresses that callers name, under the same
// guard as notifications: a reply that goes elsewhere is a message to a stranger
// too. There is one try.
type Replier struct {
	guard  Guard
	client *http.Client
}

// NewReplier returns a Replier that keeps to the guard.
func NewReplier(guard Guard) *Replier {
	return &Replier{guard, NewClient(guard, patience)}
}

// patience is how long a reply may take.
const patience = 10 * time.Second

// Check says why nothing may be posted to the address, as far as its text
// tells. What its name stands for is checked when it is dialled.
func (r *Replier) Check(address string) error { return r.guard.URL(address) }

// Post posts the message and waits until it is taken.
func (r *Replier) Post(
	ctx context.Context, address string, header http.Header, message []byte,
) error {
	code, status, err := post(ctx, r.client, letter{address, header, message})
	if err != nil {
		return err
	}
	if code != http.StatusOK && code != http.StatusAccepted && code != http.StatusNoContent {
		return fmt.Errorf("%s answered %s", xmlstrict.Clip(address), status)
	}
	return nil
}
