package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// installModules installs the pinned modules of Node.js below a directory and
// returns where they are. No script of theirs runs. What npm fetches it keeps
// in its own cache.
func installModules(dir string) (string, error) {
	dir = filepath.Join(dir, "node")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join("node", name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return "", err
		}
	}
	err := fetchModules(dir)
	if err != nil { // such as half an answer, after which npm does not try again
		err = fetchModules(dir)
	}
	return filepath.Join(dir, "node_modules"), err
}

// fetchModules installs what the lock file of a directory pins. A registry that is away
// for some minutes says nothing of a stack.
func fetchModules(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
		"--prefer-offline", "--fetch-retries=8", "--fetch-retry-mintimeout=2000",
		"--fetch-retry-maxtimeout=30000",
		"--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot install the modules of Node.js: %w\n%s", err, out)
	}
	return nil
}

// node returns the command of a client in JavaScript.
func (s *site) node(name string) (*command, error) {
	modules, err := s.modules()
	if err != nil {
		return nil, err
	}
	return &command{
		args: []string{"node", s.source(name + "/client.js")},
		env:  []string{"NODE_PATH=" + modules},
	}, nil
}

// nodeVersion prints the version of a module that the lock file pins.
func nodeVersion(module string) []string {
	lock, err := filepath.Abs("node/package-lock.json")
	if err != nil {
		panic(err) // the working directory is gone: nothing can go on
	}
	return []string{"node", "-p",
		fmt.Sprintf("require(%q).packages['node_modules/%s'].version", lock, module)}
}
