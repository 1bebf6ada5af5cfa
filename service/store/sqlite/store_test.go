package sqlite_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/store/storetest"
	"github.com/philoxenia/philoxenia/tests/leak"
)

// quiet is for errors that are part of the test.
var quiet = slog.New(slog.DiscardHandler)

// options returns what the suite wants a store to be opened with.
func options(s storetest.Setup) sqlite.Options {
	return sqlite.Options{Path: filepath.Join(s.Dir, "record.db"), Hosts: s.Hosts,
		Networks: s.Networks, OnChanges: s.OnChanges, OnMessages: s.OnMessages, Logger: quiet,
		Wants: s.Wants, PullCapacity: s.PullCapacity}
}

func TestConformance(t *testing.T) {
	defer leak.None(t)
	storetest.Exercise(t, func(s storetest.Setup) (storetest.Store, error) {
		return sqlite.Open(t.Context(), options(s))
	})
}
