package main

import (
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/lease/quota"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// policies is a configuration with something of everything.
const policies = `
[[host.window]]
start = 2030-01-05T00:00:00Z
end = 2030-01-06T00:00:00Z
rule = "FREQ=WEEKLY"
cpus = 2
[[host]]
id = "farm"
adapter = "sim"
cpus = 1
memory_mb = 1024
count = 2
[[host.window]]
start = 2030-01-05T00:00:00Z
end = 2030-01-06T00:00:00Z
[scheduler]
backfill = "conservative"
preemption = ["migrate", "kill"]
choice = "spread"
boot = "10s"
margin = 50
suspend_rate = 30
transfer_kbps = 800000
[fair_share]
weight = "1h"
half_life = "24h"
[[fair_share.share]]
owner = "/O=a/*"
weight = 7
[[quota]]
owner = "*"
cpus = 0
cpu_time = "2h"
longest_run = "1h"
[[quota]]
group = "/O=a/*"
workspaces = 5
memory_mb = 6
`

func configured(t *testing.T, more string) *config.Config {
	t.Helper()
	c, _, err := site(t, t.TempDir(), more).config()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestQuotasAndSharesOfTheConfiguration(t *testing.T) {
	k := accounts(configured(t, policies))
	want := []quota.Rule{
		{Pattern: "*", Limits: []quota.Limit{{Of: quota.CPUs, Most: 0},
			{Of: quota.CPUTime, Most: 7_200_000}, {Of: quota.LongestRun, Most: 3_600_000}}},
		{Pattern: "/O=a/*", Together: true, Limits: []quota.Limit{
			{Of: quota.Workspaces, Most: 5}, {Of: quota.MemoryMB, Most: 6}}},
	}
	if !reflect.DeepEqual(k.Quotas, want) {
		t.Errorf("the quotas are %+v, want %+v", k.Quotas, want)
	}
	if k.Share.Weight != time.Hour || k.Share.HalfLife != 24*time.Hour ||
		k.Share.Share("/O=a/CN=x") != 7 || k.Share.Share("/O=b/CN=x") != 1 {
		t.Errorf("the shares are %+v", k.Share)
	}
}

func TestWindowsOfTheConfiguration(t *testing.T) {
	all := windows(configured(t, policies))
	if len(all) != 3 || len(all["here"]) != 1 || len(all["farm-001"]) != 1 ||
		len(all["farm-002"]) != 1 {
		t.Fatalf("the windows are %+v", all)
	}
	if w := all["here"][0]; w.Rule != "FREQ=WEEKLY" || w.Left.CPUs != 2 {
		t.Errorf("the window is %+v", w)
	}
	if w := all["farm-002"][0]; w.Left != (workspace.Capacity{}) {
		t.Errorf("the window is %+v", w)
	}
}

func TestSchedulerOfTheConfiguration(t *testing.T) {
	c := configured(t, policies)
	p := scheduling(c.Scheduler)
	if p.Backfill != book.Conservative || p.Choice != book.Spread || p.Boot != 15_000 ||
		!reflect.DeepEqual(p.Preemption, []book.Means{book.ByMigration, book.ByKilling}) {
		t.Errorf("the policy is %+v", p)
	}
	o := advise(c, host.NewPool(), slog.New(slog.DiscardHandler)).
		options(c, host.NewPool(), slog.New(slog.DiscardHandler), nil)
	if o.Repository != 1_000_000 || o.Boot(512) != 15*time.Second ||
		o.Shutdown(512) != 15*time.Second {
		t.Errorf("a boot takes %v, a shutdown %v", o.Boot(512), o.Shutdown(512))
	}
	if r := o.Rates("here"); r.Suspend != 20 || r.Resume != 33 {
		t.Errorf("the rates are %+v", r)
	}
	if kbps := o.Transfer(); kbps < 520_000 || kbps > 534_000 {
		t.Errorf("images come with %d kbit/s, want two thirds of what is configured", kbps)
	}
}

// TestTimesAreLearned: what hosts show is planned with, not what is configured.
func TestTimesAreLearned(t *testing.T) {
	c := configured(t, policies)
	a := advise(c, host.NewPool(), slog.New(slog.DiscardHandler))
	o := a.options(c, host.NewPool(), slog.New(slog.DiscardHandler), nil)
	for range 40 {
		a.pace.Took(learn.Boot, "here", 512, 2*time.Second)
		a.pace.Took(learn.Suspend, "here", 1000, time.Second)
		a.pace.Took(learn.Transfer, "here", 1000, 100*time.Second)
	}
	if got := o.Boot(512); got < 3*time.Second || got > 4*time.Second {
		t.Errorf("a boot takes %v, want 2s and half as much", got)
	}
	if r := o.Rates("here"); r.Suspend < 600 || r.Suspend > 670 {
		t.Errorf("the host saves %d MB/s, want two thirds of 1000", r.Suspend)
	}
	if kbps := o.Transfer(); kbps < 40_000 || kbps > 54_000 {
		t.Errorf("images come with %d kbit/s, want two thirds of 80000", kbps)
	}
}
