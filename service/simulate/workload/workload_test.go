package workload

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

const swfLog = `; Version: 2.2
; MaxProcs:  16

1 0 5 60 8 -1 -1 8 600 -1 1 7 1 -1 1 -1 -1 -1
2 30 5 0 4 -1 -1 -1 -1 2048 1 7 1 -1 1 -1 -1 -1
3 31 5 -1 -1 -1 -1 4 600 -1 5 7 1 -1 1 -1 -1 -1
4 32 5 60 8 -1 -1 8 600
5 33 5 sixty 8 -1 -1 8 600 -1 1 7 1 -1 1 -1 -1 -1
6 90.5 5 700 -1 -1 -1 3 600 -1 1 8 1 -1 1 -1 -1 -1
7 nan 5 700 -1 -1 -1 3 600 -1 1 8 1 -1 1 -1 -1 -1
8 1e300 5 700 -1 -1 -1 3 600 -1 1 8 1 -1 1 -1 -1 -1
9 -4 5 700 -1 -1 -1 3 600 -1 1 8 1 -1 1 -1 -1 -1`

func TestSWF(t *testing.T) {
	w, err := Read("x.swf", []byte(swfLog), Options{Scale: 4, MemoryMB: 512})
	if err != nil {
		t.Fatal(err)
	}
	type job struct {
		id                 book.ID
		nodes              int
		memory             int32
		at, asked, run, it slot.Time
	}
	var got []job
	for _, r := range w.Requests {
		got = append(got, job{r.Terms.ID, r.Nodes(), r.Terms.Parts[0].Need[slot.Memory],
			r.Terms.Submitted, r.Terms.Duration, r.Real, r.Work()})
		if r.Terms.Kind != book.BestEffort || !r.Terms.Preemptible {
			t.Errorf("job %d is %v, preemptible %v", r.Terms.ID, r.Terms.Kind, r.Terms.Preemptible)
		}
	}
	want := []job{
		{1, 2, 512, 0, 600 * Second, 60 * Second, 60 * Second},
		{2, 1, 8, 30 * Second, Second, Second, Second},
		{6, 1, 512, 90500, 600 * Second, 700 * Second, 600 * Second},
	}
	if !slices.Equal(got, want) {
		t.Errorf("jobs %+v, expected %+v", got, want)
	}
	if w.Skipped != 1 || !reflect.DeepEqual(w.Site, []Hosts{{Count: 4}}) {
		t.Errorf("skipped %d, site %v", w.Skipped, w.Site)
	}
	checkBroken(t, w, []Broken{
		{7, "9 fields, expected 18"},
		{8, `field 4 is "sixty", not a number that a log can have`},
		{10, `field 2 is "nan", not a number that a log can have`},
		{11, `field 2 is "1e300", not a number that a log can have`},
		{12, "job 9 arrives before the beginning"},
	})
}

func checkBroken(t *testing.T, w *Workload, want []Broken) {
	t.Helper()
	if !slices.Equal(w.Broken, want) {
		t.Errorf("broken:\n%+v\nexpected:\n%+v", w.Broken, want)
	}
}

func TestCutKeepsASpanAndCountsFromIt(t *testing.T) {
	w, err := Read("x.swf", []byte(swfLog), Options{From: 30 * Second, For: 60 * Second})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Requests) != 1 || w.Requests[0].Terms.ID != 2 || w.Requests[0].Terms.Submitted != 0 {
		t.Errorf("requests %+v, expected job 2 at 0", w.Requests)
	}
}

const lwfFile = `<?xml version="1.0"?>
<lease-workload name="four kinds">
 <description>...</description>
 <site><resource-types names="CPU Memory"/><nodes>
  <node-set numnodes="4"><res type="CPU" amount="100"/><res type="Memory" amount="1024"/></node-set>
 </nodes></site>
 <lease-requests>
  <lease-request arrival="00:00:00.00"><realduration time="00:45:00.00"/>
   <lease id="1" preemptible="true" user="9"><nodes><node-set numnodes="2">
     <res type="CPU"><instance amount="50"/><instance amount="25"/></res>
     <res amount="512" type="Memory"/><res amount="100" type="Net-in"/></node-set></nodes>
    <start/><duration time="01:00:00.00"/>
    <software><disk-image id="a.img" size="1024"/></software></lease></lease-request>
  <lease-request arrival="00:15:00.00">
   <lease id="2" preemptible="false"><nodes><node-set numnodes="1"/><node-set numnodes="3"/></nodes>
    <start><exact time="1:00:30:00.00"/></start><duration time="00:15:00.00"/>
    <software><none/></software></lease></lease-request>
  <lease-request arrival="soon">
   <lease id="3"><nodes><node-set numnodes="1"/></nodes><start/><duration time="1"/></lease>
  </lease-request>
  <lease-request arrival="900">
   <lease id="4"><nodes><node-set numnodes="1"/></nodes><start><now/></start>
    <duration time="10:00.5"/></lease></lease-request>
  <lease-request arrival="901">
   <lease id="5"><nodes><node-set numnodes="1"/></nodes><start><exact time="1000"/></start>
    <duration time="60"/><deadline time="1059"/></lease></lease-request>
  <lease-request arrival="902">
   <lease id="6"><nodes><node-set numnodes="1"/></nodes><start><exact time="1000"/></start>
    <duration time="60"/><deadline time="1060"/></lease></lease-request>
  <lease-request arrival="903"><lease id="7"><oops></lease></lease-request>
  <lease-request arrival="904">
   <lease id="8"><nodes><node-set numnodes="0"/></nodes><start/><duration time="60"/></lease>
  </lease-request>
  <lease-request arrival="904">
   <lease id="9"><nodes><node-set numnodes="1"><res type="GPU" amount="1"/></node-set></nodes>
    <start/><duration time="60"/></lease></lease-request>
  <lease-request arrival="905">
   <lease><nodes><node-set numnodes="1"/></nodes><start/><duration time="60"/></lease>
  </lease-request>
 </lease-requests>
</lease-workload>
`

func TestLWF(t *testing.T) {
	w, err := Read("x.lwf", []byte(lwfFile), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w.Name != "four kinds" ||
		!reflect.DeepEqual(w.Site, []Hosts{{4, slot.Amount{100, 1024}}}) {
		t.Errorf("name %q, site %v", w.Name, w.Site)
	}
	want := []Request{
		{Real: 45 * Minute, Terms: book.Terms{
			ID: 1, Owner: "9", Kind: book.BestEffort, Preemptible: true, Duration: Hour,
			Parts: []book.Part{{Nodes: 2, Need: slot.Amount{75, 512, 0, 100000, 0}}},
			Image: book.Image{Name: "a.img", SizeMB: 1024},
		}},
		{Real: 15 * Minute, Terms: book.Terms{
			ID: 2, Kind: book.Reservation, Submitted: 15 * Minute, Start: Day + 30*Minute,
			Duration: 15 * Minute, Parts: []book.Part{{Nodes: 1}, {Nodes: 3}},
		}},
		{Real: 10*Minute + 500, Terms: book.Terms{
			ID: 4, Kind: book.Immediate, Submitted: 900 * Second, Duration: 10*Minute + 500,
			Parts: []book.Part{{Nodes: 1}},
		}},
		{Real: Minute, Terms: book.Terms{
			ID: 6, Kind: book.Deadline, Submitted: 902 * Second, Start: 1000 * Second,
			Deadline: 1060 * Second, Duration: Minute, Parts: []book.Part{{Nodes: 1}},
		}},
		{Real: Minute, Terms: book.Terms{
			ID: 5, Kind: book.BestEffort, Preemptible: true, Submitted: 905 * Second,
			Duration: Minute, Parts: []book.Part{{Nodes: 1}},
		}},
	}
	if !reflect.DeepEqual(w.Requests, want) {
		t.Errorf("requests\n%+v\nexpected\n%+v", w.Requests, want)
	}
	checkBroken(t, w, []Broken{
		{18, `lease 3 has an arrival that is "soon", not a time such as 01:30:00`},
		{24, "lease 5 has a deadline sooner than its duration allows"},
		{30, "no XML: element <oops> closed by </lease>"},
		{31, `lease 8 has "0" nodes`},
		{34, `lease 9 has a resource "GPU", which no host has`},
	})
}

func TestTextLWF(t *testing.T) {
	w, err := Read("x.lwf", []byte(`# two leases and two that are none
0     900  900  900 1 1 1024 0 foobar.img 1024
2700   -1  900  800 3 1 512 0 'NONE.img' 600
2700   -1  900  900 3 1 512 0 foobar.img
2700   -1  900  900 0 1 512 0 foobar.img 5
`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Request{
		{Real: 15 * Minute, Terms: book.Terms{
			ID: 1, Kind: book.Reservation, Start: 15 * Minute, Duration: 15 * Minute,
			Parts: []book.Part{{Nodes: 1, Need: slot.Amount{100, 1024}}},
			Image: book.Image{Name: "foobar.img", SizeMB: 1024},
		}},
		{Real: 800 * Second, Terms: book.Terms{
			ID: 2, Kind: book.BestEffort, Preemptible: true, Submitted: 2700 * Second,
			Duration: 15 * Minute, Parts: []book.Part{{Nodes: 3, Need: slot.Amount{100, 512}}},
			Image: book.Image{Name: "NONE.img", SizeMB: 600},
		}},
	}
	if !reflect.DeepEqual(w.Requests, want) {
		t.Errorf("requests\n%+v\nexpected\n%+v", w.Requests, want)
	}
	checkBroken(t, w, []Broken{
		{4, "9 fields, expected 10"}, {5, "a lease that asks for no nodes"},
	})
}

func TestReadRefusesWhatIsNoWorkload(t *testing.T) {
	for _, text := range []string{"", "\n\n", "hello\n", "1 2 3 4 5\n"} {
		if _, err := Read("x", []byte(text), Options{}); err == nil ||
			!strings.Contains(err.Error(), "neither a log in SWF nor a workload in LWF") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestGenerateIsOfItsSeedAlone(t *testing.T) {
	for _, shape := range Shapes() {
		recipe := Recipe{Shape: shape, Leases: 2000, Hosts: 144, Load: .7, Seed: 1, Notice: Day}
		a, err := Generate(recipe)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := Generate(recipe)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: the same seed gave two workloads", shape)
		}
		recipe.Seed = 2
		c, _ := Generate(recipe)
		if reflect.DeepEqual(a.Requests, c.Requests) {
			t.Errorf("%s: two seeds gave one workload", shape)
		}
		if load := loadOf(a, 144); math.Abs(load-.7) > .05 {
			t.Errorf("%s: a load of %.3f, expected 0.7", shape, load)
		}
		for _, r := range a.Requests {
			if why := r.fault(); why != "" || r.Nodes() > 144 || r.Real > r.Terms.Duration {
				t.Fatalf("%s: lease %d %s: %+v", shape, r.Terms.ID, why, r)
			}
		}
	}
}

// loadOf returns the share of the hosts' CPUs that the requests take between
// the first start that they could have and the last.
func loadOf(w *Workload, hosts int) float64 {
	work, last := 0.0, slot.Time(0)
	for _, r := range w.Requests {
		work += float64(r.CPUs()) * float64(r.Work())
		last = max(last, r.Terms.Submitted, r.Terms.Start)
	}
	return work / (WholeCPU * float64(hosts) * float64(last))
}

func TestGenerateRefuses(t *testing.T) {
	good := Recipe{Shape: Batch, Leases: 1, Hosts: 1, Load: .5}
	for name, spoil := range map[string]func(*Recipe){
		"shape": func(r *Recipe) { r.Shape = "square" }, "none": func(r *Recipe) { r.Leases = 0 },
		"hosts": func(r *Recipe) { r.Hosts = -1 }, "load": func(r *Recipe) { r.Load = math.NaN() },
		"many": func(r *Recipe) { r.Leases = 1 << 40 },
	} {
		recipe := good
		spoil(&recipe)
		if _, err := Generate(recipe); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Generate(good); err != nil {
		t.Error(err)
	}
}

func TestInjectGivesTheShare(t *testing.T) {
	w, err := Generate(Recipe{Shape: Batch, Leases: 3000, Hosts: 144, Load: .7, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	j := Injection{
		Share: .1, Length: 3 * Hour, Notice: Day, Seed: 5, Need: slot.Amount{100, 1024},
	}
	if err := j.Nodes("medium", 144); err != nil || j.Least != 25 || j.Most != 48 {
		t.Fatalf("medium is %d to %d, %v", j.Least, j.Most, err)
	}
	end := w.Requests[len(w.Requests)-1].Terms.Submitted
	if err := w.Inject(j, 144); err != nil {
		t.Fatal(err)
	}
	work, seen := 0.0, map[book.ID]bool{}
	for _, r := range w.Requests {
		if seen[r.Terms.ID] {
			t.Fatalf("two leases have the number %d", r.Terms.ID)
		}
		seen[r.Terms.ID] = true
		if r.Terms.Kind == book.Reservation {
			work += float64(r.Nodes()) * float64(r.Real)
			if d := r.Terms.Start - r.Terms.Submitted; d > Day ||
				d < Day && r.Terms.Submitted > 0 {
				t.Errorf("a notice of %d ms", d)
			}
		}
	}
	if share := work / (144 * float64(end)); math.Abs(share-.1) > .01 {
		t.Errorf("a share of %.3f, expected 0.1", share)
	}
}

func TestNodesOfAnInjection(t *testing.T) {
	for text, want := range map[string][2]int{
		"small": {1, 24}, "large": {49, 72}, "4": {4, 4}, "8-16": {8, 16},
	} {
		var j Injection
		if err := j.Nodes(text, 144); err != nil || j.Least != want[0] || j.Most != want[1] {
			t.Errorf("%s: %d to %d, %v", text, j.Least, j.Most, err)
		}
	}
	for _, text := range []string{"", "x", "0", "5-4", "-1", "1-", "1-9999999"} {
		var j Injection
		if err := j.Nodes(text, 144); err == nil {
			t.Errorf("%q: accepted as %d to %d", text, j.Least, j.Most)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(swfLog))
	f.Add([]byte(lwfFile))
	f.Add([]byte("0 900 900 900 1 1 1024 0 foobar.img 1024"))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := Read("x", data, Options{Scale: 2, MemoryMB: 1})
		if err != nil {
			return
		}
		lines := strings.Count(string(data), "\n") + 1
		for _, b := range w.Broken {
			if b.Line < 1 || b.Line > lines {
				t.Errorf("line %d of %d is broken: %s", b.Line, lines, b.Why)
			}
		}
		for i, r := range w.Requests {
			if why := r.fault(); why != "" {
				t.Errorf("lease %d %s", r.Terms.ID, why)
			}
			if i > 0 && r.Terms.Submitted < w.Requests[i-1].Terms.Submitted {
				t.Error("not in order of arrival")
			}
		}
	})
}
