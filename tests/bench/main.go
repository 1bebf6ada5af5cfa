// Command bench measures the built workspaced from outside and prints a table:
// processor time per operation, rates, memory and time to the first answer,
// each as the median of several runs beside its target and beside a bare
// net/http handler that returns the same bytes in the same run.
//
// It must not know the service's code: it starts the real program with durable
// storage and replays recorded requests over loopback. The scheduler alone is
// asked directly, by the scene leases, beside the published figures of Haizea
// 1.1 for requests of the same shape. It asserts nothing, so
// that a slow machine fails no test; what missed its target says so.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Options of a measurement.
type options struct {
	bin   string
	dir   string
	runs  int
	small int // workspaces of the first scene
	large int // workspaces of the second scene
	reads int // GetResourceProperty calls of a run
	batch int // destroys and creates of a run among the many
	real  bool
	only  string // the one scene to play; empty: all
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "directory with the built programs")
	flag.StringVar(&o.dir, "dir", "dist", "directory for data; on a disk, or durability is free")
	flag.IntVar(&o.runs, "runs", 5, "runs of which the median is taken")
	flag.IntVar(&o.small, "few", 1000, "workspaces of the first scene")
	flag.IntVar(&o.large, "many", 10000, "workspaces of the second scene")
	flag.IntVar(&o.reads, "reads", 20000, "GetResourceProperty calls in a run")
	flag.IntVar(&o.batch, "batch", 1000, "destroys in a run among the many workspaces")
	flag.BoolVar(&o.real, "real", true, "also measure with libvirtd and sshd (root, make setup)")
	flag.StringVar(&o.only, "only", "",
		"play one scene: leases, few, told, many, profile, real or transfer")
	bare := flag.String("bare", "", "serve the replies in this directory, nothing else")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := start(ctx, o, *bare); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, o options, bare string) error {
	if bare != "" {
		return serveBare(ctx, bare)
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return measure(ctx, o, dir)
}

// measure plays the scenes and prints the table.
func measure(ctx context.Context, o options, dir string) error {
	t, plans := newTable("bare handler"), newTable("Haizea 1.1")
	s := scene{dir: dir, table: t, samples: &replies{}}
	top := ""
	parts := []struct {
		name  string
		times int
		play  func(scene) error
	}{
		{"leases", 1, func(s scene) error { s.table = plans; return leases(ctx, o, s) }},
		{"few", o.runs, func(s scene) error { return few(ctx, o, s) }},
		{"told", o.runs, func(s scene) error { return told(ctx, o, s) }},
		{"many", 1, func(s scene) error { return many(ctx, o, s) }},
		{"bare", 1, func(s scene) error { return bareRuns(ctx, o, s) }},
		{"profile", 1, func(scene) (err error) { top, err = profile(ctx, o, dir); return err }},
		{"real", 1, func(scene) error { return realParts(ctx, t, realScene) }},
		{"transfer", 1, func(scene) error { return realParts(ctx, t, transferScene) }},
	}
	for _, p := range parts {
		real := p.name == "real" || p.name == "transfer"
		if o.only != "" && o.only != p.name || real && !o.real {
			continue
		}
		for s.run = range p.times {
			fmt.Fprintf(os.Stderr, "%s: %d of %d\n", p.name, s.run+1, p.times)
			if err := p.play(s); err != nil {
				return err
			}
		}
	}
	t.print(os.Stdout)
	plans.print(os.Stdout)
	if top == "" {
		return nil
	}
	fmt.Printf("\nWhere the processor time goes, create, read and destroy with 8 clients:\n%s", top)
	return nil
}
