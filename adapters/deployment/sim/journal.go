package sim

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// The files in Options.Dir: the journal, and what its writer holds locked.
const (
	journalName = "sim.journal"
	lockName    = "sim.lock"
)

// Record is one line of the journal: what happened to which machine.
type Record struct {
	// Verb is define, start, startpaused, pause, resume, reboot, resize, off, save,
	// crash, undefine, migrate or state.
	Verb    string
	Host    workspace.HostID
	Machine workspace.ID
	History // of define: Spec and Shape; of resize: Shape; of state and migrate: all; else zero
	// To is the host to which a migrated machine came; else empty.
	To workspace.HostID
}

// History is what a host remembers of a machine.
type History struct {
	Condition workspace.Condition
	Starts    int // from off, saved or crashed; a start of what runs already is none
	Reboots   int
	workspace.Shape
	Spec uint64 // digest of the definition without its shape
	// Snapshots is a word NAME:SECONDS:WHAT for each snapshot.
	Snapshots string
	whole     bool // with its shape, which is not known but for the memory
}

// ReadJournal reads the journal in dir from outside, while a World writes it or
// after it died: everything that happened since the last compaction, in order.
// A line torn at the end is left out.
func ReadJournal(dir string) ([]Record, error) {
	data, err := os.ReadFile(filepath.Join(dir, journalName))
	if err != nil {
		return nil, workspace.Errorf(workspace.NotFound, "read the journal", dir, "%w", err)
	}
	records, _, err := parseJournal(data)
	return records, err
}

// Place is a machine on a host.
type Place struct {
	Host    workspace.HostID
	Machine workspace.ID
}

// Replay returns what the records leave: the machines that are still defined.
func Replay(records []Record) map[Place]History {
	left := make(map[Place]History)
	for _, r := range records {
		at := Place{r.Host, r.Machine}
		switch verb(r.Verb) {
		case verbUndefine:
			delete(left, at)
		case verbDefine, verbState:
			left[at] = r.History
		case verbMigrate:
			delete(left, at)
			left[Place{r.To, r.Machine}] = r.History
		case verbResize:
			h := left[at]
			h.Shape = r.Shape
			left[at] = h
		default:
			left[at] = historyOf(machineOf(left[at]).after(verb(r.Verb)))
		}
	}
	return left
}

// machineOf and historyOf translate between what is kept and what is shown.
func machineOf(h History) machine {
	m := machine{spec: h.Spec, shape: h.Shape, whole: h.whole,
		starts: uint32(h.Starts), reboots: uint32(h.Reboots), snaps: snaps(h.Snapshots)}
	for i, c := range conditions {
		if c == h.Condition {
			m.condition = byte(i)
		}
	}
	return m
}

func historyOf(m machine) History {
	return History{Condition: conditions[m.condition], Starts: int(m.starts),
		Reboots: int(m.reboots), Shape: m.shape, Spec: m.spec, whole: m.whole,
		Snapshots: string(m.snaps)}
}

// parseJournal reads whole lines and returns how many bytes they take.
func parseJournal(data []byte) ([]Record, int, error) {
	whole := bytes.LastIndexByte(data, '\n') + 1
	records := make([]Record, 0, bytes.Count(data, []byte{'\n'}))
	line := 0
	for text := range strings.Lines(string(data[:whole])) {
		line++
		r, err := parseRecord(strings.Fields(text))
		if err != nil {
			return nil, 0, workspace.Errorf(workspace.Internal, "read the journal", journalName,
				"line %d: %w", line, err)
		}
		records = append(records, r)
	}
	return records, whole, nil
}

// parseRecord reads the words of one line: VERB HOST ID, and then of define
// SPEC and the shape, of resize the shape, of state SPEC, the shape, CONDITION,
// STARTS and REBOOTS, of migrate the other host and what a state has. In place of
// a shape, older lines have MEMORY alone. A state ends in its snapshots.
func parseRecord(words []string) (Record, error) {
	if len(words) < 3 {
		return Record{}, fmt.Errorf("%d words", len(words))
	}
	id, err := workspace.ParseID(words[2])
	if err != nil {
		return Record{}, err
	}
	r := Record{Verb: words[0], Host: workspace.HostID(words[1]), Machine: id}
	read := reader{words: words[3:]}
	for i, w := range words { // what is kept stands at the end
		if i > 2 && (strings.HasSuffix(w, ":"+withMemory) || strings.HasSuffix(w, ":"+withDisks)) {
			r.Snapshots = strings.Join(words[i:], " ")
			read.words = words[3:i]
			break
		}
	}
	switch verb(r.Verb) {
	case verbDefine:
		r.Condition = workspace.ConditionOff
		read.definition(&r.History, 0)
	case verbResize:
		r.Shape = read.shape()
	case verbState, verbMigrate:
		const after = 3
		if verb(r.Verb) == verbMigrate {
			r.To = workspace.HostID(read.word())
		}
		read.definition(&r.History, after)
		r.Condition = workspace.Condition(read.word())
		r.Starts, r.Reboots = int(read.number()), int(read.number())
	}
	return r, read.end()
}

// reader reads words one after the other and remembers the first error.
type reader struct {
	words []string
	err   error
}

func (r *reader) word() string {
	if len(r.words) == 0 {
		r.fail(errors.New("too few words"))
		return ""
	}
	word := r.words[0]
	r.words = r.words[1:]
	return word
}

func (r *reader) fail(err error) { r.err = cmp.Or(r.err, err) }

func (r *reader) number() int64 {
	n, err := strconv.ParseInt(r.word(), 10, 64)
	if err != nil {
		r.fail(err)
	}
	return n
}

func (r *reader) shape() workspace.Shape {
	return workspace.Shape{MemoryMB: r.number(), CPUs: r.number(), CPUPercent: r.number(),
		NetInKbps: r.number(), NetOutKbps: r.number()}
}

// definition reads what a definition left, with so many words after it.
func (r *reader) definition(h *History, after int) {
	const older = 2
	h.whole = len(r.words) == older+after
	spec, err := strconv.ParseUint(r.word(), 16, 64)
	if err != nil {
		r.fail(err)
	}
	h.Spec = spec
	if h.whole {
		h.MemoryMB = r.number()
		return
	}
	h.Shape = r.shape()
}

// end returns what was wrong, words that are left included.
func (r *reader) end() error {
	if len(r.words) > 0 {
		r.fail(fmt.Errorf("%d words too many", len(r.words)))
	}
	return r.err
}

// appendRecord writes a line for the verb.
func appendRecord(b []byte, v verb, at Place, m machine) []byte {
	b = appendPlace(b, v, at)
	switch v {
	case verbDefine:
		b = appendDefinition(b, m)
	case verbResize:
		b = appendShape(b, m.shape)
	case verbState:
		b = appendState(b, m)
	}
	return append(b, '\n')
}

// appendMove writes the line of a machine that has gone to another host.
func appendMove(b []byte, from Place, to workspace.HostID, m machine) []byte {
	b = append(append(appendPlace(b, verbMigrate, from), ' '), to...)
	return append(appendState(b, m), '\n')
}

func appendPlace(b []byte, v verb, at Place) []byte {
	b = append(append(append(b, v...), ' '), at.Host...)
	return appendNumbers(b, int64(at.Machine))
}

func appendDefinition(b []byte, m machine) []byte {
	b = strconv.AppendUint(append(b, ' '), m.spec, 16)
	if m.whole {
		return appendNumbers(b, m.shape.MemoryMB)
	}
	return appendShape(b, m.shape)
}

func appendShape(b []byte, s workspace.Shape) []byte {
	return appendNumbers(b, s.MemoryMB, s.CPUs, s.CPUPercent, s.NetInKbps, s.NetOutKbps)
}

func appendState(b []byte, m machine) []byte {
	b = append(append(appendDefinition(b, m), ' '), conditions[m.condition]...)
	b = appendNumbers(b, int64(m.starts), int64(m.reboots))
	if m.snaps == "" {
		return b
	}
	return append(append(b, ' '), m.snaps...)
}

func appendNumbers(b []byte, numbers ...int64) []byte {
	for _, n := range numbers {
		b = strconv.AppendInt(append(b, ' '), n, 10)
	}
	return b
}

// journal is the open file. Nothing is synced: it guards against the death of
// the process, not of the machine, as the hosts it stands for would.
type journal struct {
	path string
	file *os.File // nil: keep nothing
	lock *os.File
	size int64
	buf  []byte
}

// openJournal opens dir's journal for this process alone, cuts off a torn end
// and returns what it says.
func openJournal(dir string) (*journal, []Record, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	j := &journal{path: filepath.Join(dir, journalName)}
	records, err := j.open(filepath.Join(dir, lockName))
	if err != nil {
		return nil, nil, errors.Join(err, j.Close())
	}
	return j, records, nil
}

// open takes the lock and reads the file.
func (j *journal) open(lock string) (records []Record, err error) {
	if j.lock, err = os.OpenFile(lock, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(j.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("someone else has the simulated pool open: %w", err)
	}
	if j.file, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(j.path)
	if err != nil {
		return nil, err
	}
	records, whole, err := parseJournal(data)
	if err != nil {
		return nil, err
	}
	j.size = int64(whole)
	return records, j.file.Truncate(j.size)
}

// write appends one line with one system call. On failure nothing of it stays.
func (j *journal) write(v verb, at Place, m machine) error {
	j.buf = appendRecord(j.buf[:0], v, at, m)
	return j.flush()
}

// writeMove is write for a machine that has gone to another host.
func (j *journal) writeMove(from Place, to workspace.HostID, m machine) error {
	j.buf = appendMove(j.buf[:0], from, to, m)
	return j.flush()
}

// flush appends what is in the buffer.
func (j *journal) flush() error {
	if j.file == nil {
		return nil
	}
	n, err := j.file.WriteAt(j.buf, j.size)
	if err != nil {
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.size += int64(n)
	return nil
}

// rewrite replaces the journal by the given lines, in one rename.
func (j *journal) rewrite(lines []byte) error {
	if err := os.WriteFile(j.path+".new", lines, 0o644); err != nil {
		return err
	}
	f, err := os.OpenFile(j.path+".new", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := os.Rename(j.path+".new", j.path); err != nil {
		return errors.Join(err, f.Close())
	}
	old := j.file
	j.file, j.size = f, int64(len(lines))
	return old.Close()
}

// Close lets the files go.
func (j *journal) Close() error {
	var errs []error
	for _, f := range []*os.File{j.file, j.lock} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
