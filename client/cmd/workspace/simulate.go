package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/simulate"
	"github.com/philoxenia/philoxenia/service/simulate/chart"
	"github.com/philoxenia/philoxenia/service/simulate/workload"
)

// A simulateCmd is the command simulate. It asks no service: the scheduler
// itself runs here, in virtual time.
type simulateCmd struct {
	Files       []string `arg:"" optional:"" name:"file" help:"Logs in SWF and workloads in LWF, also compressed by gzip; several are put together."`
	Generate    string   `placeholder:"SHAPE" help:"Generate a workload instead: batch, sessions or reservations."`
	Leases      int      `default:"1000" placeholder:"N" help:"How many leases to generate; 1000."`
	Load        string   `default:"70%" placeholder:"SHARE" help:"Share of the pool that generated leases need; 70%."`
	Ahead       bool     `help:"All generated reservations are asked for before the first starts, in no order."`
	Seed        uint64   `default:"1" placeholder:"N" help:"What generated and injected leases are drawn from; 1."`
	Inject      string   `placeholder:"SHARE,TIME,NODES" help:"Add reservations for that share of the pool, of that length and so many nodes: small, medium, large or such as 8-16."`
	Notice      string   `default:"24h" placeholder:"TIME" help:"How long before their start reservations arrive; 24h."`
	Hosts       int      `placeholder:"N" help:"Hosts of the pool instead of the file's; 16."`
	CPUs        int      `name:"cpus" placeholder:"N" help:"CPUs of each host instead of the file's; 1."`
	Memory      string   `placeholder:"SIZE" help:"Memory of each host instead of the file's; 1G."`
	Backfill    string   `default:"easy" placeholder:"WORD" help:"How far the queue may be overtaken: none, easy or conservative; easy."`
	Preemption  []string `default:"suspend,migrate" placeholder:"WORDS" help:"How reservations get hosts of best-effort leases: suspend, migrate and kill, or none; suspend,migrate."`
	Choice      string   `default:"best-fit" placeholder:"WORD" help:"Which hosts are preferred: best-fit, spread or pack; best-fit."`
	SuspendRate int64    `default:"50" placeholder:"N" help:"MB of memory that a host saves or restores in a second; 50. With 0 it takes no time."`
	Boot        string   `placeholder:"TIME" help:"How long nodes take to boot; none."`
	Shutdown    string   `placeholder:"TIME" help:"How long nodes take to shut down; none."`
	Threshold   int64    `placeholder:"N" help:"How many times as long as its suspension and resumption a lease has to run to be begun before one; 0."`
	Repository  int64    `placeholder:"N" help:"Mbit/s of the image repository's link; with 0, the default, every host has all images."`
	HostLink    int64    `placeholder:"N" help:"Mbit/s at which one host takes an image; as fast as the repository's link."`
	Cache       string   `default:"0" placeholder:"SIZE" help:"How much of images that are out of use a host keeps; none."`
	Images      string   `placeholder:"SIZE[,COUNT[,skewed]]" help:"Give leases that name no image one of so many of that size, wanted equally or a few most of the time."`
	Spread      string   `default:"0%" placeholder:"SHARE" help:"How far boots, suspensions, resumptions and shutdowns are from what they take on average; 0%."`
	Margin      string   `default:"0%" placeholder:"SHARE" help:"How much more than that is planned for each; 0%."`
	Window      []string `sep:"none" placeholder:"HOSTS,FROM,TIME[,EVERY]" help:"Close hosts, such as 1-16,2d,12h,7d: hosts 1 to 16, two days on, for 12 hours, every week; repeatable."`
	Scale       int      `default:"1" placeholder:"N" help:"Processors of a log that make one node; 1."`
	LeaseMemory string   `default:"1G" placeholder:"SIZE" help:"Memory of nodes of which a log tells none; 1G."`
	From        string   `placeholder:"TIME" help:"Leave out what a file has before that time from its beginning."`
	For         string   `placeholder:"TIME" help:"Leave out what a file has after a span of that length."`
	Drop        string   `default:"0%" placeholder:"SHARE" help:"Share of best-effort leases, the first, that are left out of waits and slowdowns; 0%."`
	Gantt       bool     `help:"Draw the hosts against time, in the file of --svg too."`
	Rows        int      `default:"64" placeholder:"N" help:"How many hosts to draw; 64."`
	Save        string   `placeholder:"FILE" help:"Write the workload in LWF, with all that was generated, injected and cut, for another scheduler to read."`
	SVG         string   `name:"svg" placeholder:"FILE" help:"Draw the use of the pool and the waits."`
}

// Run simulates the workload and prints what was measured.
func (c *simulateCmd) Run(ctx context.Context, a *app) error {
	if c.Rows < 1 {
		return usagef("", "--rows: %d is not a number of hosts to draw", c.Rows)
	}
	settings, err := c.settings()
	if err != nil {
		return err
	}
	w, err := c.workload(a)
	if err != nil {
		return err
	}
	if err := c.inject(w, settings); err != nil {
		return err
	}
	if err := c.dress(w); err != nil {
		return err
	}
	run, err := simulate.New(w, settings)
	if err != nil {
		return usagef("`workspace simulate --help` shows the options", "%w", err)
	}
	for run.Step() {
		if ctx.Err() != nil {
			return failf(exitInterrupted, "", "cannot finish the simulation: interrupted")
		}
	}
	result := run.Result()
	if err := c.save(w); err != nil {
		return err
	}
	if err := c.draw(result); err != nil {
		return err
	}
	view := simulationView{Measures: result.Measures}
	if c.Gantt {
		const columns = 100
		view.gantt = result.Gantt(c.Rows).Text(columns)
	}
	return a.print(view)
}

// settings reads the options of pool and policy.
func (c *simulateCmd) settings() (s simulate.Settings, err error) {
	s = simulate.Settings{
		Hosts: c.Hosts, CPUs: c.CPUs, Backfill: c.Backfill, Preemption: c.Preemption,
		Choice: c.Choice, SuspendRate: c.SuspendRate, ResumeRate: c.SuspendRate,
		Threshold: c.Threshold, RepositoryKbps: c.Repository * kbps, HostKbps: c.HostLink * kbps,
	}
	if c.Cache != "0" {
		if s.CacheMB, err = parseMemory(c.Cache); err != nil {
			return s, usagef("", "--cache: %w", err)
		}
	}
	if c.Memory != "" {
		if s.MemoryMB, err = parseMemory(c.Memory); err != nil {
			return s, usagef("", "--memory: %w", err)
		}
	}
	boot, err := spanOption("--boot", c.Boot)
	if err != nil {
		return s, err
	}
	down, err := spanOption("--shutdown", c.Shutdown)
	if err != nil {
		return s, err
	}
	s.Boot, s.Shutdown = workload.Milliseconds(boot), workload.Milliseconds(down)
	s.Seed = c.Seed
	for _, o := range []struct {
		name, text string
		value      *float64
	}{
		{"--drop", c.Drop, &s.Drop}, {"--spread", c.Spread, &s.Spread},
		{"--margin", c.Margin, &s.Margin},
	} {
		if *o.value, err = share(o.name, o.text); err != nil {
			return s, err
		}
	}
	for _, text := range c.Window {
		w, err := closedHosts(text)
		if err != nil {
			return s, err
		}
		s.Windows = append(s.Windows, w)
	}
	return s, nil
}

// closedHosts reads one --window.
func closedHosts(text string) (w simulate.Window, err error) {
	words := strings.Split(text, ",")
	if len(words) < 3 || len(words) > 4 {
		return w, usagef("", "--window: %q is not such as 1-16,2d,12h or 1-16,2d,12h,7d",
			clip(text))
	}
	first, last, ranged := strings.Cut(words[0], "-")
	if !ranged {
		last = first
	}
	var bad error
	w.First, err = strconv.Atoi(first)
	w.Last, bad = strconv.Atoi(last)
	if err != nil || bad != nil {
		return w, usagef("", "--window: %q are no hosts, expected such as 3 or 1-16",
			clip(words[0]))
	}
	for i, at := range []*workload.Time{&w.From, &w.Length, &w.Every} {
		if i+1 < len(words) {
			d, err := spanOption("--window", words[i+1])
			if err != nil {
				return w, err
			}
			*at = workload.Milliseconds(d)
		}
	}
	return w, nil
}

// spanOption reads an option that is a length of time; none is zero.
func spanOption(option, text string) (time.Duration, error) {
	if text == "" || text == "0" || text == "0s" {
		return 0, nil
	}
	d, err := parseSpan(text)
	if err != nil {
		return 0, usagef("", "%s: %w", option, err)
	}
	return d, nil
}

// share reads a share: 5% or 0.05.
func share(option, text string) (float64, error) {
	digits, percent := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(digits, 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x >= 0 && x <= 100) {
		return 0, usagef("", "%s: %q is not a share, expected such as 5%% or 0.05", option,
			clip(text))
	}
	return x, nil
}

// workload reads the files, or generates what there is to do.
func (c *simulateCmd) workload(a *app) (*workload.Workload, error) {
	if (c.Generate == "") == (len(c.Files) == 0) {
		return nil, usagef("name files, or a shape such as --generate batch",
			"cannot simulate: it takes either files or --generate")
	}
	if c.Generate != "" {
		return c.generated()
	}
	o, err := c.reading()
	if err != nil {
		return nil, err
	}
	var all *workload.Workload
	for _, name := range c.Files {
		data, err := readLog(name)
		if err != nil {
			return nil, usagef("", "cannot read the workload: %w", err)
		}
		w, err := workload.Read(name, data, o)
		if err != nil {
			return nil, usagef("", "%w", err)
		}
		a.broken(name, w.Broken)
		if all == nil {
			all = w
			continue
		}
		all.Join(w)
	}
	return all, nil
}

// generated generates the workload that the options describe.
func (c *simulateCmd) generated() (*workload.Workload, error) {
	r := workload.Recipe{Shape: c.Generate, Leases: c.Leases, Hosts: c.Hosts, Seed: c.Seed,
		Ahead: c.Ahead}
	if r.Hosts == 0 {
		r.Hosts = simulate.DefaultHosts
	}
	var err error
	if r.Load, err = share("--load", c.Load); err != nil {
		return nil, err
	}
	notice, err := spanOption("--notice", c.Notice)
	if err != nil {
		return nil, err
	}
	r.Notice = workload.Milliseconds(notice)
	w, err := workload.Generate(r)
	if err != nil {
		return nil, usagef("", "%w", err)
	}
	return w, nil
}

// reading reads the options by which files are read.
func (c *simulateCmd) reading() (o workload.Options, err error) {
	if c.Scale < 1 {
		return o, usagef("", "--scale: %d is not a number of processors", c.Scale)
	}
	memory, err := parseMemory(c.LeaseMemory)
	if err != nil || memory > workload.MostMemoryMB {
		return o, usagef("", "--lease-memory: %q is not the memory of a node",
			clip(c.LeaseMemory))
	}
	from, err := spanOption("--from", c.From)
	if err != nil {
		return o, err
	}
	length, err := spanOption("--for", c.For)
	return workload.Options{
		Scale: c.Scale, MemoryMB: int32(memory),
		From: workload.Milliseconds(from), For: workload.Milliseconds(length),
	}, err
}

// inject adds the reservations of --inject.
func (c *simulateCmd) inject(w *workload.Workload, s simulate.Settings) error {
	if c.Inject == "" {
		return nil
	}
	words := strings.Split(c.Inject, ",")
	if len(words) != 3 {
		return usagef("", "--inject: %q is not such as 10%%,3h,medium", clip(c.Inject))
	}
	part, err := share("--inject", words[0])
	if err != nil {
		return err
	}
	length, err := spanOption("--inject", words[1])
	if err != nil {
		return err
	}
	notice, err := spanOption("--notice", c.Notice)
	if err != nil {
		return err
	}
	memory, err := parseMemory(c.LeaseMemory)
	if err != nil || memory > workload.MostMemoryMB {
		return usagef("", "--lease-memory: %q is not the memory of a node", clip(c.LeaseMemory))
	}
	hosts, err := s.Count(w)
	if err != nil {
		return usagef("", "%w", err)
	}
	j := workload.Injection{
		Share: part, Length: workload.Milliseconds(length), Seed: c.Seed,
		Notice: workload.Milliseconds(notice),
		Need:   workload.Node(int32(memory)),
	}
	if err = j.Nodes(words[2], hosts); err == nil {
		err = w.Inject(j, hosts)
	}
	if err != nil {
		return usagef("", "--inject: %w", err)
	}
	return nil
}

// kbps is how many kbit/s a Mbit/s is.
const kbps = 1000

// dress gives leases the images of --images.
func (c *simulateCmd) dress(w *workload.Workload) error {
	if c.Images == "" {
		return nil
	}
	size, rest, _ := strings.Cut(c.Images, ",")
	mb, err := parseMemory(size)
	if err != nil {
		return usagef("", "--images: %q is not a size, expected such as 4G", clip(size))
	}
	images, err := workload.ParseImages(mb, rest)
	if err != nil {
		return usagef("", "--images: %w", err)
	}
	images.Seed = c.Seed
	w.Dress(images)
	return nil
}

// mostLog bounds the text of a file: a decompressed one can be any size.
const mostLog = 1 << 30

// readLog reads a file, decompressed if it is compressed.
func readLog(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, err
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	text, err := io.ReadAll(io.LimitReader(z, mostLog+1))
	if err == nil && len(text) > mostLog {
		err = fmt.Errorf("more than %d bytes of text", mostLog)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return text, nil
}

// broken tells of lines that were left out, the first few one by one.
func (a *app) broken(name string, lines []workload.Broken) {
	const most = 10
	for i, b := range lines {
		if i == most {
			a.note("%s: %d more were left out", name, len(lines)-most)
			return
		}
		a.note("%s:%d: left out: %s", name, b.Line, b.Why)
	}
}

// save writes the file of --save.
func (c *simulateCmd) save(w *workload.Workload) error {
	if c.Save == "" {
		return nil
	}
	if err := os.WriteFile(c.Save, w.WriteLWF(), 0o644); err != nil {
		return failf(exitError, "", "cannot write the workload: %w", err)
	}
	return nil
}

// draw writes the file of --svg.
func (c *simulateCmd) draw(r *simulate.Result) error {
	if c.SVG == "" {
		return nil
	}
	drawings := r.Plots()
	if c.Gantt {
		drawings = append(drawings, r.Gantt(c.Rows))
	}
	text := chart.SVG(r.Measures.Workload, drawings...)
	if err := os.WriteFile(c.SVG, []byte(text), 0o644); err != nil {
		return failf(exitError, "", "cannot write the drawing: %w", err)
	}
	return nil
}
