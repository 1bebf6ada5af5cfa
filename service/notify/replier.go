package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
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
	return &Replier{guard, newClient(Options{Guard: guard, Timeout: dialPatience, Workers: 1})}
}

// dialPatience is how long a connection may take to come about.
const dialPatience = 5 * time.Second

// Check says why nothing may be posted to the address, as far as its text
// tells. What its name stands for is checked when it is dialled.
func (r *Replier) Check(address string) error { return r.guard.URL(address) }

// Post posts the message and waits until it is taken.
func (r *Replier) Post(
	ctx context.Context, address string, header http.Header, message []byte,
) error {
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, address, bytes.NewReader(message))
	if err != nil {
		return err
	}
	request.Header = header
	response, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusAccepted &&
		response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("%s answered %s",
			xmlstrict.Clip(address), xmlstrict.Clip(response.Status))
	}
	return nil
}
