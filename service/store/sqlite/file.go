package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	sqlite3 "github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"

	"github.com/philoxenia/philoxenia/service/workspace"
)

const openOp = "open the record"

// applicationID marks a SQLite file as a record of ours ("Phxn").
const applicationID = 0x5068786e

//go:embed migrations/*.sql
var migrations embed.FS

// settings make a connection ours alone, and each commit durable. Rows are
// short and scattered: small pages halve what a commit writes.
const settings = `
PRAGMA page_size = 2048;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA cache_size = -2048;
PRAGMA temp_store = MEMORY;`

// errNotOurs says that the file is something else than a record.
var errNotOurs = errors.New("it is not a record of this service")

// A connector opens connections to one file. The locking mode must come before
// the first access, which the driver's own parameters do not warrant.
type connector struct {
	dsn       string
	connected func(*sqlite3.SQLiteConn) // may be nil
}

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	d := &sqlite3.SQLiteDriver{ConnectHook: func(conn *sqlite3.SQLiteConn) error {
		if c.connected != nil {
			c.connected(conn)
		}
		_, err := conn.Exec(settings, nil)
		return err
	}}
	return d.Open(c.dsn)
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

// openFile opens the file, which only its owner may read: it holds what users
// put into their machines.
func openFile(o Options) (*sql.DB, error) {
	absolute, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, err
	}
	made, err := os.OpenFile(absolute, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = made.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	name := url.URL{Scheme: "file", OmitHost: true, Path: absolute}
	db := sql.OpenDB(connector{name.String() + "?_busy_timeout=0", o.connected})
	db.SetMaxOpenConns(1)
	return db, nil
}

// migrate brings the file to the version that this program knows.
func migrate(ctx context.Context, db *sql.DB) error {
	if err := identify(ctx, db); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	current, known, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > known {
		return fmt.Errorf("%w: it has version %d, this program knows versions up to %d; "+
			"run the program that wrote it, or a later one", errLater, current, known)
	}
	_, err = p.Up(ctx)
	return err
}

// errLater says that a later program wrote the file.
var errLater = errors.New("it was written by a later program")

// identify makes sure that the file is ours: an empty one becomes so.
func identify(ctx context.Context, db *sql.DB) error {
	var id, objects int
	if err := db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return err
	}
	if id == applicationID {
		return nil
	}
	err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&objects)
	if err != nil {
		return err
	}
	if id != 0 || objects > 0 {
		return errNotOurs
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID))
	return err
}

// explain wraps an error from below with its kind and, where SQLite's words do
// not say it, with what it means.
func explain(op, path string, err error) *workspace.Error {
	var known *workspace.Error
	if errors.As(err, &known) {
		return workspace.Errorf(known.Kind, op, path, "%w", err)
	}
	if errors.Is(err, errNotOurs) || errors.Is(err, errLater) {
		return workspace.Errorf(workspace.Invalid, op, path, "%w", err)
	}
	var low sqlite3.Error
	if !errors.As(err, &low) {
		kind := workspace.Internal
		var refused *fs.PathError
		if errors.As(err, &refused) {
			kind = workspace.Unavailable
		}
		return workspace.Errorf(kind, op, path, "%w", err)
	}
	switch low.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return workspace.Errorf(workspace.Unavailable, op, path,
			"another process has it open (%w)", err)
	case sqlite3.ErrNotADB:
		return workspace.Errorf(workspace.Invalid, op, path, "%w (%w)", errNotOurs, err)
	case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrReadonly,
		sqlite3.ErrPerm:
		return workspace.Errorf(workspace.Unavailable, op, path, "%w", err)
	}
	return workspace.Errorf(workspace.Internal, op, path, "%w", err)
}
