package crash

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3" // reads the record from outside

	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// recordName is the record's file in the data directory.
const recordName = "record.db"

// A row is one workspace in the record.
type row struct {
	key      string
	state    string
	fault    string
	host     string
	released bool
	memoryMB int64
	ips      []string
	group    string
	private  bool  // its network is its group's alone
	vni      int64 // of that, where it spans hosts
}

// books reads what lies on the disk while the daemon runs.
type books struct {
	data string // the daemon's data directory
	copy string // directory for copies of the record
	db   *sql.DB

	disks  []string                         // directories of the workspaces' disks
	dirOf  func(host string) string         // which is a host's; nil: there is one for all
	images string                           // directory of the repository; empty: not looked at
	sums   map[string]string                // checksums of what is in it
	spool  string                           // directory of files on their way
	hosts  func() (map[string]guest, error) // what the hosts have, by key
	limit  time.Duration                    // longest wait until nothing is under way

	wire  func(rows map[string]row) []string // what hosts give out; may be nil
	spans bool                               // private networks span hosts

	met map[string]int // changes under way at a kill, by kind and task
}

// open takes a fresh copy of the record and opens it: the daemon lets nobody
// else into the original. A copy during which the daemon began its log anew is none of any
// moment, and is an error; who waits for something takes another.
func (b *books) open() error {
	b.close()
	began, err := b.log()
	if err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(filepath.Join(b.data, recordName+suffix))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(b.copy, recordName+suffix), text, 0o600); err != nil {
			return err
		}
	}
	if now, err := b.log(); err != nil || now != began {
		return errors.Join(err, errors.New("the record was rewritten while it was copied"))
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(b.copy, recordName))
	b.db = db
	return err
}

// log identifies the run of the write-ahead log: its header has salts that are others each
// time that it begins anew (https://www.sqlite.org/fileformat2.html, section 4.1). As long as
// it is the same, it has all that any page of the record may lack.
func (b *books) log() (header [32]byte, err error) {
	f, err := os.Open(filepath.Join(b.data, recordName+"-wal"))
	if err != nil {
		return header, err
	}
	defer f.Close()
	if _, err := io.ReadFull(f, header[:]); errors.Is(err, io.EOF) {
		return header, nil // it is empty yet
	}
	return header, err
}

func (b *books) close() {
	if b.db != nil {
		_ = b.db.Close()
		b.db = nil
	}
}

// number answers a question whose answer is one number.
func (b *books) number(ctx context.Context, query string, args ...any) (int, error) {
	var n int
	err := b.db.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

// awaitSettled waits until no change is under way and the live consumer has
// been told everything. It returns how long the consumer alone took.
func (b *books) awaitSettled(ctx context.Context, live string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	const changes = "SELECT count(*) FROM change"
	if err := b.awaitNone(ctx, "changes under way", changes); err != nil {
		return 0, err
	}
	begin := time.Now()
	err := b.awaitNone(ctx, "messages for the live consumer",
		"SELECT count(*) FROM outbox o JOIN subscription s ON s.id = o.subscription "+
			"WHERE s.address LIKE ?", live+"/%")
	return time.Since(begin), err
}

// awaitNone waits until the query counts nothing.
func (b *books) awaitNone(ctx context.Context, what, query string, args ...any) error {
	for {
		n := -1
		err := b.open()
		if err == nil {
			n, err = b.number(ctx, query, args...)
		}
		if err == nil && n == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%d %s remain (%w): %v", n, what, ctx.Err(), err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// rows returns every workspace of the record.
func (b *books) rows(ctx context.Context) (map[string]row, error) {
	rs, err := b.db.QueryContext(ctx, "SELECT w.id, w.group_id, s.state, s.fault, s.host, "+
		"s.released, w.spec FROM workspace w JOIN standing s ON s.workspace = w.id")
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	all := map[string]row{}
	for rs.Next() {
		var r row
		var spec string
		if err := rs.Scan(&r.key, &r.group, &r.state, &r.fault, &r.host, &r.released,
			&spec); err != nil {
			return nil, err
		}
		if err := r.read(spec); err != nil {
			return nil, err
		}
		all[r.key] = r
	}
	return all, rs.Err()
}

// read takes memory, addresses and networks out of what the record keeps as JSON.
func (r *row) read(text string) error {
	var kept any
	if err := json.Unmarshal([]byte(text), &kept); err != nil {
		return fmt.Errorf("workspace %s: %w", r.key, err)
	}
	walk(kept, func(name string, value any) {
		switch v := value.(type) {
		case string:
			if name == "IP" && v != "" {
				r.ips = append(r.ips, v)
			}
			r.private = r.private || name == "Association" && v == "private"
		case float64:
			switch name {
			case "MemoryMB":
				r.memoryMB = int64(v)
			case "VNI":
				r.vni = int64(v)
			}
		}
	})
	return nil
}

// walk visits every named value of a JSON document.
func walk(v any, visit func(name string, value any)) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			visit(name, value)
			walk(value, visit)
		}
	case []any:
		for _, value := range v {
			walk(value, visit)
		}
	}
}

// check holds the record, the disk and the simulated pool against each other
// and returns what does not add up.
func (b *books) check(ctx context.Context) ([]string, error) {
	rows, err := b.rows(ctx)
	if err != nil {
		return nil, err
	}
	var wrong []string
	wrong = append(wrong, atRest(rows)...)
	wrong = append(wrong, addresses(rows)...)
	wrong = append(wrong, together(rows, b.spans)...)
	files, err := b.files(rows)
	if err != nil {
		return nil, err
	}
	wrong = append(wrong, files...)
	machines, err := b.machines(rows)
	if err != nil {
		return nil, err
	}
	wrong = append(wrong, machines...)
	if b.wire != nil {
		wrong = append(wrong, b.wire(rows)...)
	}
	moves, err := b.moves(ctx)
	if err != nil {
		return nil, err
	}
	wrong = append(wrong, moves...)
	orphans, err := b.orphans(ctx)
	return append(wrong, orphans...), err
}

// atRest says which workspaces are neither at rest nor well.
func atRest(rows map[string]row) []string {
	var wrong []string
	for _, r := range rows {
		if r.state == "Corrupted" {
			wrong = append(wrong, fmt.Sprintf("workspace %s is Corrupted: %s", r.key, r.fault))
		} else if strings.HasSuffix(r.state, "ing") && r.state != "Running" {
			wrong = append(wrong, fmt.Sprintf("workspace %s rests in %s", r.key, r.state))
		}
	}
	return wrong
}

// addresses says which addresses two workspaces hold, or none where one is due.
func addresses(rows map[string]row) []string {
	var wrong []string
	holder := map[string]string{}
	for _, r := range rows {
		if r.released {
			continue
		}
		if len(r.ips) == 0 {
			wrong = append(wrong, fmt.Sprintf("workspace %s holds no address", r.key))
		}
		for _, ip := range r.ips {
			if holder[ip] != "" {
				wrong = append(wrong, fmt.Sprintf("%s is held by workspaces %s and %s",
					ip, holder[ip], r.key))
			}
			holder[ip] = r.key
		}
	}
	return wrong
}

// conditions says what a host may report of a workspace at rest.
var conditions = map[string][]workspace.Condition{
	"Unpropagated":   {workspace.ConditionAbsent},
	"Propagated":     {workspace.ConditionAbsent, workspace.ConditionOff},
	"Running":        {workspace.ConditionRunning},
	"Paused":         {workspace.ConditionPaused},
	"Serialized":     {workspace.ConditionSaved},
	"TransportReady": {workspace.ConditionAbsent},
}

// machines holds the hosts against the record.
func (b *books) machines(rows map[string]row) ([]string, error) {
	pool, err := b.hosts()
	if err != nil {
		return nil, err
	}
	var wrong []string
	for key, g := range pool {
		if r, ok := rows[key]; !ok {
			wrong = append(wrong, fmt.Sprintf("machine %s belongs to no workspace", key))
		} else if g.host != "" && g.host != r.host {
			wrong = append(wrong, fmt.Sprintf("machine %s is on %s, by the record on %q", key,
				g.host, r.host))
		}
	}
	for key, r := range rows {
		is := workspace.ConditionAbsent
		if h, ok := pool[key]; ok {
			is = h.condition
		}
		if may := conditions[r.state]; may != nil && !slices.Contains(may, is) {
			wrong = append(wrong, fmt.Sprintf("workspace %s is %s, its machine %s",
				key, r.state, is))
		}
	}
	return wrong, nil
}

// orphans counts rows that belong to a workspace that is not there.
func (b *books) orphans(ctx context.Context) ([]string, error) {
	var wrong []string
	for _, q := range []struct{ what, query string }{
		{"standings", "SELECT count(*) FROM standing WHERE workspace NOT IN " +
			"(SELECT id FROM workspace)"},
		{"memberships", "SELECT count(*) FROM member WHERE workspace NOT IN " +
			"(SELECT id FROM workspace)"},
		{"groups", "SELECT count(*) FROM workspace_group WHERE id NOT IN " +
			"(SELECT group_id FROM member)"},
		{"messages", "SELECT count(*) FROM outbox WHERE subscription NOT IN " +
			"(SELECT id FROM subscription)"},
		{"bookings", "SELECT count(*) FROM booking WHERE id NOT IN " +
			"(SELECT booking FROM standing)"},
		{"changes", "SELECT count(*) FROM change WHERE workspace NOT IN " +
			"(SELECT id FROM workspace)"},
		{"subscriptions at pull points", "SELECT count(*) FROM subscription WHERE " +
			"pull_point <> '' AND pull_point NOT IN (SELECT id FROM pull_point)"},
	} {
		n, err := b.number(ctx, q.query)
		if err != nil {
			return nil, err
		}
		if n != 0 {
			wrong = append(wrong, fmt.Sprintf("%d %s belong to nothing", n, q.what))
		}
	}
	return wrong, nil
}

// audit holds what clients and consumers know against the record and the
// pool. It runs when all is settled and no client is at work.
func (b *books) audit(ctx context.Context, l *ledger, c *consumers) ([]string, error) {
	rows, err := b.rows(ctx)
	if err != nil {
		return nil, err
	}
	pool, err := b.hosts()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	wrong := slices.Clone(c.wrong)
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if l.living[key] == nil {
			wrong = append(wrong, fmt.Sprintf("workspace %s is there and ought not to be", key))
		}
	}
	for key, t := range l.living {
		r, ok := rows[key]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("workspace %s was acknowledged and is gone", key))
			continue
		}
		wrong = append(wrong, t.startedTwice(r, pool[key], l.reboots)...)
		wrong = append(wrong, b.kept(ctx, t, pool[key])...)
		wrong = append(wrong, t.listened(r, c)...)
	}
	for _, t := range l.dead {
		wrong = append(wrong, t.mourned(c)...)
	}
	numbers, err := b.numbers(ctx, c)
	return append(wrong, numbers...), err
}

// numbers holds the last number of each subscription of the live consumer
// against what the consumer heard.
func (b *books) numbers(ctx context.Context, c *consumers) ([]string, error) {
	rs, err := b.db.QueryContext(ctx,
		"SELECT address, last FROM subscription WHERE address LIKE ?", c.live+"/%")
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	var wrong []string
	for rs.Next() {
		var address string
		var counted int64
		if err := rs.Scan(&address, &counted); err != nil {
			return nil, err
		}
		if heard := last(c.heard[pathOf(address)]); heard != counted {
			wrong = append(wrong, fmt.Sprintf("%s heard number %d last, the record has %d",
				address, heard, counted))
		}
	}
	return wrong, rs.Err()
}

// startedTwice holds how often a machine was started against how often
// anybody asked for it. Where the host cannot tell a reboot from a start, each
// reboot may count twice: a crash may have it given again.
func (t *tenancy) startedTwice(r row, h guest, reboots bool) []string {
	again := 0
	if reboots {
		again = 2 * t.reboots
	}
	if most := 1 + t.begins + t.moves + again; h.starts > most {
		return []string{fmt.Sprintf("machine %s was started %d times, %d at most were asked for",
			t.key, h.starts, most)}
	}
	up := r.state == "Running" || r.state == "Paused"
	if up && t.halts+t.saves == 0 && h.starts > 1+again {
		return []string{fmt.Sprintf("machine %s was never shut down and started %d times",
			t.key, h.starts)}
	}
	return nil
}

// listened holds what the consumer heard of a living workspace against its state.
func (t *tenancy) listened(r row, c *consumers) []string {
	var wrong []string
	state, err := workspace.ParseState(r.state)
	if err != nil {
		return []string{err.Error()}
	}
	for _, s := range t.streams {
		heard := c.heard[s.path]
		if err := ordered(heard); err != nil {
			wrong = append(wrong, fmt.Sprintf("workspace %s: %v", t.key, err))
		}
		last := s.since
		if len(heard) > 0 {
			last = heard[len(heard)-1].text
		}
		if s.acked && !s.end && last != "" && last != state.Wire() {
			wrong = append(wrong, fmt.Sprintf("workspace %s is %s, its subscriber heard last %q",
				t.key, state.Wire(), last))
		}
		if s.end && c.ended[s.path] > 0 {
			wrong = append(wrong, fmt.Sprintf("workspace %s lives, its subscriber heard of its "+
				"end", t.key))
		}
	}
	return wrong
}

// listed holds the service's own answer against what clients know: each
// living workspace is there with the end that was acknowledged, no other.
func listed(addr string, l *ledger) ([]string, error) {
	c := daemon.NewCaller(addr)
	defer c.Close()
	_, reply, err := c.Send(daemon.List, daemon.Values{})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var wrong []string
	seen := map[string]bool{}
	for _, entry := range daemon.Entries(reply) {
		keys := daemon.Keys(entry)
		if len(keys) != 1 {
			return nil, fmt.Errorf("an entry of the list has keys %v", keys)
		}
		seen[keys[0]] = true
		if t := l.living[keys[0]]; t == nil {
			wrong = append(wrong, fmt.Sprintf("workspace %s is listed, against what clients know",
				keys[0]))
		} else if got := daemon.Termination(entry); !got.Equal(t.ends) {
			wrong = append(wrong, fmt.Sprintf("workspace %s ends %v, acknowledged was %v",
				t.key, got, t.ends))
		}
	}
	for key := range l.living {
		if !seen[key] {
			wrong = append(wrong, fmt.Sprintf("workspace %s is not listed, but acknowledged", key))
		}
	}
	return wrong, nil
}
