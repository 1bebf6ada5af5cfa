package dispatch

import (
	"net/http"
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Limits bound what one request, and one connection, may cost. A zero field
// means its default.
type Limits struct {
	Body          int64            // bytes of a request's body; 1 MiB
	HeaderBytes   int              // bytes of its HTTP header; 64 KiB
	HeaderTimeout time.Duration    // to send the HTTP header; 10 s
	BodyTimeout   time.Duration    // to send header and body; 30 s
	WriteTimeout  time.Duration    // from the end of the header to the end of the reply; 60 s
	IdleTimeout   time.Duration    // of a connection between requests; 60 s
	Parallel      int              // requests parsed and carried out at once, per 32 KiB; 128
	Waiting       int              // requests that wait for something to happen; 512
	OwnerWaiting  int              // of them from one caller; 128
	Replies       int              // on their way to addresses in requests at once; 16
	ReplyTimeout  time.Duration    // to send one of them there; 10 s
	XML           xmlstrict.Limits // of the document; its own defaults

	Connections     int // open at once; 1,024
	PeerConnections int // of them from one remote address other than loopback; 64
}

// DefaultLimits returns the defaults.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

func (l Limits) withDefaults() Limits {
	setDefault(&l.Body, 1<<20)
	setDefault(&l.HeaderBytes, 64<<10)
	setDefault(&l.HeaderTimeout, 10*time.Second)
	setDefault(&l.BodyTimeout, 30*time.Second)
	setDefault(&l.WriteTimeout, time.Minute)
	setDefault(&l.IdleTimeout, time.Minute)
	setDefault(&l.Parallel, 128)
	setDefault(&l.Waiting, 512)
	setDefault(&l.OwnerWaiting, 128)
	setDefault(&l.Replies, 16)
	setDefault(&l.ReplyTimeout, 10*time.Second)
	setDefault(&l.Connections, 1024)
	setDefault(&l.PeerConnections, 64)
	setDefault(&l.XML, xmlstrict.DefaultLimits())
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// NewServer returns the http.Server that holds connections to the limits. Who
// calls it listens, through NewListener, serves and shuts it down.
func NewServer(handler http.Handler, limits Limits) *http.Server {
	l := limits.withDefaults()
	return &http.Server{
		Handler:           handler,
		MaxHeaderBytes:    l.HeaderBytes,
		ReadHeaderTimeout: l.HeaderTimeout,
		ReadTimeout:       l.BodyTimeout,
		WriteTimeout:      l.WriteTimeout,
		IdleTimeout:       l.IdleTimeout,
	}
}
