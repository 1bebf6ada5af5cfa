package libvirtdtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// abilities is where a libvirtd keeps what it asked QEMU, below its directory.
const abilities = "cache/qemu/capabilities"

// abilityCache keeps those answers from one test to the next: they take most of the
// time of a start. libvirt itself finds out which are out of date.
func abilityCache(t testing.TB) string {
	t.Helper()
	root, err := os.UserCacheDir()
	if err != nil {
		root = os.TempDir()
	}
	return filepath.Join(root, "philoxenia", "libvirt-capabilities")
}

// copyNew copies the files that to lacks. It is a saving alone: what fails is not
// copied.
func copyNew(from, to string) {
	files, err := os.ReadDir(from)
	if err != nil || os.MkdirAll(to, 0o755) != nil {
		return
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") {
			continue // another one is at it, or died of it
		}
		target := filepath.Join(to, f.Name())
		data, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			continue
		}
		if old, err := os.ReadFile(target); err == nil && string(old) == string(data) {
			continue
		}
		half, err := os.CreateTemp(to, ".half-")
		if err != nil {
			return
		}
		_, err = half.Write(data)
		if half.Close() != nil || err != nil || os.Rename(half.Name(), target) != nil {
			os.Remove(half.Name())
		}
	}
}
