package libvirt

import (
	"context"
	"net"
)

// wire is a connection that says itself that it has ended. The library says so too, but
// too late: when it has failed the calls that were waiting, so that the next one is made
// on what has ended; and never of a connection that ends in the moment in which it is
// opened.
type wire struct {
	net.Conn
	gone  <-chan struct{} // closed when nothing more will be read
	ended context.CancelFunc
}

// Read is for the library's one reader. The end is told only when that asks for more,
// and so has handed on all events: it would wait for ever for a subscription to take one
// that has ended.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		return n, nil
	}
	if err != nil {
		w.Conn.Close()
		w.ended()
	}
	return n, err
}

// Write fails only once the reader knows that the connection has ended.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil {
		w.Conn.Close()
		<-w.gone
	}
	return n, err
}
