package xmlstrict

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recordings is where the recorded messages of the original live.
const recordings = "../soap/testdata/gt4"

// recorded returns one recorded message.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(recordings, name+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// allRecorded returns every recorded message by name.
func allRecorded(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(recordings, "*.xml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded messages: %v", err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".xml")
		all[name] = recorded(t, name)
	}
	return all
}
