package daemon

import (
	"fmt"
	"os/exec"
)

// Build compiles both programs into dir, for tests that were not given a
// directory with built ones.
func Build(dir string) error {
	const module = "github.com/philoxenia/philoxenia"
	cmd := exec.Command("go", "build", "-o", dir+"/", "-tags", "sqlite_omit_load_extension",
		module+"/service/cmd/workspaced", module+"/client/cmd/workspace")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build: %w\n%s", err, out)
	}
	return nil
}
