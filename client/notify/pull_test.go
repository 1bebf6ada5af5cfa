package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

var pullPointKey = xmlstrict.Name{Space: "urn:philoxenia:2026:workspace", Local: "PullPointKey"}

// errGone is how the service says that a pull point does not exist.
var errGone = &client.Fault{Kind: "not found", Name: xmlstrict.Name{Local: "ResourceUnknownFault"}}

// An answer is what a fakePull answers one question with.
type answer struct {
	all []client.Notification
	err error
}

// A fakePull has pull points.
type fakePull struct {
	answers chan answer // taken by questions, which wait for one

	mu        sync.Mutex
	refuse    error // of creating
	created   int
	destroyed []string
	prolonged int
	asked     []string // MessageIDs
}

func newFakePull() *fakePull { return &fakePull{answers: make(chan answer, 64)} }

// CreatePullPoint implements PullService.
func (f *fakePull) CreatePullPoint(context.Context, time.Time) (wsa.EPR, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.created++
	key := fmt.Sprint("p", f.created)
	return wsa.NewEPR("http://h/ws/PullPoint", pullPointKey, key), f.refuse
}

// Messages implements PullService.
func (f *fakePull) Messages(
	ctx context.Context, _ wsa.EPR, ask client.Ask,
) ([]client.Notification, error) {
	f.mu.Lock()
	f.asked = append(f.asked, ask.MessageID)
	f.mu.Unlock()
	timer := time.NewTimer(ask.Wait)
	defer timer.Stop()
	select {
	case a := <-f.answers:
		return a.all, a.err
	case <-timer.C:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// SetTerminationTime implements PullService.
func (f *fakePull) SetTerminationTime(
	_ context.Context, _ wsa.EPR, at time.Time,
) (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.prolonged++
	return at, nil
}

// Destroy implements PullService.
func (f *fakePull) Destroy(_ context.Context, epr wsa.EPR) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.destroyed = append(f.destroyed, client.Key(epr))
	return nil
}

// pulled runs a pull point over the answers and returns what it handed out,
// after a time.
func pulled(t *testing.T, f *fakePull, during time.Duration, answers ...answer) string {
	t.Helper()
	var got []string
	p, err := OpenPullPoint(t.Context(), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		f.answers <- a
	}
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- p.Run(ctx) }()
	for ctx.Err() == nil {
		select {
		case e := <-p.Events():
			got = append(got, strings.TrimSpace(string(e.Source)+" "+e.Fault))
		case <-ctx.Done():
		}
	}
	if err := <-stopped; err != nil {
		t.Errorf("Run: %v", err)
	}
	return strings.Join(got, ", ")
}

func TestPulling(t *testing.T) {
	broken := errors.New("connection reset")
	full := &client.Fault{Kind: "quota", Name: xmlstrict.Name{Local: "UnableToGetMessagesFault"}}
	tests := []struct {
		name    string
		answers []answer
		want    string
		created int
	}{
		{"nothing", nil, "", 1},
		{"messages", []answer{
			{all: []client.Notification{numbered(1, "a"), numbered(2, "b")}},
			{}, {all: []client.Notification{numbered(3, "c")}},
		}, "notification a, notification b, notification c", 1},
		{"repeats and gaps", []answer{
			{all: []client.Notification{numbered(1, "a")}},
			{all: []client.Notification{numbered(1, "a"), numbered(4, "d")}},
		}, "notification a, missed, notification d", 1},
		{"the service drops messages", []answer{
			{err: full}, {all: []client.Notification{numbered(1, "a")}},
		}, "missed, notification a", 1},
		{"the service is away for a while", []answer{
			{err: broken}, {err: broken}, {all: []client.Notification{numbered(1, "a")}},
		}, "notification a", 1},
		{"the pull point is lost", []answer{
			{all: []client.Notification{numbered(1, "a")}}, {err: errGone},
			{all: []client.Notification{numbered(1, "b")}},
		}, "notification a, reopened, notification b", 2},
		{"what cannot be read is missed", []answer{
			{all: []client.Notification{{Number: 1}}},
			{all: []client.Notification{numbered(2, "b")}},
		}, "missed, missed, notification b", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakePull()
				got := pulled(t, f, time.Minute, test.answers...)
				if got != test.want {
					t.Errorf("handed out %q, expected %q", got, test.want)
				}
				if f.created != test.created {
					t.Errorf("%d pull points, expected %d", f.created, test.created)
				}
				last := fmt.Sprint("p", test.created)
				if diff := cmp.Diff([]string{last}, f.destroyed); diff != "" {
					t.Errorf("destroyed in the end:\n%s", diff)
				}
			})
		})
	}
}

func TestAQuestionWithoutAnswerIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakePull()
		lost := answer{err: errors.New("connection reset")}
		pulled(t, f, 10*time.Second, lost, answer{}, answer{})
		if len(f.asked) < 3 || f.asked[0] != f.asked[1] || f.asked[1] == f.asked[2] {
			t.Errorf("asked under %q; the second must be the first again, the third a new one",
				f.asked)
		}
	})
}

// TestAPullPointIsBackBeforeAReadIsBelieved: of a service that was away, a read must
// not overtake what it had to tell, however long it was away.
func TestAPullPointIsBackBeforeAReadIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakePull()
		broken := answer{err: errors.New("connection refused")}
		for range 20 {
			f.answers <- broken
		}
		p, err := OpenPullPoint(t.Context(), f, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- p.Run(ctx) }()
		time.Sleep(20 * time.Second)
		for left := len(f.answers); len(f.answers) == left; { // until it has just begun to rest
			time.Sleep(time.Millisecond)
		}
		for len(f.answers) > 0 {
			<-f.answers
		}
		f.answers <- answer{all: []client.Notification{numbered(1, "a")}}
		began := time.Now()
		<-p.Events()
		if took, limit := time.Since(began), New(nil, Options{}).options.Grace; took >= limit {
			t.Errorf("it asks again after %v, a read is believed after %v", took, limit)
		}
		cancel()
		<-stopped
	})
}

func TestAPullPointIsProlonged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakePull()
		pulled(t, f, time.Hour)
		if f.prolonged < 10 || f.prolonged > 13 {
			t.Errorf("prolonged %d times in an hour, expected each 5 minutes", f.prolonged)
		}
		if n := len(f.asked); n > 125 {
			t.Errorf("%d questions in an hour without messages, expected one each 30 s", n)
		}
	})
}

// lacking is a service without pull points.
func lacking() *fakePull {
	f := newFakePull()
	f.refuse = client.ErrNoFace
	return f
}

func TestOpening(t *testing.T) {
	denied := newFakePull()
	denied.refuse = &client.Fault{Kind: "quota"}
	nowhere := ConsumerOptions{Listen: "192.0.2.1:0"}
	tests := []struct {
		name    string
		service *fakePull
		options OpenOptions
		want    string // type of the receiver
		err     error
	}{
		{"auto", newFakePull(), OpenOptions{}, "*notify.PullPoint", nil},
		{"auto without pull points", lacking(), OpenOptions{Via: Auto}, "*notify.Consumer", nil},
		{"auto over a quota", denied, OpenOptions{}, "*notify.Consumer", nil},
		{"auto, nothing left", lacking(), OpenOptions{NoListen: true}, "<nil>", nil},
		{"auto, no address", lacking(), OpenOptions{Consumer: nowhere}, "<nil>", ErrListen},
		{"poll", newFakePull(), OpenOptions{Via: Poll}, "<nil>", nil},
		{"listener", newFakePull(), OpenOptions{Via: Listener}, "*notify.Consumer", nil},
		{"listener, no address", newFakePull(), OpenOptions{Via: Listener, Consumer: nowhere},
			"<nil>", ErrListen},
		{"pull", newFakePull(), OpenOptions{Via: Pull}, "*notify.PullPoint", nil},
		{"no pull points", lacking(), OpenOptions{Via: Pull}, "<nil>", client.ErrNoFace},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := Open(t.Context(), test.service, test.options)
			if got := fmt.Sprintf("%T", r); got != test.want || !errors.Is(err, test.err) {
				t.Errorf("%s, %v, expected %s, %v", got, err, test.want, test.err)
			}
			if r != nil {
				if err := r.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
		})
	}
	if _, err := Open(t.Context(), newFakePull(), OpenOptions{Via: "post"}); err == nil {
		t.Error("a way that does not exist was opened")
	}
}
