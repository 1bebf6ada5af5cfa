package libvirtdtest

import (
	_ "embed"
	"os"
	"path/filepath"
)

//go:embed tc.sh
var trafficControl []byte

// ShapeTraffic lets the daemon limit bandwidth on kernels without the schedulers
// that it likes.
func (d *Daemon) ShapeTraffic() {
	d.t.Helper()
	bin := filepath.Join(d.Dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "tc"), trafficControl, 0o755); err != nil {
		d.t.Fatal(err)
	}
}
