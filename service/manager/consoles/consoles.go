// Package consoles keeps the logs of serial lines within bounds, on every host: where
// QEMU itself writes them, nothing else cuts what a guest says.
//
// It must not know what is said, nor whose machine says it.
package consoles

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Options configure a Keeper.
type Options struct {
	Pool   *host.Pool
	MostMB int64         // of one log
	Every  time.Duration // between two looks; 0: 20 s
	Logger *slog.Logger
}

// Limits of a look: a host that hangs holds up no other, and its own next look for
// no longer than this.
const (
	patience = 2 * time.Minute
	atATime  = 16 // hosts
)

// A Keeper cuts logs that have become too long.
type Keeper struct {
	Options
	told map[workspace.HostID]bool // hosts whose logs could not be cut, as was logged
}

// New returns a Keeper.
func New(o Options) *Keeper {
	o.Every = cmp.Or(o.Every, 20*time.Second)
	return &Keeper{Options: o, told: map[workspace.HostID]bool{}}
}

// Run looks after the logs until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(k.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			k.look(ctx)
		}
	}
}

// look cuts what is too long on all hosts that answer.
func (k *Keeper) look(ctx context.Context) {
	nodes := k.Pool.Nodes()
	failed := make([]error, len(nodes))
	room := make(chan struct{}, atATime)
	var all sync.WaitGroup
	for i, n := range nodes {
		if n.Inert || n.Access == nil || !n.Reachable() {
			continue
		}
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			failed[i] = k.tend(ctx, n)
		})
	}
	all.Wait()
	for i, n := range nodes {
		k.tell(ctx, n.ID, failed[i])
	}
}

// tell logs the first of several failures of a host.
func (k *Keeper) tell(ctx context.Context, id workspace.HostID, err error) {
	switch {
	case err == nil:
		delete(k.told, id)
	case ctx.Err() != nil, workspace.KindOf(err) == workspace.Unavailable, k.told[id]:
		// The Watcher tells of hosts that are away.
	default:
		k.told[id] = true
		k.Logger.Warn("cannot cut the logs of consoles", "host", id, "error", err)
	}
}

// tend cuts what is too long on one host.
func (k *Keeper) tend(ctx context.Context, n *host.Node) error {
	files, err := n.Access.List(ctx, n.ConsoleDir())
	if err != nil {
		return err
	}
	var all []error
	for _, f := range files {
		if f.Regular && f.Size > k.MostMB<<20 && isLog(f.Path) {
			all = append(all, Cut(ctx, n.Access, f.Path, k.MostMB<<20/2))
		}
	}
	return errors.Join(all...)
}

// isLog tells the log of a workspace's console from what else is there.
func isLog(name string) bool {
	name = path.Base(name)
	return strings.HasPrefix(name, "workspace-") && strings.HasSuffix(name, ".log")
}

// Step is what the log is shortened by a multiple of, in bytes: a file system can
// take whole blocks out of a file at once, and readers find their place again.
const Step = 1 << 20

// cut.sh takes FILE, KEEP and Step.
//
//go:embed cut.sh
var cut string

// Cut shortens a log of the host, that is written to by appending, to its last so many
// bytes, and up to Step more. Where its file system cannot do that at once, some bytes
// that are said in that moment may be lost.
func Cut(ctx context.Context, a workspace.Access, file string, keep int64) error {
	return a.Run(ctx, workspace.Command{Args: []string{
		"sh", "-c", cut, "sh", file, fmt.Sprint(keep), fmt.Sprint(Step)}})
}
