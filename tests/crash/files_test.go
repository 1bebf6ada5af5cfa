package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// dir is the directory of a host's disks.
func (b *books) dir(host string) string {
	if b.dirOf == nil {
		return b.disks[0]
	}
	return b.dirOf(host)
}

// files says which disks are there without a workspace that needs them, and
// which are missing.
func (b *books) files(rows map[string]row) (wrong []string, err error) {
	there := map[string]bool{} // by directory and key
	for _, dir := range b.disks {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			key, _, _ := strings.Cut(e.Name(), "-")
			if strings.Trim(key, "0123456789") != "" {
				if !slices.Contains(ofHosts, e.Name()) {
					wrong = append(wrong, fmt.Sprintf("%s is left in %s", e.Name(), dir))
				}
				continue
			}
			r := rows[key]
			if !hasDisk(r.state) || b.dir(r.host) != dir || isHalf(e.Name()) {
				wrong = append(wrong, fmt.Sprintf("%s is left in %s (state %q, host %q)", e.Name(),
					dir, r.state, r.host))
			}
			there[dir+"/"+key] = true
		}
	}
	for key, r := range rows {
		if hasDisk(r.state) && !there[b.dir(r.host)+"/"+key] {
			wrong = append(wrong, fmt.Sprintf("workspace %s is %s on %s and has no disk there",
				key, r.state, r.host))
		}
	}
	more, err := b.halfMade()
	return append(wrong, more...), err
}

// ofHosts are names in a directory of disks that belong to no workspace.
var ofHosts = []string{"cache", "consoles"}

// isHalf reports whether a file of that name is on its way, or is about to go.
func isHalf(name string) bool {
	return slices.ContainsFunc([]string{".part", ".clone", ".flat-", ".new", "-shared"},
		func(mark string) bool { return strings.Contains(name, mark) })
}

// halfMade says which files are left of transfers that are over: at rest nothing
// is on its way, neither through the spool nor to a cache nor to the repository.
func (b *books) halfMade() (wrong []string, err error) {
	dirs := []string{b.spool}
	for _, dir := range b.disks {
		dirs = append(dirs, filepath.Join(dir, "cache"))
	}
	if b.images != "" {
		dirs = append(dirs, b.images)
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			name := strings.TrimSuffix(e.Name(), ".qcow2")
			if dir == b.images {
				name = strings.TrimSuffix(e.Name(), ".sha256")
			}
			if dir == b.spool || strings.Contains(name, ".") {
				wrong = append(wrong, fmt.Sprintf("%s is left in %s", e.Name(), dir))
			}
		}
	}
	return wrong, nil
}

func hasDisk(state string) bool {
	return !slices.Contains([]string{"Unpropagated", "TransportReady", "Corrupted"}, state)
}

// meet counts what was under way when the daemon was killed.
func (b *books) meet(ctx context.Context) error {
	if err := b.open(); err != nil {
		return err
	}
	rs, err := b.db.QueryContext(ctx, "SELECT kind, step, argument FROM change WHERE status <> ?",
		int(workspace.ChangeQueued))
	if err != nil {
		return nil //nolint:nilerr // a copy from the middle of a checkpoint: counted next time
	}
	defer rs.Close()
	if b.met == nil {
		b.met = map[string]int{}
	}
	for rs.Next() {
		var kind, argument string
		var step int
		if err := rs.Scan(&kind, &step, &argument); err != nil {
			return err
		}
		if kind == string(workspace.ChangeSnapshot) {
			action, _, _ := strings.Cut(argument, " ")
			kind += " " + action
		}
		b.met[fmt.Sprintf("%s %d", kind, step)]++
	}
	return nil
}
