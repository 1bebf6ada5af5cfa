package main

import (
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/deployment"
)

// noon is when the options of these tests are given.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// parsed reads options as the command line has them.
func parsed(t *testing.T, args string) *deployCmd {
	t.Helper()
	var c struct {
		Deploy deployCmd `cmd:""`
	}
	parser := kong.Must(&c)
	if _, err := parser.Parse(append([]string{"deploy"}, strings.Fields(args)...)); err != nil {
		t.Fatal(err)
	}
	return &c.Deploy
}

// asked puts options over a request for an hour with 256 MB.
func asked(t *testing.T, args string) (*deployment.WorkspaceDeployment, error) {
	t.Helper()
	c := parsed(t, args)
	v := &deployment.WorkspaceDeployment{MinDuration: time.Hour, Nodes: 1}
	v.Allocation.Memory = deployment.Exactly(256)
	if err := c.leaseFlags.put(v, c.For, noon); err != nil {
		return v, err
	}
	err := c.sizeFlags.put(v)
	if err == nil {
		err = c.leaseFlags.end(v, c.SaveTo)
	}
	return v, err
}

func TestTermsOfOptions(t *testing.T) {
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	tests := []struct {
		args string
		want *deployment.LeaseTerms
		runs time.Duration
	}{
		{"", nil, time.Hour},
		{"--for 2h", nil, 2 * time.Hour},
		{"--until 15:00", nil, 3 * time.Hour},
		{"--start +2h", &deployment.LeaseTerms{Kind: "reservation", Start: at(2)}, time.Hour},
		{"--start 14:00 --until 18:00", &deployment.LeaseTerms{Kind: "reservation", Start: at(2)},
			4 * time.Hour},
		{"--best-effort", &deployment.LeaseTerms{Kind: "best-effort"}, time.Hour},
		{"--preemptible", &deployment.LeaseTerms{Kind: "best-effort", Preemptible: true},
			time.Hour},
		{"--deadline 18:00", &deployment.LeaseTerms{Kind: "deadline", Deadline: at(6)}, time.Hour},
		{"--deadline 18:00 --start 14:00",
			&deployment.LeaseTerms{Kind: "deadline", Start: at(2), Deadline: at(6)}, time.Hour},
		{"--warn 10m", &deployment.LeaseTerms{Warn: 10 * time.Minute}, time.Hour},
		{"--apart --near=7,sim-001 --wish", &deployment.LeaseTerms{
			Apart: []deployment.Placement{{Soft: true}},
			Near: []deployment.Placement{
				{Soft: true, Workspaces: []int64{7}, Hosts: []string{"sim-001"}},
			},
		}, time.Hour},
		{"--memory 128..512", &deployment.LeaseTerms{}, time.Hour},
		{"--disk 1G --net-in 5M..100M --net-out 1G", &deployment.LeaseTerms{
			Extra: deployment.Amounts{DiskMB: 1024, NetInKbps: 100_000, NetOutKbps: 1_000_000},
			Least: deployment.Amounts{NetInKbps: 5000},
		}, time.Hour},
		{"--part 1:4G:2 --part 3:512..1024", &deployment.LeaseTerms{Parts: []deployment.Part{
			{Nodes: 1, Demand: deployment.Amounts{MemoryMB: 4096, CPUs: 2}},
			{Nodes: 3, Demand: deployment.Amounts{MemoryMB: 1024},
				Least: deployment.Amounts{MemoryMB: 512}},
		}}, time.Hour},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			v, err := asked(t, test.args)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, v.Terms); diff != "" {
				t.Errorf("terms (-want +got):\n%s", diff)
			}
			if v.MinDuration != test.runs {
				t.Errorf("it runs %s, expected %s", v.MinDuration, test.runs)
			}
		})
	}
}

func TestAmountsOfOptions(t *testing.T) {
	v, err := asked(t, "--memory 512M..2G --cpus 4 --cpu-percent 50% --part 1:1G --part 2:2G")
	if err != nil {
		t.Fatal(err)
	}
	most, least := v.Amounts()
	want := deployment.Amounts{MemoryMB: 2048, CPUs: 4, CPUPercent: 50}
	if most != want || least != (deployment.Amounts{MemoryMB: 512}) {
		t.Errorf("between %v and %v", least, most)
	}
	if v.Nodes != 3 {
		t.Errorf("%d nodes of the parts", v.Nodes)
	}
}

func TestThen(t *testing.T) {
	for args, want := range map[string]string{
		"": deployment.Serialize, "--then shutdown": "", "--then destroy": deployment.Trash,
	} {
		c := parsed(t, args)
		v := &deployment.WorkspaceDeployment{Mechanism: deployment.Serialize}
		if err := c.leaseFlags.end(v, ""); err != nil || v.Mechanism != want {
			t.Errorf("%q: %q, %v", args, v.Mechanism, err)
		}
	}
}

// TestFilesTermsStay puts options over a request that has terms of its own.
func TestFilesTermsStay(t *testing.T) {
	reserved := func() *deployment.WorkspaceDeployment {
		return &deployment.WorkspaceDeployment{Nodes: 1, Terms: &deployment.LeaseTerms{
			Start: noon.Add(time.Hour), Until: noon.Add(2 * time.Hour), Warn: time.Minute,
		}}
	}
	tests := []struct {
		args string
		want deployment.LeaseTerms
		runs time.Duration
	}{
		{"", *reserved().Terms, 0},
		{"--for 3h", deployment.LeaseTerms{Start: noon.Add(time.Hour), Warn: time.Minute},
			3 * time.Hour},
		{"--until 15:00", deployment.LeaseTerms{Start: noon.Add(time.Hour), Warn: time.Minute},
			2 * time.Hour},
		{"--start 16:00 --for 1h", deployment.LeaseTerms{Kind: "reservation",
			Start: noon.Add(4 * time.Hour), Warn: time.Minute}, time.Hour},
		{"--best-effort --for 1h", deployment.LeaseTerms{Kind: "best-effort", Warn: time.Minute},
			time.Hour},
		{"--start now --for 1h", deployment.LeaseTerms{Kind: "immediate", Warn: time.Minute},
			time.Hour},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			c, v := parsed(t, test.args), reserved()
			if err := c.leaseFlags.put(v, c.For, noon); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, *v.Terms); diff != "" || v.MinDuration != test.runs {
				t.Errorf("runs %s, terms (-want +got):\n%s", v.MinDuration, diff)
			}
		})
	}
}

func TestBadOptionsOfLeases(t *testing.T) {
	tests := []struct{ args, want string }{
		{"--start yesterday", `--start: "yesterday" is not a time, expected such as 18:30, +2h`},
		{"--start 2026-11-22T11:59:59Z",
			"--start: 2026-11-22 11:59:59 UTC is in the past, it is 2026-11-22 12:00:00 UTC"},
		{"--start +1h --until 12:30",
			"--until: it would end at 2026-11-22 12:30:00 UTC, before it starts at 2026-11-22 13"},
		{"--until 13:00 --for 1h", "both --until and --for say when it ends"},
		{"--start +1h --best-effort", "--start asks for a time, --best-effort for any"},
		{"--start +1h --preemptible", "--start asks for a time, --preemptible for any"},
		{"--deadline 18:00 --best-effort", "--deadline and --best-effort are two kinds of lease"},
		{"--until 18:00 --best-effort", "--until needs a beginning, and with --best-effort"},
		{"--until 18:00 --deadline 19:00", "both --until and --deadline say when it is over"},
		{"--deadline 12:30", "--deadline: 2026-11-22 12:30:00 UTC is 30m from now, and the " +
			"running time is 1h"},
		{"--deadline 15:00 --start 14:00 --for 2h", "is 1h from 2026-11-22 14:00:00 UTC, and"},
		{"--wish", "--wish is about --apart and --near, and neither is there"},
		{"--apart=0", `--apart: "0" is no workspace's number`},
		{"--warn 2h", "--warn: 2h before its end it has not begun, it runs for 1h"},
		{"--warn soon", `--warn: "soon" is not a length of time`},
		{"--then explode", `--then: "explode" is none of shutdown, save, destroy`},
		{"--then save", "--then: nobody says where the image is saved to"},
		{"--then destroy --save-to file://x",
			`--then: after destroy nothing is left to save to "file://x"`},
		{"--memory 2G..1G", `--memory: "2G..1G": the lower bound is above the upper one`},
		{"--memory 2G..", `--memory: "2G.." is half a range, expected MIN..MAX`},
		{"--memory 0..2G", `--memory: "0" is not an amount of memory above zero`},
		{"--cpus=-1", `--cpus: "-1" is not a number above zero`},
		{"--cpus 0", `--cpus: "0" is not a number above zero`},
		{"--cpus 99999999999", `--cpus: "99999999999" is not a number above zero`},
		{"--cpu-percent 200", `--cpu-percent: "200" is not a percentage from 1 to 100`},
		{"--net-in 100", `--net-in: "100" is not a bandwidth, expected such as 500k, 100M or 1G`},
		{"--net-out 0M", `--net-out: "0M" is not a bandwidth above zero`},
		{"--net-in 999999999T", `--net-in: "999999999T" is more than any host has`},
		{"--part 3", `--part: "3" is not NODES:MEMORY or NODES:MEMORY:CPUS`},
		{"--part 0:1G", `--part: "0:1G": "0" is not a number above zero`},
		{"--part 1:lots", `--part: "1:lots": "lots" is not an amount of memory`},
		{"--part 1:1G:none", `--part: "1:1G:none": "none" is not a number above zero`},
	}
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	time.Local = time.UTC
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			_, err := asked(t, test.args)
			if err == nil || exitCode(err) != exitUsage {
				t.Fatalf("%v, expected an error of usage", err)
			}
			if !strings.HasPrefix(err.Error(), "cannot deploy: ") ||
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("%q, expected %q", err, test.want)
			}
		})
	}
}

func FuzzRate(f *testing.F) {
	for _, seed := range []string{"500k", "100M", "1G", "1Gbit/s", "5..6M", "0k", "-1M"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRange(text, parseRate)
		if err == nil && (r.least < 1 || r.most < r.least || r.most > mostAmount) {
			t.Errorf("%q became %v", text, r)
		}
	})
}
