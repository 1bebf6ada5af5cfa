package sqlite

import (
	"bytes"
	"errors"
	"os"
)

// saltEnd is where the part of a log's header ends that differs from one use of
// the log to the next (SQLite's file format, 4.1).
const saltEnd = 24

// AsKilled returns the file and the log of a record that is being used, as a kill
// would leave them at one moment.
//
// Reading both takes longer than a moment. What is appended meanwhile does no harm,
// nor what is copied from the log to the file: it is in the log as well. A log that
// is begun anew before all is read does: the file may lack what the old log held, and
// the log be of two uses.
func AsKilled(path string) (file, log []byte, err error) {
	for {
		before, err1 := os.ReadFile(path + "-wal")
		file, err2 := os.ReadFile(path)
		log, err3 := os.ReadFile(path + "-wal")
		after, err4 := os.ReadFile(path + "-wal")
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			return nil, nil, err
		}
		if len(before) >= saltEnd && bytes.HasPrefix(log, before[:saltEnd]) &&
			bytes.HasPrefix(after, before[:saltEnd]) {
			return file, log, nil
		}
	}
}
