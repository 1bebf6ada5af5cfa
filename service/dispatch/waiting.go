package dispatch

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// The waiting are the requests that wait, or may wait, for something to happen.
// They have left the gate, so there are bounds of their own: on how many there
// are, in all and of one owner, and on what each keeps in memory meanwhile.
type waiting struct {
	all, share int // at most

	mu  sync.Mutex
	now int
	of  map[workspace.Owner]int
}

// maxWaiting is how long a request that may wait may be, in bytes: all that it
// says is kept for as long as it waits.
const maxWaiting = 16 << 10

// enter counts one more of the owner's, unless it is one too many.
func (w *waiting) enter(owner workspace.Owner) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now >= w.all || w.of[owner] >= w.share {
		return false
	}
	w.now++
	w.of[owner]++
	return true
}

func (w *waiting) leave(owner workspace.Owner) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now--
	if w.of[owner]--; w.of[owner] == 0 {
		delete(w.of, owner)
	}
}

// wait carries out an operation that may wait. It lets others in meanwhile, and
// puts the end of the time for its reply off: that a connection knows no such
// end is its business. When the server stops the waiting is over.
func (x *exchange) wait(call *Call) (Reply, error) {
	if x.size > maxWaiting {
		return nil, &refusal{http.StatusRequestEntityTooLarge,
			fmt.Sprintf("a request that may wait is larger than %d bytes", maxWaiting)}
	}
	if w := x.handler.waiting; w.enter(x.owner) {
		defer w.leave(x.owner)
	} else {
		return nil, workspace.Errorf(workspace.Busy, "wait", "",
			"too many requests wait already, expected at most %d of one caller", w.share)
	}
	x.hold.release()
	late := time.Now().Add(LongestWait + x.handler.limits.WriteTimeout)
	_ = http.NewResponseController(x.writer).SetWriteDeadline(late)
	ctx, cancel := context.WithCancel(x.request.Context())
	ended := make(chan struct{})
	defer func() { cancel(); <-ended }()
	go func() {
		defer close(ended)
		select {
		case <-x.handler.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return x.operation.Do(ctx, call)
}
