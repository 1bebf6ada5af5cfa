package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Probe tests a host of the pool now. Errors: Denied, NotFound.
func (f *Fleet) Probe(
	ctx context.Context, owner workspace.Owner, id workspace.HostID,
) ([]workspace.Finding, error) {
	if err := f.permit(probeOp, owner, id); err != nil {
		return nil, err
	}
	n, err := f.o.Pool.Node(id)
	if err != nil {
		return nil, workspace.Errorf(workspace.NotFound, probeOp, string(id),
			"the pool has no host of that name")
	}
	return f.look(ctx, n), nil
}

// ProbeNew tests a host that is not in the pool, as Add would find it. Errors:
// Denied, Invalid.
func (f *Fleet) ProbeNew(
	ctx context.Context, owner workspace.Owner, spec workspace.HostSpec,
) ([]workspace.Finding, error) {
	if err := f.permit(probeOp, owner, spec.ID); err != nil {
		return nil, err
	}
	if spec.ID == "" {
		spec.ID = "new"
	}
	n, err := f.o.Open(ctx, spec)
	if err != nil {
		return nil, failed(probeOp, spec.ID, err)
	}
	all := f.look(ctx, n)
	return all, f.close(n)
}

// look goes through all tests.
func (f *Fleet) look(ctx context.Context, n *host.Node) []workspace.Finding {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	all := n.Probe(ctx)
	if n.Access == nil || n.Inert {
		return all
	}
	all = append(all, f.files(ctx, n)...)
	all = append(all, programs(ctx, n), clock(ctx, n))
	all = append(all, bridges(ctx, n)...)
	all = append(all, overlay(ctx, n)...)
	reached := make([]workspace.Finding, len(f.o.Repositories))
	var asking sync.WaitGroup
	for i, r := range f.o.Repositories {
		asking.Go(func() { reached[i] = repository(ctx, n, r) })
	}
	asking.Wait()
	return append(all, reached...)
}

// trouble is a finding of what did not work.
func trouble(check string, v workspace.Verdict, err error, do string) workspace.Finding {
	return workspace.Finding{Check: check, Verdict: v, Text: err.Error(), Do: do}
}

// files writes a file where disks live, reads it back and measures what is free.
func (f *Fleet) files(ctx context.Context, n *host.Node) []workspace.Finding {
	const check, little = "files", 10
	do := "see that the directory of disks can be written by the user who logs on there"
	if err := n.Access.MakeDir(ctx, n.Dir, dirMode); err != nil {
		return []workspace.Finding{trouble(check, workspace.VerdictFail, err, do)}
	}
	word := []byte("ok\n")
	name := path.Join(n.Dir, ".probe-"+strconv.FormatInt(now().UnixNano(), 36))
	err := n.Access.Write(ctx, name, word, 0o600)
	if err == nil {
		var back []byte
		back, err = n.Access.Read(ctx, name, int64(len(word)))
		err = errors.Join(err, n.Access.Remove(ctx, name))
		if err == nil && !bytes.Equal(back, word) {
			err = fmt.Errorf("%s reads other than it was written", name)
		}
	}
	if err != nil {
		return []workspace.Finding{trouble(check, workspace.VerdictFail, err, do)}
	}
	free, total, err := n.Access.Space(ctx, n.Dir)
	if err != nil {
		return []workspace.Finding{trouble("disk", workspace.VerdictWarn, err, do)}
	}
	disk := workspace.Finding{Check: "disk", Verdict: workspace.VerdictOK, Text: fmt.Sprintf(
		"%d of %d MB free in %s", free>>20, total>>20, n.Dir)}
	if free*little < total {
		disk.Verdict, disk.Do = workspace.VerdictWarn, "make room: images and disks come there"
	}
	return []workspace.Finding{{
		Check: check, Verdict: workspace.VerdictOK, Text: "written and read in " + n.Dir}, disk}
}

// needed are the programs that a host needs, and wanted those that make things
// faster where they are there.
var (
	needed = []string{"qemu-img", "debugfs"}
	wanted = []string{"curl", "sha256sum"}
)

// programs looks for programs on the host.
func programs(ctx context.Context, n *host.Node) workspace.Finding {
	const check = "programs"
	script := `for p in "$@"; do command -v "$p" >/dev/null || echo "$p"; done`
	var out bytes.Buffer
	err := n.Access.Run(ctx, workspace.Command{
		Args:   slices.Concat([]string{"sh", "-c", script, "sh"}, needed, wanted),
		Stdout: &out,
	})
	if err != nil {
		return trouble(check, workspace.VerdictFail, err,
			"see that the user who logs on there may run sh")
	}
	lacks := strings.Fields(out.String())
	switch {
	case len(lacks) == 0:
		return workspace.Finding{Check: check, Verdict: workspace.VerdictOK,
			Text: strings.Join(slices.Concat(needed, wanted), ", ")}
	case slices.ContainsFunc(lacks, func(p string) bool { return slices.Contains(needed, p) }):
		return workspace.Finding{Check: check, Verdict: workspace.VerdictFail,
			Text: "not there: " + strings.Join(lacks, ", "),
			Do:   "install qemu-utils and e2fsprogs on the host"}
	}
	return workspace.Finding{Check: check, Verdict: workspace.VerdictWarn,
		Text: "not there: " + strings.Join(lacks, ", "),
		Do:   "without them images take the way through the daemon; install them"}
}

// skew is how far a host's clock may be from the daemon's.
const skew = 2 * time.Second

// clock compares the host's with the daemon's.
func clock(ctx context.Context, n *host.Node) workspace.Finding {
	const check = "clock"
	var out bytes.Buffer
	before := time.Now()
	err := n.Access.Run(ctx, workspace.Command{Args: []string{"date", "+%s"}, Stdout: &out})
	if err != nil {
		return trouble(check, workspace.VerdictWarn, err, "")
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(out.String()), 10, 64)
	if err != nil {
		return trouble(check, workspace.VerdictWarn, err, "")
	}
	there := time.Unix(seconds, 0)
	off := max(before.Add(-time.Second).Sub(there), there.Sub(time.Now()), 0)
	if off > skew {
		return workspace.Finding{Check: check, Verdict: workspace.VerdictWarn,
			Text: fmt.Sprintf("off by %v from the daemon's", off.Round(time.Second)),
			Do:   "let the host keep time by NTP: guests take theirs from it"}
	}
	return workspace.Finding{Check: check, Verdict: workspace.VerdictOK, Text: "as the daemon's"}
}

// bridges looks for the bridge devices that guests are connected to.
func bridges(ctx context.Context, n *host.Node) (all []workspace.Finding) {
	for _, association := range slices.Sorted(maps.Keys(n.Networks)) {
		kind, name, _ := strings.Cut(n.Networks[association], ":")
		if kind != "bridge" {
			continue
		}
		f := workspace.Finding{Check: "network " + association, Verdict: workspace.VerdictOK,
			Text: "bridge " + name + " is there"}
		if _, err := n.Access.Stat(ctx, path.Join("/sys/class/net", name)); err != nil {
			f = trouble(f.Check, workspace.VerdictFail, fmt.Errorf("there is no bridge %s", name),
				"make it: ip link add "+name+" type bridge; ip link set "+name+" up")
		}
		all = append(all, f)
	}
	return all
}

// repository connects from the host to a repository.
func repository(ctx context.Context, n *host.Node, address string) workspace.Finding {
	const limit = 5 * time.Second
	f := workspace.Finding{Check: "repository " + address, Verdict: workspace.VerdictOK,
		Text: "the host reaches it"}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := n.Access.Dial(ctx, "tcp", address)
	if err == nil {
		err = conn.Close()
	}
	if err != nil {
		f = trouble(f.Check, workspace.VerdictWarn, err,
			"images will take the way through the daemon; open the host's way there")
	}
	return f
}
