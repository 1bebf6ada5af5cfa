package producer

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

var (
	state = []workspace.Topic{workspace.TopicState}
	ends  = []workspace.Topic{workspace.TopicTermination}
	both  = []workspace.Topic{workspace.TopicState, workspace.TopicTermination}
	lease = []workspace.Topic{workspace.TopicWarning, workspace.TopicLease}
	all   = slices.Concat(both, lease, []workspace.Topic{workspace.TopicTransfer})
)

// one and two are requests of the faces for a topic in a dialect.
func one(dialect, topic string) request {
	return request{face: wsdl.One, consumer: "http://c/x", dialect: dialect, topic: topic}
}

func two(dialect, topic string) request {
	return request{face: wsdl.Two, consumer: "http://c/x", dialect: dialect, topic: topic}
}

func (r request) with(change func(*request)) request {
	change(&r)
	return r
}

func TestSubscribeToTopics(t *testing.T) {
	tests := map[string]struct {
		request
		topics []workspace.Topic
	}{
		"one simple":         {one("Simple", "t:currentState"), state},
		"one simple end":     {one("Simple", "l:ResourceTermination"), ends},
		"one concrete":       {one("Concrete", "t:currentState"), state},
		"one full, all of t": {one("Full", "t:*"), state},
		"one full, union":    {one("Full", "t:currentState|l:ResourceTermination"), both},
		"one full, any":      {one("Full", "*"), both},
		"two simple":         {two("Simple", "t:currentState"), state},
		"two simple end":     {two("Simple", "l:ResourceTermination"), ends},
		"two concrete":       {two("Concrete", "l:ResourceTermination"), ends},
		"two full, union":    {two("Full", "l:ResourceTermination|t:currentState"), both},
		"two full, deep":     {two("Full", "t://currentState"), state},
		"two without filter": {two("", ""), both},
		"two full, any":      {two("Full", "*"), all},
		"two lease":          {two("Full", "p:leaseWarning|p:leaseStatus"), lease},
		"two of cameras": {two("http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet",
			"t:currentState|l:ResourceTermination"), both},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := new(desk)
			if _, err := tt.call(t, d, false); err != nil {
				t.Fatal(err)
			}
			got := d.wishes[0]
			if !slices.Equal(got.Topics, tt.topics) || got.Workspace != 7 ||
				got.Owner != porttest.Owner || !got.UseNotify || got.Filter != nil {
				t.Errorf("subscription is %+v", got)
			}
			if (tt.topic == "") != (got.Expression == nil) ||
				!strings.Contains(string(got.Expression), tt.dialect) {
				t.Errorf("the expression kept is %s", got.Expression)
			}
		})
	}
}

func TestSubscribeKeepsTheConsumer(t *testing.T) {
	for _, r := range []request{
		one("Simple", "t:currentState").with(func(r *request) {
			r.filter = "<n:UseNotify>false</n:UseNotify>"
		}),
		two("Simple", "t:currentState").with(func(r *request) {
			r.more = "<n:SubscriptionPolicy><n:UseRaw/></n:SubscriptionPolicy>"
		}),
	} {
		d := new(desk)
		reply, err := r.call(t, d, false)
		if err != nil || !strings.Contains(reply, ">sub</k:SubscriptionKey>") {
			t.Fatalf("%s: reply is %s, %v", r.face, reply, err)
		}
		got := d.wishes[0]
		format := map[wsdl.Face]string{wsdl.One: "gt4", wsdl.Two: "wsn13-soap11"}[r.face]
		if got.Address != "http://c/x" || got.UseNotify || got.Format != format {
			t.Errorf("%s: subscription is %+v", r.face, got)
		}
		doc, err := xmlstrict.Parse(got.Consumer, xmlstrict.DefaultLimits())
		if err != nil || doc.Root.Tag != "ConsumerReference" ||
			!strings.Contains(string(got.Consumer), ">k1<") {
			t.Errorf("%s: the consumer kept is %s, %v", r.face, got.Consumer, err)
		}
	}
}

func TestSubscribeToAllOfTheCallers(t *testing.T) {
	d := new(desk)
	reply, err := two("Simple", "t:currentState").call(t, d, true)
	if err != nil || d.wishes[0].Workspace != 0 {
		t.Fatalf("workspace %s, %v", d.wishes[0].Workspace, err)
	}
	for _, text := range []string{"http://h/ws/SubscriptionManager?key=sub<", "CurrentTime>",
		`TerminationTime xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"`} {
		if !strings.Contains(reply, text) {
			t.Errorf("reply lacks %s: %s", text, reply)
		}
	}
}

func TestSubscribeWithConditions(t *testing.T) {
	condition := func(name, text string) string {
		return "<n:" + name + ` Dialect="` + xpath + `">` + text + "</n:" + name + ">"
	}
	for _, r := range []request{
		one("Simple", "t:currentState").with(func(r *request) {
			r.filter = condition("Precondition", "//t:a") + condition("Selector", "//t:b")
		}),
		two("Simple", "t:currentState").with(func(r *request) {
			r.filter = condition("ProducerProperties", "//t:a") +
				condition("MessageContent", "//t:b")
		}),
	} {
		d := new(desk)
		if _, err := r.call(t, d, false); err != nil {
			t.Fatal(err)
		}
		kept := string(d.wishes[0].Filter)
		for _, text := range []string{"ProducerProperties", ">//t:a<", "MessageContent", ">//t:b<",
			types} {
			if !strings.Contains(kept, text) {
				t.Errorf("%s: the filter kept lacks %s: %s", r.face, text, kept)
			}
		}
	}
}

func TestSubscribeForATime(t *testing.T) {
	tests := map[string]struct {
		request
		want time.Duration // from now; zero: no end
	}{
		"a time":      {one("Simple", "t:currentState"), 0},
		"no time":     {two("Simple", "t:currentState"), 0},
		"a duration":  {two("Simple", "t:currentState"), 2 * time.Minute},
		"an absolute": {two("Simple", "t:currentState"), time.Hour},
	}
	for name, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			now := time.Now()
			switch name {
			case "a duration":
				tt.end = "PT2M"
			case "an absolute", "a time":
				tt.end = wsrf.FormatTime(now.Add(time.Hour))
				tt.want = time.Hour
			}
			d := new(desk)
			if _, err := tt.call(t, d, false); err != nil {
				t.Fatal(err)
			}
			want := time.Time{}
			if tt.want > 0 {
				want = now.Add(tt.want).UTC()
			}
			if got := d.wishes[0].Expires; !got.Equal(want) {
				t.Errorf("%s: it ends at %s, want %s", name, got, want)
			}
		})
	}
}

func TestSubscribeAPullPoint(t *testing.T) {
	const point = "http://h/ws/PullPoint"
	for _, r := range []request{
		two("", "").with(func(r *request) { r.consumer, r.key = point, "pp" }),
		two("", "").with(func(r *request) { r.consumer = point + "?key=pp" }),
		one("Simple", "t:currentState").with(func(r *request) { r.consumer, r.key = point, "pp" }),
	} {
		d := new(desk)
		if _, err := r.call(t, d, false); err != nil || d.wishes[0].PullPoint != "pp" {
			t.Errorf("%s: subscription is %+v, %v", r.face, d.wishes, err)
		}
	}
}

// refused is a Subscribe that is refused.
type refused struct {
	request
	fault string // empty: that of the operation
	says  string
}

var simple, final = one("Simple", "t:currentState").with, two("Simple", "t:currentState").with

// bad is a condition.
func bad(name, text string) string {
	return "<n:" + name + ` Dialect="` + xpath + `">` + text + "</n:" + name + ">"
}

// refusedOne has one row for each fault that WS-BaseNotification 1.2 draft 1,
// 4.1, names for Subscribe, with the place in the document.
var refusedOne = map[string]refused{
	"one: another topic": {one("Simple", "t:logistics"), "TopicNotSupportedFault",
		"line 3, /Subscribe/TopicExpression: topic {" + types + "}logistics is not published"},
	"one: the other face's topic": {one("Simple",
		"x:ResourceTermination").with(func(r *request) {
		r.topic = `<!-- -->t:ResourceTermination`
	}), "TopicNotSupportedFault", "is not published"},
	"one: no topic": {one("", ""), "InvalidTopicExpressionFault", "no topic expression"},
	"one: a bad path": {one("Full", "t:a[1]"), "InvalidTopicExpressionFault",
		"line 3, /Subscribe/TopicExpression"},
	"one: a wildcard in a concrete path": {one("Concrete", "t:*"),
		"InvalidTopicExpressionFault", "wildcards"},
	"one: a dialect of nobody": {one("u:x", "t:currentState"), "TopicPathDialectUnknownFault",
		"line 3, "},
	"one: a closed consumer": {simple(func(r *request) { r.consumer = "http://closed/" }), "",
		"line 2, /Subscribe/ConsumerReference: that address is closed (expected"},
	"one: our own door": {simple(func(r *request) { r.consumer = "http://h/x" }), "",
		"line 2, /Subscribe/ConsumerReference: the consumer is this server itself"},
	"one: a topic of face two": {one("Simple", "p:leaseStatus"), "TopicNotSupportedFault",
		"is not published"},
	"one: a policy": {simple(func(r *request) {
		r.more = "<n:SubscriptionPolicy><c:x/></n:SubscriptionPolicy>"
	}), "", "line 5, /Subscribe/SubscriptionPolicy"},
	"one: an end that has passed": {simple(func(r *request) { r.end = "2001-01-01T00:00:00Z" }),
		"", "line 5, /Subscribe/InitialTerminationTime: InitialTerminationTime 2001"},
	"one: a selector that is none": {simple(func(r *request) {
		r.filter = bad("Selector", "a[")
	}), "SubscribeCreationFailedFault", "line 4, /Subscribe/Selector"},
	"one: raw from a pull point": {simple(func(r *request) {
		r.consumer, r.key = "http://h/ws/PullPoint", "pp"
		r.filter = "<n:UseNotify>false</n:UseNotify>"
	}), "", "does not hand out raw messages"},
}

// refusedTwo has one row for each fault that WS-BaseNotification 1.3, 4.2, names.
var refusedTwo = map[string]refused{
	"two: another topic": {two("Simple", "t:logistics"), "TopicNotSupportedFault",
		"line 3, /Subscribe/Filter/TopicExpression: topic"},
	"two: the draft's topic": {two("Full",
		"t:ResourceTermination"), "TopicNotSupportedFault", "is not published"},
	"two: a bad path": {two("Simple", "t:a/b"), "InvalidTopicExpressionFault", "line 3, "},
	"two: a dialect of nobody": {two(draftDialects+"Simple", "t:currentState"),
		"TopicExpressionDialectUnknownFault", "line 3, "},
	"two: a filter of nobody": {final(func(r *request) { r.filter = "<c:Other/>" }),
		"InvalidFilterFault", "{u:c}Other is unknown"},
	"two: properties' expression": {final(func(r *request) {
		r.filter = bad("ProducerProperties", "x:a")
	}), "InvalidProducerPropertiesExpressionFault", `"x" of the expression is not declared`},
	"two: properties' dialect": {final(func(r *request) {
		r.filter = `<n:ProducerProperties Dialect="u:x">a</n:ProducerProperties>`
	}), "InvalidProducerPropertiesExpressionFault", "u:x"},
	"two: content's expression": {final(func(r *request) {
		r.filter = bad("MessageContent", "matches(a, 'b')")
	}), "InvalidMessageContentExpressionFault", "is not one of XPath 1.0"},
	"two: an end that has passed": {final(func(r *request) { r.end = "2001-01-01T00:00:00Z" }),
		"UnacceptableInitialTerminationTimeFault", "line 4, /Subscribe/InitialTerminationTime"},
	"two: a duration into the past": {final(func(r *request) { r.end = "-PT1H" }),
		"UnacceptableInitialTerminationTimeFault", "line 4, "},
	"two: an end that is none": {final(func(r *request) { r.end = "soon" }),
		"UnacceptableInitialTerminationTimeFault", "line 4, "},
	"two: a policy of nobody": {final(func(r *request) {
		r.more = "<n:SubscriptionPolicy><c:x/></n:SubscriptionPolicy>"
	}), "UnrecognizedPolicyRequestFault", "{u:c}x is unknown"},
	"two: raw from a pull point": {final(func(r *request) {
		r.consumer, r.key = "http://h/ws/PullPoint", "pp"
		r.more = "<n:SubscriptionPolicy><n:UseRaw/></n:SubscriptionPolicy>"
	}), "UnsupportedPolicyRequestFault", "does not hand out raw messages"},
	"two: another's pull point": {final(func(r *request) {
		r.consumer, r.key = "http://h/ws/PullPoint", "theirs"
	}), "", `line 2, /Subscribe/ConsumerReference: ` +
		`there is no pull point with the key "theirs"`},
	"two: a parameter that passes for a header": {final(func(r *request) {
		r.key = "1</p:PullPointKey><a:To>http://c/x</a:To><p:PullPointKey>2"
	}), "", "would pass for a header of ours"},
	"two: two pull points": {final(func(r *request) {
		r.consumer, r.key = "http://h/ws/PullPoint?key=other", "pp"
	}), "", "holds 2 different keys"},
	"two: a pull point without key": {final(func(r *request) {
		r.consumer = "http://h/ws/PullPoint"
	}), "", "holds 0 different keys"},
	"two: our own door, by its port": {final(func(r *request) {
		r.consumer = "http://h.:80/ws/Workspace"
	}), "", "the consumer is this server itself"},
	"two: our own door": {final(func(r *request) { r.consumer = "http://H/ws/Workspace" }), "",
		"line 2, /Subscribe/ConsumerReference: the consumer is this server itself"},
	"two: no consumer": {final(func(r *request) { r.consumer = "" }), "", "address"},
	"two: a large consumer": {final(func(r *request) {
		r.key = strings.Repeat("k", 9<<10)
	}), "", "line 2, /Subscribe/ConsumerReference: the consumer's reference is too large"},
}

func TestSubscribeRefuses(t *testing.T) {
	for _, table := range []map[string]refused{refusedOne, refusedTwo} {
		for name, tt := range table {
			t.Run(name, tt.test)
		}
	}
}

func (r refused) test(t *testing.T) {
	d := new(desk)
	_, err := r.call(t, d, false)
	if err == nil || !strings.Contains(err.Error(), r.says) || len(d.wishes) > 0 {
		t.Errorf("error is %v, want one with %q", err, r.says)
	}
	var typed *wsrf.FaultError
	if errors.As(err, &typed); (typed != nil) != (r.fault != "") ||
		typed != nil && typed.Fault.Local != r.fault {
		t.Errorf("fault is %+v, want %s", typed, r.fault)
	}
}

func TestGetCurrentMessage(t *testing.T) {
	ask := func(r request) request { r.current = true; return r }
	const (
		dialect, invalid = "TopicExpressionDialectUnknownFault", "InvalidTopicExpressionFault"
		end              = "l:ResourceTermination"
	)
	for name, tt := range map[string]struct {
		request
		says      string // in the reply
		fault     string
		all, none bool
	}{
		"one":            {ask(one("Simple", "t:currentState")), "NewValue>", "", false, false},
		"one, full":      {ask(one("Full", "t:*")), ">Paused<", "", false, false},
		"one, several":   {ask(one("Full", "*")), "", invalid, false, false},
		"one, its end":   {ask(one("Simple", end)), "", noMessage, false, false},
		"one, another":   {ask(one("Simple", "t:x")), "", "TopicNotSupportedFault", false, false},
		"two":            {ask(two("Concrete", "t:currentState")), "NewValues>", "", false, false},
		"two, several":   {ask(two("Full", "*")), "", "MultipleTopicsSpecifiedFault", false, false},
		"two, its end":   {ask(two("Simple", end)), "", noMessage, false, false},
		"two, another":   {ask(two("Simple", "t:x")), "", "TopicNotSupportedFault", false, false},
		"two, dialect":   {ask(two("u:x", "t:x")), "", dialect, false, false},
		"two, no QName":  {ask(two("Simple", "t:")), "", invalid, false, false},
		"all, the last":  {ask(two("Simple", "t:currentState")), ">Paused<", "", true, false},
		"all, none left": {ask(two("Simple", "t:currentState")), "", noMessage, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			reply, err := tt.call(t, &desk{state: workspace.Paused, none: tt.none}, tt.all)
			if !strings.Contains(reply, tt.says) {
				t.Errorf("reply is %s, %v", reply, err)
			}
			var typed *wsrf.FaultError
			if errors.As(err, &typed); (typed != nil) != (tt.fault != "") ||
				typed != nil && typed.Fault.Local != tt.fault {
				t.Errorf("error is %v, want %s", err, tt.fault)
			}
			if err != nil && !strings.Contains(err.Error(), "line 2, /GetCurrentMessage/Topic") {
				t.Errorf("error names no place: %v", err)
			}
		})
	}
	_, err := porttest.Call(t, serve(new(desk), wsdl.One, false), "GetCurrentMessage", "8",
		ask(one("Simple", "t:currentState")).text())
	if workspace.KindOf(err) != workspace.NotFound {
		t.Errorf("error is %v, want not found", err)
	}
}

const noMessage = "NoCurrentMessageOnTopicFault"
