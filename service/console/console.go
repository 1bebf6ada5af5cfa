// Package console connects people to their machines: serial lines, screens and
// ports of guests, as bytes in WebSocket messages (RFC 6455). Who may be connected
// to what is asked for in SOAP; the answer is a pass, which is good here, once.
//
// It must not know how machines are reached, nor what the bytes mean.
package console

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/philoxenia/philoxenia/schema/line"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Path is where passes are presented: the pass's token follows.
const Path = "/consoles/"

const (
	lifetime  = 10 * time.Minute // of a pass
	mostOpen  = 1000             // passes and connections at a time, of all
	ofOne     = 50               // of one owner
	dialLimit = time.Minute
	patience  = 30 * time.Second // with a client that takes nothing
	piece     = 32 << 10
)

// Connect connects an owner to a workspace as asked; see manager.Connect.
type Connect func(ctx context.Context, owner workspace.Owner, id workspace.ID,
	ask workspace.ConsoleAsk, password string) (io.ReadWriteCloser, error)

// Desk gives passes out and takes them in. They are kept in memory: after a
// restart new ones have to be asked for.
type Desk struct {
	connect Connect
	log     *slog.Logger
	now     func() time.Time

	mu     sync.Mutex
	passes map[string]visit
	held   map[workspace.Owner]int // passes and connections
	sum    int
	all    sync.WaitGroup
	closed chan struct{}
}

// visit is what a pass is for.
type visit struct {
	owner workspace.Owner
	id    workspace.ID
	ask   workspace.ConsoleAsk
	pass  workspace.Pass
}

// NewDesk returns a Desk that connects by the function.
func NewDesk(connect Connect, log *slog.Logger) *Desk {
	return &Desk{connect: connect, log: log, now: time.Now, closed: make(chan struct{}),
		passes: map[string]visit{}, held: map[workspace.Owner]int{}}
}

// Issue gives out a pass. The error is of kind Quota: the owner, or all
// together, hold as many as there may be.
func (d *Desk) Issue(
	owner workspace.Owner, id workspace.ID, ask workspace.ConsoleAsk,
) (workspace.Pass, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget()
	if d.held[owner] >= ofOne || d.sum >= mostOpen {
		return workspace.Pass{}, workspace.Errorf(workspace.Quota, "connect to the workspace",
			id.String(), "%d consoles of yours are open, and %d in all: end some of them",
			d.held[owner], d.sum)
	}
	until := d.now().Add(lifetime).UTC().Truncate(time.Second)
	p := workspace.Pass{Token: rand.Text(), Until: until}
	if ask.Kind == workspace.ConsoleScreen {
		p.Password = rand.Text()[:8] // VNC takes no more
	}
	d.passes[p.Token] = visit{owner, id, ask, p}
	d.hold(owner, 1)
	return p, nil
}

// hold counts what the owner has. The caller holds mu.
func (d *Desk) hold(owner workspace.Owner, n int) {
	d.sum += n
	if d.held[owner] += n; d.held[owner] == 0 {
		delete(d.held, owner)
	}
}

// forget drops passes whose time is over. The caller holds mu.
func (d *Desk) forget() {
	for token, v := range d.passes {
		if d.now().After(v.pass.Until) {
			delete(d.passes, token)
			d.hold(v.owner, -1)
		}
	}
}

// redeem takes a pass in; what it counts for goes on until leave.
func (d *Desk) redeem(token string) (visit, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget()
	v, ok := d.passes[token]
	delete(d.passes, token)
	return v, ok
}

func (d *Desk) leave(owner workspace.Owner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hold(owner, -1)
}

// Stop ends every connection, once: their clients ask for new ones elsewhere or later.
func (d *Desk) Stop() {
	close(d.closed)
	d.all.Wait()
}

// until returns a context that ends with the Desk.
func (d *Desk) until(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	d.all.Go(func() {
		select {
		case <-d.closed:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}

// over reports whether the Desk has ended.
func (d *Desk) over() bool {
	select {
	case <-d.closed:
		return true
	default:
		return false
	}
}

// ServeHTTP connects the bearer of a pass.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.all.Add(1)
	defer d.all.Done()
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		http.Error(w, "this is for WebSocket clients (RFC 6455)", http.StatusUpgradeRequired)
		return
	}
	v, ok := d.redeem(strings.TrimPrefix(r.URL.Path, Path))
	if !ok {
		http.Error(w, "no such pass: it was used, its time is over, or it never was one",
			http.StatusGone)
		return
	}
	defer d.leave(v.owner)
	ctx, cancel := d.until(r.Context())
	defer cancel()
	machine, err := d.dial(ctx, v)
	if err != nil {
		d.refuse(w, v, err)
		return
	}
	defer machine.Close()
	d.serve(ctx, w, r, machine)
}

// dial connects to the machine in good time.
func (d *Desk) dial(ctx context.Context, v visit) (io.ReadWriteCloser, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	return d.connect(ctx, v.owner, v.id, v.ask, v.pass.Password)
}

// statuses are what the kinds of error are in HTTP.
var statuses = map[workspace.Kind]int{
	workspace.NotFound: http.StatusNotFound, workspace.Conflict: http.StatusConflict,
	workspace.Denied: http.StatusForbidden, workspace.Unavailable: http.StatusServiceUnavailable,
}

// refuse says why there is no connection. What is our own affair stands in the log.
func (d *Desk) refuse(w http.ResponseWriter, v visit, err error) {
	kind := workspace.KindOf(err)
	status, known := statuses[kind]
	if !known {
		status = http.StatusBadGateway
	}
	said := err.Error()
	if kind == workspace.Internal {
		d.log.Error("console not connected", "workspace", v.id, "owner", v.owner, "error", err)
		said = "the machine could not be connected to; the service's log says why"
	}
	http.Error(w, said, status)
}

// serve passes bytes both ways until one side ends.
func (d *Desk) serve(
	ctx context.Context, w http.ResponseWriter, r *http.Request, machine io.ReadWriteCloser,
) {
	// A page of another origin gets nothing here without a pass, and no browser
	// adds one by itself: so the origin need not be looked at.
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{line.Protocol}, InsecureSkipVerify: true,
	})
	if err != nil {
		d.log.Debug("console not opened", "error", err)
		return
	}
	defer socket.CloseNow()
	socket.SetReadLimit(1 << 20)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { defer cancel(); line.Watch(ctx, socket) })
	both.Go(func() { defer cancel(); defer machine.Close(); in(ctx, socket, machine) })
	ended := out(ctx, socket, machine)
	why := websocket.StatusNormalClosure
	if d.over() {
		why = websocket.StatusGoingAway
	}
	socket.Close(why, ended)
	cancel()
	machine.Close()
	both.Wait()
}

// in passes what the client says to the machine.
func in(ctx context.Context, socket *websocket.Conn, machine io.Writer) {
	for {
		_, message, err := socket.Reader(ctx)
		if err != nil {
			return
		}
		if _, err := io.Copy(machine, message); err != nil {
			return
		}
	}
}

// out passes what the machine says to the client, and returns why that ended.
func out(ctx context.Context, socket *websocket.Conn, machine io.ReadCloser) string {
	stop := context.AfterFunc(ctx, func() { machine.Close() })
	defer stop()
	buf := make([]byte, piece)
	for {
		n, err := machine.Read(buf)
		if n > 0 {
			if failed := send(ctx, socket, buf[:n]); failed != nil {
				return ""
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return "the machine ended the connection"
		case err != nil:
			return "the connection to the machine broke"
		}
	}
}

// send gives up a client that takes nothing any more: its guest would wait too.
func send(ctx context.Context, socket *websocket.Conn, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return socket.Write(ctx, websocket.MessageBinary, data)
}
