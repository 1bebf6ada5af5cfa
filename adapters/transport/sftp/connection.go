package sftp

import (
	"errors"
	"fmt"
	"io"

	pkgsftp "github.com/pkg/sftp"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
)

// packetBytes is the payload of one packet. OpenSSH takes packets of 256 KiB in
// all; 255 KiB leave room for their heads.
const packetBytes = 255 << 10

// packetsAtOnce hides the latency of a link: 4 MiB on their way. SSH itself
// lets no more than 2 MiB go unacknowledged, and more would only leave the caches.
const packetsAtOnce = 16

// connection is one SSH connection with an SFTP session on it.
type connection struct {
	*pkgsftp.Client
	line *login.Conn
	root string // what Root is without symbolic links; "" until asked
}

var _ login.Session = (*connection)(nil)

// begin opens a session.
func begin(line *login.Conn) (*connection, error) {
	session, err := pkgsftp.NewClient(line.Client, pkgsftp.MaxPacketUnchecked(packetBytes),
		pkgsftp.MaxConcurrentRequestsPerFile(packetsAtOnce), pkgsftp.UseFstat(true))
	if err != nil {
		return nil, login.Unavailable(line.Server.Address, fmt.Errorf("no SFTP there: %w", err))
	}
	return &connection{Client: session, line: line}, nil
}

// Line returns the connection below.
func (c *connection) Line() *login.Conn { return c.line }

// End ends the connection and waits until it is gone.
func (c *connection) End() {
	c.Client.Close()
	c.line.Close()
}

// touch tells the watch that there is progress although nothing goes over the wire.
func (c *connection) touch() { c.line.Touch() }

// Explain returns the reason behind an error of a call on the connection.
func (c *connection) Explain(err error) error {
	if errors.Is(err, pkgsftp.ErrSSHFxConnectionLost) {
		err = fmt.Errorf("%w: %w", err, io.EOF)
	}
	return c.line.Explain(err)
}
