// Command workspaced is the daemon: it leases workspaces on a pool of hosts
// and serves them to SOAP clients. This package is the one place where the
// implementations are joined; it holds no logic of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/philoxenia/philoxenia/service/config"
)

// version is set by the linker.
var version = "devel"

// flags is the command line.
type flags struct {
	Config    string           `short:"c" placeholder:"FILE" help:"Configuration file (TOML)."`
	Demo      bool             `help:"Serve a simulated pool on loopback, with a fixed caller."`
	Listen    string           `placeholder:"HOST:PORT" help:"Where to serve; port 0 takes a free one."`
	Data      string           `placeholder:"DIR" help:"Directory of everything the daemon keeps."`
	Check     bool             `help:"Check the configuration and exit."`
	Pprof     string           `placeholder:"HOST:PORT" help:"Serve profiles on this loopback."`
	SimScript string           `placeholder:"FILE" help:"Faults and latencies of simulated hosts."`
	LogLevel  slog.Level       `default:"INFO" help:"DEBUG, INFO, WARN or ERROR."`
	Version   kong.VersionFlag `help:"Print the version and exit."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("workspaced"),
		kong.Description("Lease virtual machines and clusters through web-service standards."),
		kong.Vars{"version": version})
	if err := start(&f); err != nil {
		fmt.Fprintln(os.Stderr, "workspaced:", err)
		os.Exit(1)
	}
}

// start runs the daemon until SIGTERM or SIGINT.
func start(f *flags) error {
	c, cleanup, err := f.config()
	if err != nil {
		return err
	}
	defer cleanup()
	if f.Check {
		return look(os.Stdout, os.Stderr, c)
	}
	tuneMemory()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: f.LogLevel}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal does not wait for a clean end
	return serve(ctx, c, f, os.Stdout, log)
}

// config returns the configuration that the flags ask for. A demonstration
// without a data directory gets a fresh one, which cleanup removes.
func (f *flags) config() (c *config.Config, cleanup func(), err error) {
	cleanup = func() {}
	if f.Data != "" {
		if f.Data, err = filepath.Abs(f.Data); err != nil {
			return nil, nil, fmt.Errorf("cannot use the data directory: %w", err)
		}
	}
	switch {
	case f.Demo && f.Config != "":
		return nil, nil, errors.New("--demo and --config exclude each other")
	case f.Config != "":
		c, err = config.Load(f.Config, config.Overrides{Data: f.Data, Address: f.Listen})
		return c, cleanup, err
	case !f.Demo:
		return nil, nil, errors.New("nothing to serve: give --config FILE, or --demo to try it out")
	}
	if f.Data == "" && !f.Check {
		f.Data, err = os.MkdirTemp("", "philoxenia-demo-")
		if err != nil {
			return nil, nil, fmt.Errorf("cannot make a data directory: %w", err)
		}
		cleanup = func() { os.RemoveAll(f.Data) }
	}
	c = config.Demo(f.Data)
	if f.Listen != "" {
		c.Listen.Address = f.Listen
	}
	return c, cleanup, c.Check()
}

// tuneMemory weighs the resident size against the cost of requests: collecting
// at 60 % took a tenth more of the processor for each, at 100 % five MiB more.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(80)
	}
}
