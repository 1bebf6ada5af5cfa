package login

import (
	"context"
	"errors"

	"golang.org/x/crypto/ssh"
)

// Start starts a command in a session of its own, which prepare joins to what it reads
// and writes. When the connection was lost since its last command, so that nothing was
// asked of the server, it connects again, once, and asks there. It is not for connections
// on which sessions or channels stay open.
func (c *Conn) Start(
	command string, prepare func(*ssh.Session) error,
) (*ssh.Session, error) {
	s, unasked, err := c.start(command, prepare)
	if !unasked || c.Failed() {
		return s, err
	}
	if err := c.renew(); err != nil {
		return nil, err
	}
	s, _, err = c.start(command, prepare)
	return s, err
}

// start is one try. Of one that fails unasked tells that the command has not run.
func (c *Conn) start(
	command string, prepare func(*ssh.Session) error,
) (s *ssh.Session, unasked bool, err error) {
	client, _ := c.now()
	s, err = client.NewSession()
	if err != nil {
		var refused *ssh.OpenChannelError
		return nil, c.used && !errors.As(err, &refused), err
	}
	if err = prepare(s); err == nil {
		err = s.Start(command)
	}
	if err == nil {
		c.used = true
		return s, false, nil
	}
	s.Close()
	// What a server closed without an answer it may have done: Dropbear does both.
	return nil, false, err
}

// renew puts another connection in the place of the one that is gone. It ends when
// the connection is broken off.
func (c *Conn) renew() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.mu.Lock()
	c.redials = cancel
	cause := c.cause
	c.mu.Unlock()
	if cause != nil {
		return cause
	}
	fresh, err := dial(ctx, c.Server, c.timeout, c.moved)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.redials = nil
	if err == nil && c.cause != nil {
		fresh.Client.Close()
		err = c.cause
	}
	if err != nil {
		return err
	}
	c.Client.Close()
	c.Client, c.ended, c.used = fresh.Client, fresh.ended, false
	return nil
}
