package sftp

import (
	"context"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp/lanes"
)

// connection is one SSH connection with an SFTP session on it.
type connection struct {
	*lanes.Session
	root string // what Root is without symbolic links; "" until asked
}

// begin opens a session.
func begin(line *login.Conn) (*connection, error) {
	s, err := lanes.Begin(line)
	if err != nil {
		return nil, err
	}
	return &connection{Session: s}, nil
}

// worthSecond is how much must be left of a transfer that a second connection is
// taken for: to log in costs as much as some megabytes.
const worthSecond = 32 << 20

// beside lends f a second connection when there is one, and so much to do for it.
// One connection is one cipher on one core at either end.
func (p place) beside(ctx context.Context, left int64, f func(more []*connection) error) error {
	if left < worthSecond {
		return f(nil)
	}
	return p.Pool.Beside(ctx, f)
}
