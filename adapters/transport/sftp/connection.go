package sftp

import (
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
