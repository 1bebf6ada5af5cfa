package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Options says where the record is and what it is about.
type Options struct {
	Path     string              // the file; made when it is not there
	Hosts    []workspace.Host    // the pool, in the order that Hosts gives back
	Networks []workspace.Network // the address pools

	// OnChanges and OnMessages are told, in the order of commits and before
	// Update returns, of the changes that were put and of the subscriptions
	// that got messages. They run on the writer: they must be quick and must
	// not call Update. Either may be nil.
	OnChanges  func([]*workspace.Change)
	OnMessages func([]workspace.SubscriptionID)

	// Wants says whether a subscription with a Filter is to be told of an event
	// of the workspace, as it is then. It is asked within Update and must be
	// quick. When it is nil all are told.
	Wants func(*workspace.Subscription, workspace.Event, *workspace.Workspace) bool
	// PullCapacity is how many messages a pull point holds; 0: 10,000.
	PullCapacity int

	Logger *slog.Logger // nil: slog.Default()

	connected func(*sqlite3.SQLiteConn) // for tests that need faults
}

// Store is a workspace.Store on one SQLite file. Its methods are safe for
// concurrent use.
type Store struct {
	options Options
	db      *sql.DB
	conn    *sql.Conn
	queue   chan *request // taken by the writer one by one; never buffered
	owing   chan struct{} // something is owed
	closing chan struct{}
	stopped chan struct{}
	close   func() error

	requests sync.Pool // of *request, to be used again

	mu    sync.RWMutex // guards owed and the committed part of state
	state *state
	owed  debts
}

// debts are what the file is behind memory with, to be written lazily.
type debts struct {
	sent    []int64                    // messages that were delivered
	of      []workspace.SubscriptionID // whose they were; with repetitions
	emptied []workspace.SubscriptionID // subscriptions with no more to deliver
	dropped []int64                    // messages that go with their subscriptions, in a batch
}

var _ workspace.Store = (*Store)(nil)

// Open opens the record, making or migrating it as needed, and reads it into
// memory. Errors have kind Unavailable (another process holds the file, the
// disk refuses), Invalid (the file is not a record, or of a later version; the
// pools contradict themselves) or Internal (a row that cannot be read).
func Open(ctx context.Context, options Options) (*Store, error) {
	options.Logger = cmp.Or(options.Logger, slog.Default())
	options.PullCapacity = cmp.Or(options.PullCapacity, 10_000)
	st, err := newState(options.Hosts, options.Networks)
	if err != nil {
		return nil, workspace.Errorf(workspace.Invalid, openOp, options.Path, "%w", err)
	}
	s := &Store{
		options: options, state: st,
		queue: make(chan *request), owing: make(chan struct{}, 1),
		closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	s.close = sync.OnceValue(s.shut)
	s.requests.New = func() any { return &request{done: make(chan struct{}, 1)} }
	if err := s.open(context.WithoutCancel(ctx)); err != nil {
		return nil, explain(openOp, options.Path, errors.Join(err, s.release()))
	}
	return s, nil
}

// open opens the file, loads it and starts the writer, which Close waits for.
func (s *Store) open(ctx context.Context) (err error) {
	if s.db, err = openFile(s.options); err != nil {
		return err
	}
	if err = migrate(ctx, s.db); err != nil {
		return err
	}
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	l := loader{conn: s.conn, state: s.state}
	if err = l.load(ctx); err != nil {
		return err
	}
	s.owed.emptied = s.state.orphans()
	started := make(chan error)
	go s.serve(started)
	return <-started
}

// serve runs the writer on the driver's own connection until Close.
func (s *Store) serve(started chan<- error) {
	defer close(s.stopped)
	err := s.conn.Raw(func(conn any) error {
		r, err := prepare(conn.(*sqlite3.SQLiteConn))
		started <- err
		if err != nil {
			return nil
		}
		defer r.close()
		newWriter(s, r).run()
		return nil
	})
	if err != nil {
		started <- err // Raw refused: its function has not run
	}
}

// Close writes what is still owed and closes the file. Updates under way
// finish, later ones are refused with kind Unavailable.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	close(s.closing)
	<-s.stopped
	if err := s.release(); err != nil {
		return explain("close the record", s.options.Path, err)
	}
	return nil
}

// release closes the file, if it was opened.
func (s *Store) release() error {
	var err error
	if s.conn != nil {
		err = s.conn.Close()
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	return err
}

// Update implements workspace.Store. When ctx ends before f's turn f is not
// run; later it makes no difference. Errors of f are returned as they are;
// others have kind Unavailable (the disk refuses, the store is closed) or
// Internal (f panicked).
func (s *Store) Update(ctx context.Context, f func(workspace.Tx) error) error {
	r := s.requests.Get().(*request)
	r.f, r.err = f, nil
	defer s.requests.Put(r)
	select {
	case s.queue <- r:
		<-r.done
		return r.err
	case <-ctx.Done():
		return workspace.Errorf(workspace.Unavailable, updateOp, "", "%w", ctx.Err())
	case <-s.closing:
		return workspace.Errorf(workspace.Unavailable, updateOp, "", "the store is closed")
	}
}
