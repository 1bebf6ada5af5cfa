package notify

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// quick are options whose waits a test can afford.
func quick() Options {
	return Options{
		First: time.Millisecond, Most: 5 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func TestDeliversInOrder(t *testing.T) {
	o, l := newOutbox(), &listener{}
	o.subscribe("s", serve(t, l))
	n, _ := start(t, o, quick())
	want := ""
	for i := range 100 {
		o.put("s", workspace.ID(i+1))
		n.Tell([]workspace.SubscriptionID{"s"})
		want += fmt.Sprintf(" %d", i+1)
	}
	o.waitEmpty(t)
	if got := " " + l.order(); got != want {
		t.Errorf("order is %s, want %s", got, want)
	}
}

func TestRetriesUntilAccepted(t *testing.T) {
	answers := map[string]int{
		"server error": 500, "not found": 404, "redirect": 302, "no content": 204,
	}
	for name, status := range answers {
		t.Run(name, func(t *testing.T) {
			o := newOutbox()
			l := &listener{handler: func(n int, w http.ResponseWriter) {
				w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
				if n < 3 {
					w.WriteHeader(status)
					return
				}
				w.WriteHeader(http.StatusAccepted)
			}}
			o.subscribe("s", serve(t, l))
			o.put("s", 1)
			o.put("s", 2)
			start(t, o, quick())
			o.waitEmpty(t)
			if got := l.order(); got != "1 2 1 2 1 2 1 2" {
				t.Errorf("the consumer got %s, want both messages until it took them", got)
			}
		})
	}
}

// TestDeadConsumersDelayNobody has far more of them than there are workers.
func TestDeadConsumersDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, l := newOutbox(), &listener{}
		options := quick()
		options.Workers, options.Doubted = 4, 2
		n := newNotifier(o, options)
		n.client.Transport = hosts{"well.example": inProcess{l}, "dead.example": never{}}
		for _, id := range ids(20) {
			o.subscribe(id, "http://dead.example/")
			o.put(id, 1)
		}
		o.subscribe("well", "http://well.example/")
		stop := run(t, n)
		for i := range 50 {
			o.put("well", workspace.ID(i+1))
			n.Tell([]workspace.SubscriptionID{"well"})
		}
		o.waitLeft(t, 20)
		if got := len(l.all()); got != 50 {
			t.Errorf("the consumer that is well got %d messages, want 50", got)
		}
		stop()
	})
}

// TestSlowPlaceHoldsUpItsOwnAlone makes up a thousand consumers behind one URL
// that never answers. One at another place hears at once, and so does one that
// failed before.
func TestSlowPlaceHoldsUpItsOwnAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, l := newOutbox(), &listener{}
		l.handler = func(n int, w http.ResponseWriter) {
			if n == 0 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}
		n := newNotifier(o, Options{Logger: quick().Logger})
		n.client.Transport = hosts{"well.example": inProcess{l}, "slow.example:81": never{}}
		for i := range 1000 {
			id := workspace.SubscriptionID(fmt.Sprint("slow", i))
			o.subscribe(id, "http://slow.example:81/")
			o.put(id, 1)
		}
		stop := run(t, n)
		time.Sleep(time.Minute) // of the bubble: both classes are full of them
		o.subscribe("well", "http://well.example/")
		o.put("well", 1)
		n.Tell([]workspace.SubscriptionID{"well"})
		time.Sleep(time.Second)
		if got := l.order(); got != "1 1" {
			t.Errorf("after a second the consumer that is well got %q, want 1 and 1 again", got)
		}
		stop()
	})
}

// TestSlowPlacesHoldUpTheirOwnerAlone makes up a thousand places that never
// answer. Another owner's consumer hears at once, and so does one that failed
// before.
func TestSlowPlacesHoldUpTheirOwnerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, l := newOutbox(), &listener{}
		l.handler = func(n int, w http.ResponseWriter) {
			if n == 0 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}
		n := newNotifier(o, Options{Logger: quick().Logger})
		transport := hosts{"well.example": inProcess{l}}
		n.client.Transport = transport
		for i := range 1000 {
			host := fmt.Sprintf("slow%d.example", i)
			transport[host] = never{}
			id := workspace.SubscriptionID(host)
			o.subscribe(id, "http://"+host+"/")
			o.subscriptions[id].Owner = "eve"
			o.put(id, 1)
		}
		stop := run(t, n)
		time.Sleep(15 * time.Second) // of the bubble: both classes are full of them
		o.subscribe("well", "http://well.example/")
		o.put("well", 1)
		n.Tell([]workspace.SubscriptionID{"well"})
		time.Sleep(time.Second)
		if got := l.order(); got != "1 1" {
			t.Errorf("after a second the consumer that is well got %q, want 1 and 1 again", got)
		}
		stop()
	})
}

// TestARestartRemembersWhoFailed has a thousand places that did not answer in
// the life before. One that did hears at once, although the owner is the same.
func TestARestartRemembersWhoFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, l := newOutbox(), &listener{}
		n := newNotifier(o, Options{Logger: quick().Logger})
		transport := hosts{"well.example": inProcess{l}}
		n.client.Transport = transport
		for i := range 1000 {
			host := fmt.Sprintf("slow%d.example", i)
			transport[host] = never{}
			id := workspace.SubscriptionID(host)
			o.subscribe(id, "http://"+host+"/")
			o.subscriptions[id].Failing = time.Now().Add(-time.Minute)
			o.put(id, 1)
		}
		stop := run(t, n)
		time.Sleep(5 * time.Second) // of the bubble
		o.subscribe("well", "http://well.example/")
		o.put("well", 1)
		n.Tell([]workspace.SubscriptionID{"well"})
		time.Sleep(time.Second)
		if got := l.order(); got != "1" {
			t.Errorf("after a second the consumer that is well got %q, want 1", got)
		}
		stop()
	})
}

func TestOneListenerWithManyKeysIsManyConsumers(t *testing.T) {
	o := newOutbox()
	l := &listener{}
	l.handler = func(n int, w http.ResponseWriter) {
		if l.requests()[n][0].Subscription == "s000" { // this key is gone, the others are not
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
	url := serve(t, l)
	for _, id := range ids(3) {
		o.subscribe(id, url)
		o.put(id, 1)
	}
	start(t, o, quick())
	o.waitLeft(t, 1)
	if left, _ := o.Pending(t.Context(), "s000", 1); len(left) != 1 {
		t.Error("the message that was refused is gone")
	}
}

// TestRestartDeliversWhatIsLeft ends a Notifier whose consumer is down, and starts
// another one when it is up. In process a request has ended with who made it, so that
// none of the first life comes in the second.
func TestRestartDeliversWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		var up atomic.Bool
		l := &listener{handler: func(_ int, w http.ResponseWriter) {
			if !up.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}}
		life := func() (stop func()) {
			n := newNotifier(o, quick())
			n.client.Transport = inProcess{l}
			return run(t, n)
		}
		o.subscribe("s", "http://consumer.example/")
		for i := range 5 {
			o.put("s", workspace.ID(i+1))
		}
		stop := life()
		time.Sleep(time.Second) // of the bubble
		stop()
		before := len(l.all())
		if before == 0 {
			t.Error("in its first life nothing was tried")
		}
		up.Store(true)
		stop = life() // nobody tells it anything
		o.waitEmpty(t)
		stop()
		got := l.all()[before:]
		if len(got) != 5 || got[0].Workspace != "1" || got[4].Workspace != "5" {
			t.Errorf("after the restart came %d messages, want all five in order", len(got))
		}
	})
}

func TestGivesUpOnOldMessages(t *testing.T) {
	o := newOutbox()
	l := &listener{handler: func(_ int, w http.ResponseWriter) { w.WriteHeader(500) }}
	o.subscribe("s", serve(t, l))
	o.event("s", workspace.Event{
		Workspace: 1, Topic: workspace.TopicTermination, At: time.Now().Add(-25 * time.Hour),
	})
	start(t, o, quick())
	o.waitEmpty(t)
	if len(l.all()) != 1 {
		t.Errorf("an old message was tried %d times, want once", len(l.all()))
	}
}

func TestNothingIsSentAfterTheEnd(t *testing.T) {
	o, l := newOutbox(), &listener{}
	url := serve(t, l)
	o.subscribe("over", url)
	o.subscribe("lives", url)
	o.subscriptions["over"].Expires = time.Now().Add(-time.Millisecond)
	o.subscriptions["lives"].Expires = time.Now().Add(time.Hour)
	o.event("over", workspace.Event{Workspace: 1, At: time.Now().Add(-time.Minute)})
	o.put("lives", 2)
	start(t, o, quick())
	o.waitEmpty(t)
	if got := l.order(); got != "2" {
		t.Errorf("the consumer got %q, want what the living subscription is owed", got)
	}
}

func TestSubscriptionThatIsGoneIsForgotten(t *testing.T) {
	o, l := newOutbox(), &listener{}
	o.subscribe("s", serve(t, l))
	n, _ := start(t, o, quick())
	n.Tell([]workspace.SubscriptionID{"gone"})
	o.put("s", 1)
	n.Tell([]workspace.SubscriptionID{"gone", "s"})
	o.waitEmpty(t)
}

func TestClosedAddressIsNeverDialled(t *testing.T) {
	o, l := newOutbox(), &listener{}
	o.subscribe("s", serve(t, l))
	o.event("s", workspace.Event{
		Workspace: 1, Topic: workspace.TopicState, At: time.Now().Add(-25 * time.Hour),
	})
	n := newNotifier(o, quick()) // its guard allows nothing
	stopped := run(t, n)
	o.waitEmpty(t)
	stopped()
	if len(l.all()) != 0 {
		t.Error("a loopback consumer was reached although loopback is not allowed")
	}
}

func TestBackoffGrowsToItsLimit(t *testing.T) {
	o := Options{}.withDefaults()
	for failures, want := range map[int]time.Duration{
		1: 500 * time.Millisecond, 2: time.Second, 4: 4 * time.Second, 8: time.Minute,
		100: time.Minute,
	} {
		for range 100 {
			if got := o.backoff(failures); got < want*3/4 || got > want*5/4 {
				t.Errorf("wait after %d failures is %s, want %s give or take a quarter",
					failures, got, want)
			}
		}
	}
}

// TestNothingIsLost lets consumers fail at random: each message arrives, the
// first arrivals of each subscription in order.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := newOutbox()
		fail := rapid.SliceOfN(rapid.Bool(), 1, 40).Draw(rt, "fail")
		counts := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 5).Draw(rt, "messages")
		synctest.Test(t, func(t *testing.T) {
			l := &listener{handler: func(n int, w http.ResponseWriter) {
				if n < len(fail) && fail[n] {
					w.WriteHeader(http.StatusInternalServerError)
				}
			}}
			n := newNotifier(o, quick())
			n.client.Transport = inProcess{l}
			stop := run(t, n)
			for i, count := range counts {
				id := workspace.SubscriptionID(fmt.Sprint("s", i))
				o.subscribe(id, fmt.Sprintf("http://consumer%d.example/", i%2))
				for k := range count {
					o.put(id, workspace.ID(k+1))
					n.Tell([]workspace.SubscriptionID{id})
				}
			}
			time.Sleep(time.Hour) // of the bubble
			stop()
			checkArrivals(t, l, counts)
		})
	})
}

// checkArrivals wants each subscription's messages 1..count, in order when
// repetitions are left out.
func checkArrivals(t *testing.T, l *listener, counts []int) {
	t.Helper()
	next := make(map[string]int)
	for _, r := range l.all() {
		if r.Workspace == fmt.Sprint(next[r.Subscription]+1) {
			next[r.Subscription]++
		} else if r.Workspace > fmt.Sprint(next[r.Subscription]) {
			t.Errorf("subscription %s got %s after %d", r.Subscription, r.Workspace,
				next[r.Subscription])
		}
	}
	for i, count := range counts {
		if got := next[fmt.Sprint("s", i)]; got != count {
			t.Errorf("subscription s%d got %d messages, want %d", i, got, count)
		}
	}
}
