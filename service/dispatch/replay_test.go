package dispatch_test

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// TestReplay sends every recorded request to workspaced --demo, in the order
// they were made, and compares each reply with the recorded one in structure.
// What differs must stand in the table of differences, and all of that table
// must be needed. Notifications are compared with the recorded ones too.
func TestReplay(t *testing.T) {
	c := newConsumer(t)
	r := &replay{t: t, address: startDemo(t), keys: map[string]string{}, consumer: c.url}
	for _, tr := range readTraces(t) {
		r.exchange(tr)
	}
	c.judge(r)
	for _, d := range differences {
		if !r.met[d.reason] {
			t.Errorf("no reply differs any more as the table says: %s", d.reason)
		}
	}
}

// patience is how long what the daemon does by itself may take: only what hangs takes
// as long.
const patience = 5 * time.Minute

// startDemo builds and starts the daemon.
func startDemo(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	if err := daemon.Build(bin); err != nil {
		t.Fatal(err)
	}
	p, err := daemon.Start(t.Context(), daemon.Options{
		Bin: bin, Data: filepath.Join(t.TempDir(), "data"), Log: t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("workspaced ended badly: %v", err)
		}
	})
	return p.Addr()
}

// A replay is the state of playing the recordings back.
type replay struct {
	t        *testing.T
	address  string
	keys     map[string]string // recorded resource keys to ours
	met      map[string]bool   // reasons of the differences that were seen
	consumer string            // URL that takes the place of the recorded consumer's
}

// exchange makes one recorded request and judges the reply.
func (r *replay) exchange(tr trace) {
	r.settle(tr)
	response, body := tr.request.send(r.t, r.address, r.translate(tr.request.body))
	c := comparison{keys: r.keys}
	if want, got := statusOf(tr.response.first), response.StatusCode; want != got {
		c.note("status", "%d instead of %d", got, want)
	}
	want := parse(r.t, tr.name+" as recorded", tr.response.body)
	got := parse(r.t, tr.name, body)
	switch {
	case want != nil && got != nil:
		r.learn(want, got)
		c.elements("", want, got)
	case want != nil || got != nil:
		c.note("body", "is %.60q instead of %.60q", body, tr.response.body)
	}
	c.contentType(tr.response.header, response.Header)
	for _, found := range c.found {
		if !r.intended(tr.name, found) {
			r.t.Errorf("%s: %s", tr.name, found)
		}
	}
	if response.StatusCode == http.StatusOK {
		r.rest(tr)
	}
	if r.t.Failed() && testing.Verbose() {
		r.t.Logf("%s: our reply:\n%s", tr.name, body)
	}
}

// contentType compares media types, parameters included but for their case.
func (c *comparison) contentType(want, got http.Header) {
	w, g := want.Get("Content-Type"), got.Get("Content-Type")
	if !strings.EqualFold(w, g) {
		c.note("content type", "%q instead of %q", g, w)
	}
}

func statusOf(line string) int {
	fields := strings.Fields(line)
	code := 0
	for _, digit := range fields[1] {
		code = 10*code + int(digit-'0')
	}
	return code
}

var (
	keyElement = regexp.MustCompile(
		`(<(?:\w+:)?(?:WorkspaceKey|WorkspaceGroupKey)\b[^>]*>)([^<]*)`)
	requestedTime = regexp.MustCompile(`(RequestedTerminationTime>)(\d[^<]*)`)
)

// translate puts our keys and our consumer in the place of the recorded ones,
// and a time that lies as far ahead of now as the recorded one lay ahead of
// then: two hours.
func (r *replay) translate(body string) string {
	body = strings.ReplaceAll(body, "http://127.0.0.1:18500", r.consumer)
	body = keyElement.ReplaceAllStringFunc(body, func(element string) string {
		part := keyElement.FindStringSubmatch(element)
		if ours, ok := r.keys[part[2]]; ok {
			return part[1] + ours
		}
		return element
	})
	later := time.Now().UTC().Add(2 * time.Hour).Format("2006-01-02T15:04:05.000Z")
	return requestedTime.ReplaceAllString(body, "${1}"+later)
}

// learn remembers which of our keys the replies to create requests give for
// the recorded ones.
func (r *replay) learn(want, got *etree.Element) {
	w, g := keysIn(want), keysIn(got)
	for i := range min(len(w), len(g)) {
		if _, known := r.keys[w[i]]; !known {
			r.keys[w[i]] = g[i]
		}
	}
}

// keysIn returns the keys in a reply to a create request, in order.
func keysIn(envelope *etree.Element) []string {
	var keys []string
	for _, e := range envelope.FindElements("./Body/createResponse//*") {
		if strings.HasSuffix(e.Tag, "Key") {
			keys = append(keys, xmlstrict.Text(e))
		}
	}
	return keys
}

// rests are the states in which operations leave a workspace, by a word of
// their requests.
var rests = map[string]string{
	"startWorkspace ": "Running", ">Pause<": "Paused", ">Normal<": "Propagated",
	">ReadyForTransport<": "TransportReady",
}

// settle waits, as the people did who typed the commands, until the workspace
// of an exchange is in the state that the recorded reply tells, or that the
// operation leads to.
func (r *replay) settle(tr trace) {
	key := keyElement.FindStringSubmatch(tr.request.body)
	if key == nil || r.keys[key[2]] == "" || statusOf(tr.response.first) != http.StatusOK {
		return
	}
	if state := stateElement.FindStringSubmatch(tr.response.body); state != nil {
		r.await(tr, r.keys[key[2]], state[1])
	}
}

// rest waits until what the exchange set in motion has come to rest.
func (r *replay) rest(tr trace) {
	key := keyElement.FindStringSubmatch(tr.request.body)
	if key == nil || !strings.Contains(key[1], "WorkspaceKey") || r.keys[key[2]] == "" {
		return
	}
	for word, state := range rests {
		if strings.Contains(tr.request.body, word) {
			r.await(tr, r.keys[key[2]], state)
		}
	}
}

var stateElement = regexp.MustCompile(`:state\b[^>]*>(\w+)<`)

// await polls a workspace until it is in the state.
func (r *replay) await(tr trace, key, state string) {
	poll := readMessage(r.t, "testdata/traces/34-getrp-currentstate-request.txt")
	body := keyElement.ReplaceAllString(poll.body, "${1}"+key)
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		if _, reply := poll.send(r.t, r.address, body); strings.Contains(reply, ">"+state+"<") {
			return
		}
	}
	r.t.Errorf("%s: workspace %s does not become %s", tr.name, key, state)
}

// intended reports whether the table has the difference.
func (r *replay) intended(name, found string) bool {
	for _, d := range differences {
		if d.in.MatchString(name) && d.is.MatchString(found) {
			if r.met == nil {
				r.met = make(map[string]bool)
			}
			r.met[d.reason] = true
			return true
		}
	}
	return false
}
