package sqlite

import (
	"context"
	"log/slog"

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

	Logger *slog.Logger // nil: slog.Default()
}

// Store is a workspace.Store on one SQLite file. Its methods are safe for
// concurrent use.
type Store struct {
	workspace.Store // replaced within minutes by the methods themselves
	options         Options
}

// Open opens the record, making or migrating it as needed, and reads it into
// memory. Errors have kind Unavailable (another process holds the file, the
// disk refuses), Invalid (the file is not a record, or of a later version; the
// pools contradict themselves) or Internal (a row that cannot be read).
func Open(ctx context.Context, options Options) (*Store, error) {
	return &Store{options: options}, nil
}

// Close writes what is still owed and closes the file. Updates under way
// finish, later ones are refused.
func (s *Store) Close() error { return nil }
