package notify

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// sizes returns how many messages came in each request.
func (l *listener) sizes() string {
	var all []string
	for _, r := range l.requests() {
		all = append(all, fmt.Sprint(len(r)))
	}
	return strings.Join(all, " ")
}

func TestWaitingMessagesGoTogether(t *testing.T) {
	tests := map[string]struct {
		change func(a, b *workspace.Subscription)
		want   string
	}{
		"of one consumer": {func(_, _ *workspace.Subscription) {}, "64 64 22"},
		"of one format": {func(_, b *workspace.Subscription) { b.Format = "other" },
			strings.TrimSpace(strings.Repeat("1 ", 150))},
		"bare ones alone": {func(a, b *workspace.Subscription) {
			a.UseNotify, b.UseNotify = false, false
		}, strings.TrimSpace(strings.Repeat("1 ", 150))},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, l := newOutbox(), &listener{}
			url, want := serve(t, l), ""
			for _, id := range ids(2) {
				o.subscribe(id, url)
				o.subscriptions[id].Consumer = []byte("one and the same")
			}
			tt.change(o.subscriptions["s000"], o.subscriptions["s001"])
			for i := range 150 { // the two in turn
				o.put(ids(2)[i%2], workspace.ID(i+1))
				want += fmt.Sprint(" ", i+1)
			}
			start(t, o, quick())
			o.waitEmpty(t)
			if got := l.sizes(); got != tt.want {
				t.Errorf("%d messages came by %s, want %s", len(l.all()), got, tt.want)
			}
			if got := " " + l.order(); got != want {
				t.Errorf("the order is %s", got)
			}
		})
	}
}

// dying runs a Notifier with a consumer that is dead until the time, and
// messages that come every ten minutes.
func dying(t *testing.T, until time.Duration, check func(t *testing.T, o *outbox, l *listener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o, l := newOutbox(), &listener{}
		begin := time.Now()
		l.handler = func(_ int, w http.ResponseWriter) {
			if time.Since(begin) < until {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}
		n := newNotifier(o, Options{Logger: quick().Logger})
		n.client.Transport = inProcess{l}
		stop := run(t, n)
		defer stop()
		o.subscribe("s", "http://consumer.example/")
		for i := range 5 {
			o.put("s", workspace.ID(i+1))
			n.Tell([]workspace.SubscriptionID{"s"})
			time.Sleep(10 * time.Minute) // of the bubble
		}
		check(t, o, l)
	})
}

func TestDeadConsumerIsPausedByTheService(t *testing.T) {
	dying(t, 3*time.Hour, func(t *testing.T, o *outbox, l *listener) {
		if s := o.now("s"); s.Paused || s.Failing.IsZero() {
			t.Fatalf("after 50 minutes the subscription is %+v, want failing and not paused", s)
		}
		time.Sleep(20 * time.Minute)
		s := o.now("s")
		if !s.Paused || !strings.HasPrefix(s.PausedWhy, "its consumer has taken no message since") {
			t.Fatalf("after 70 minutes the subscription is %+v, want paused with the reason", s)
		}
		tried := len(l.requests())
		time.Sleep(20 * time.Hour)
		if got := len(l.requests()); got != tried {
			t.Errorf("it was tried %d times more while it was paused", got-tried)
		}
		if n, _ := o.left(); n != 5 {
			t.Errorf("%d messages wait, want all 5 until they are too old", n)
		}
		time.Sleep(4 * time.Hour)
		if n, _ := o.left(); n != 0 {
			t.Errorf("after a day %d messages wait", n)
		}
	})
}

func TestResumedSubscriptionIsTriedAgain(t *testing.T) {
	dying(t, 2*time.Hour, func(t *testing.T, o *outbox, l *listener) {
		time.Sleep(125 * time.Minute) // not when the old one looks again
		before := len(l.requests())
		s := o.now("s")
		s.Paused, s.PausedWhy, s.Failing = false, "", time.Time{}
		o.replace(s)
		n := newNotifier(o, Options{Logger: quick().Logger})
		n.client.Transport = inProcess{l}
		stop := run(t, n) // the store tells: here a new one finds it
		defer stop()
		time.Sleep(time.Second)
		if got := l.requests()[before:]; len(got) != 1 || len(got[0]) != 5 {
			t.Errorf("after the pause came %v, want all 5 at once", got)
		}
	})
}

func TestConsumerThatComesBackIsNotedAsWell(t *testing.T) {
	dying(t, 25*time.Minute, func(t *testing.T, o *outbox, l *listener) {
		if s := o.now("s"); s.Paused || !s.Failing.IsZero() {
			t.Errorf("the subscription is %+v, want neither paused nor failing", s)
		}
		if n, _ := o.left(); n != 0 {
			t.Errorf("%d messages wait", n)
		}
	})
}

// TestTimeThatTheServiceWasDownIsNotTheConsumers: a consumer that is noted as
// failing since yesterday has its tries before it is paused.
func TestTimeThatTheServiceWasDownIsNotTheConsumers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		l := &listener{handler: func(n int, w http.ResponseWriter) {
			if n < 2 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}}
		o.subscribe("s", "http://consumer.example/")
		o.subscriptions["s"].Failing = time.Now().Add(-20 * time.Hour)
		o.put("s", 1)
		var log bytes.Buffer
		n := newNotifier(o, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		n.client.Transport = inProcess{l}
		stop := run(t, n)
		time.Sleep(time.Minute)
		o.put("s", 2)
		n.Tell([]workspace.SubscriptionID{"s"})
		time.Sleep(time.Minute)
		if s := o.now("s"); s.Paused || !s.Failing.IsZero() {
			t.Errorf("the subscription is %+v, want neither paused nor failing", s)
		}
		stop()
		if told := strings.Count(log.String(), "takes messages again"); told != 1 {
			t.Errorf("that it is back is told %d times, want once:\n%s", told, log.String())
		}
	})
}
