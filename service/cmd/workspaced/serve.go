package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/console"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/manager/agenda"
	"github.com/philoxenia/philoxenia/service/manager/consoles"
	"github.com/philoxenia/philoxenia/service/manager/expire"
	"github.com/philoxenia/philoxenia/service/manager/fleet"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/notify"
	"github.com/philoxenia/philoxenia/service/port/message"
	"github.com/philoxenia/philoxenia/service/port/ws"
	"github.com/philoxenia/philoxenia/service/run"
	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// farewell is how long requests under way may take to end at a stop.
const farewell = 5 * time.Second

// serve opens everything in the order in which it leans on each other, says
// that it listens, and runs until ctx ends.
func serve(
	ctx context.Context, c *config.Config, f *flags, say io.Writer, log *slog.Logger,
) error {
	if err := prepare(c, f.Demo); err != nil {
		return err
	}
	script, err := readScript(f.SimScript)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen.Address)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	defer listener.Close()
	d := &daemon{}
	if err := d.remember(ctx, c, log); err != nil {
		return err
	}
	defer d.close(log)
	if err := d.reach(ctx, c, script, log); err != nil {
		return err
	}
	if err := d.assemble(ctx, c, placeOf(c, listener), log); err != nil {
		return err
	}
	if err := d.overview.short(ctx, "starting"); err != nil {
		return err
	}
	open := door(listener, d.front(), d.handler.StopWaiting, d.desk.Stop)
	parts := append(d.parts, run.Part{Name: "http", Run: open})
	if f.Pprof != "" {
		parts = append(parts, run.Part{Name: "pprof", Run: profiles(f.Pprof)})
	}
	fmt.Fprintf(say, "listening on http://%s\n", listener.Addr())
	return run.All(ctx, parts...)
}

// A place is where the service is reached, and which addresses it may reach.
type place struct {
	url   string // without a final slash
	guard notify.Guard
}

func placeOf(c *config.Config, l net.Listener) place {
	p := place{url: c.Listen.PublicURL, guard: guard(c)}
	if p.url == "" {
		p.url = "http://" + l.Addr().String()
	}
	_, public, _ := strings.Cut(p.url, "://")
	for _, own := range []string{l.Addr().String(), public} {
		if at, err := netip.ParseAddrPort(own); err == nil { // a name is not resolved
			p.guard.Own = append(p.guard.Own, at)
		}
	}
	return p
}

// A daemon is the assembled service: parts in starting order, and its door.
type daemon struct {
	store    *sqlite.Store
	hosts    *opener
	engine   *change.Engine
	notifier *notify.Notifier
	fleet    *fleet.Fleet
	parts    []run.Part
	handler  *dispatch.Handler
	desk     *console.Desk
	overview overview
}

// front is what the service is reached by: documents, and the connections that they
// arrange.
func (d *daemon) front() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", d.handler)
	mux.Handle(console.Path, d.desk)
	return mux
}

func (d *daemon) close(log *slog.Logger) {
	if d.fleet != nil {
		d.fleet.Close()
	}
	if d.hosts != nil {
		d.hosts.close()
	}
	if err := d.store.Close(); err != nil {
		log.Error("cannot close the record", "error", err)
	}
}

// remember opens the record. What it tells of is heard once all is assembled:
// before that nothing is written that anybody would be told of.
func (d *daemon) remember(ctx context.Context, c *config.Config, log *slog.Logger) (err error) {
	d.store, err = sqlite.Open(ctx, sqlite.Options{
		Wants: message.NewFilter(ws.Properties).Wants, PullCapacity: c.Notify.PullCapacity,
		Path: filepath.Join(c.Data, "record.db"), Hosts: hosts(c), Networks: networks(c),
		OnChanges:  func(all []*workspace.Change) { d.engine.Offer(all) },
		OnMessages: func(all []workspace.SubscriptionID) { d.notifier.Tell(all) },
		Logger:     log,
	})
	return err
}

// reach opens the hosts of the configuration and of the record.
func (d *daemon) reach(
	ctx context.Context, c *config.Config, script string, log *slog.Logger,
) error {
	records, err := d.store.HostRecords(ctx)
	if err == nil {
		d.hosts, err = nodes(ctx, c, records, script, log)
	}
	return err
}

// keepHosts makes what lets hosts come and go.
func (d *daemon) keepHosts(c *config.Config, scheduler *agenda.Agenda, log *slog.Logger) {
	d.fleet = fleet.New(fleet.Options{
		Store: d.store, Pool: d.hosts.pool, Agenda: scheduler, Open: d.hosts.node,
		Configured:   func(id workspace.HostID) string { return standsIn(c, id) },
		Twin:         twin(c),
		Operators:    policy(c, d.hosts.pool).Operators,
		Repositories: repositories(c),
		Interrupt:    func(id workspace.ID) { d.engine.Interrupt(id) }, Logger: log,
	})
}

// assemble joins the implementations.
func (d *daemon) assemble(
	ctx context.Context, c *config.Config, at place, log *slog.Logger,
) error {
	store, pool := d.store, d.hosts.pool
	transports, err := transports(c)
	if err != nil {
		return err
	}
	advice := advise(c, pool, log)
	var scheduler *agenda.Agenda
	moving := moves(c, log)
	moving.Pool, moving.Transports, moving.Took = pool, transports, advice.pace.Took
	moving.Kept = func(h image.Held) { scheduler.Kept(h.Host, h.Location, h.SizeMB, h.There) }
	images := image.New(moving)
	links, unlinked := links(c, store, pool, log)
	machines := advice.machines(c, pool, images, links)
	stock, err := library(c, store, images, moving)
	if err = errors.Join(err, unlinked, advice.pace.Load(ctx, store)); err != nil {
		return err
	}
	interrupt := func(id workspace.ID) { d.engine.Interrupt(id) }
	scheduler = agenda.New(advice.options(c, pool, log, interrupt))
	herald := manager.NewHerald(store, log)
	d.engine = change.New(store, manager.Plans(images, machines, scheduler, advice.upkeep(c)),
		change.Options{Concurrency: c.Site.Concurrency, Logger: log,
			Progressed: herald.Progressed})
	d.notifier = notifies(c, store, at, log)
	m := manager.New(manager.Options{
		Store: store, Policy: policy(c, pool), Images: images, Work: d.engine,
		Reachable: pool.Reachable, Reading: pool.Reading,
		Agenda: scheduler, Accounts: advice.accounts,
		Library:   stock,
		Snapshots: pool.Snapshots,
		Reach:     machines,
	})
	d.keepHosts(c, scheduler, log)
	d.desk = console.NewDesk(m.Connect, log)
	d.handler, err = answers(c, services(core{m, d.fleet, stock, d.desk}, at.guard), at, log)
	if err != nil {
		return err
	}
	watcher := host.NewWatcher(host.WatcherOptions{
		Store: store, Pool: pool, Grace: time.Duration(c.Site.HostGrace),
		Rehost: scheduler.Rehost, Mend: links.Mend, Logger: log,
	})
	sweeper := expire.New(store, m, log)
	d.overview = overview{store, d.engine, pool, log}
	d.parts = []run.Part{
		{Name: "engine", Run: d.engine.Run}, {Name: "notify", Run: d.notifier.Run},
		{Name: "herald", Run: herald.Run},
		{Name: "agenda", Run: func(ctx context.Context) error { return scheduler.Run(ctx, store) }},
		{Name: "images", Run: func(ctx context.Context) error { return known(ctx, store, images) }},
		{Name: "pace", Run: func(ctx context.Context) error { return advice.pace.Run(ctx, store) }},
		{Name: "library", Run: stock.Run}, {Name: "watch", Run: watcher.Run},
		{Name: "expire", Run: sweeper.Run}, {Name: "overview", Run: d.overview.Run},
		{Name: "consoles", Run: logs(c, pool, log).Run},
	}
	return asked(ctx, store, pool)
}

// machines are what brings guests up on the hosts.
func (a *advice) machines(
	c *config.Config, pool *host.Pool, images *image.Images, links vmm.Links,
) *vmm.VMM {
	return vmm.New(vmm.Options{
		Pool: pool, Boot: images.Boot, Patience: time.Duration(c.Site.ShutdownPatience),
		Took: a.pace.Took, Links: links, Seeds: seeds(c),
	})
}

// logs keeps what guests say on their serial lines within bounds.
func logs(c *config.Config, pool *host.Pool, log *slog.Logger) *consoles.Keeper {
	return consoles.New(consoles.Options{Pool: pool, MostMB: c.Site.ConsoleLogMB, Logger: log})
}

// moves is what the configuration says of how images move.
func moves(c *config.Config, log *slog.Logger) image.Options {
	var link int64
	if c.Scheduler.LimitTransfers {
		link = c.Scheduler.RepositoryKbps
	}
	return image.Options{
		LinkKbps: link, Kernels: kernels(c), Logger: log, Extra: seeds(c).Files,
		Spool: spoolDir(c), SpoolMB: c.Site.SpoolMB, OnlySummed: c.Scheduler.CacheSummedOnly,
	}
}

// answers makes what answers requests.
func answers(
	c *config.Config, services []dispatch.Service, at place, log *slog.Logger,
) (*dispatch.Handler, error) {
	return dispatch.New(dispatch.Options{
		Services: services, Authenticator: authn.Fixed(c.Listen.Caller),
		URL: at.url, Logger: log, Replier: replier(c, at.guard),
	})
}

// notifies delivers what is in the record's outbox.
func notifies(
	c *config.Config, store *sqlite.Store, at place, log *slog.Logger,
) *notify.Notifier {
	return notify.New(store, notify.Options{
		Formats: message.Formats(at.url), Guard: at.guard, Logger: log,
		Timeout: time.Duration(c.Notify.Timeout), GiveUp: time.Duration(c.Notify.GiveUp),
		PauseAfter: time.Duration(c.Notify.PauseAfter),
	})
}

// guard says which consumers may be notified.
func guard(c *config.Config) notify.Guard {
	var g notify.Guard
	if c.Notify.AllowLoopback {
		g.Allow = notify.Loopback()
	}
	for _, prefix := range c.Notify.Allow {
		g.Allow = append(g.Allow, netip.MustParsePrefix(prefix))
	}
	return g
}

// policy is the site's part of the configuration in the manager's words.
func policy(c *config.Config, pool *host.Pool) manager.Policy {
	s := c.Site
	p := manager.Policy{
		DefaultDuration: time.Duration(s.DefaultDuration),
		MaximumDuration: time.Duration(s.MaximumDuration),
		Grace:           time.Duration(s.Grace), MaximumNodes: s.MaximumNodes,
		DefaultCPUs: s.DefaultCPUs, Architectures: s.Architectures,
		AdvertisedVMM: workspace.VMM{
			Type: s.AdvertisedVMM, Versions: []string{s.AdvertisedVersion},
		},
		Accepts: s.Accepts, KernelParameters: s.KernelParameters,
		ChargeGranularity: time.Duration(s.ChargeGranularity), StatusDetails: s.StatusDetails,
		HideCharge: s.HideCharge, Brought: brought(c), Warn: time.Duration(s.Warn),
		Overlay:       overlay(c, pool),
		ForwardPorts:  s.ForwardPorts,
		Subscriptions: c.Notify.Subscriptions, PullPoints: c.Notify.PullPoints,
	}
	for _, name := range s.Operators {
		p.Operators = append(p.Operators, workspace.Owner(name))
	}
	for _, n := range c.Networks {
		p.Associations = append(p.Associations, n.Name)
	}
	return p
}

// door returns the part that answers requests. At its end it takes no new ones and
// calls stops, which end what would go on.
func door(
	listener net.Listener, handler http.Handler, stops ...func(),
) func(context.Context) error {
	return func(ctx context.Context) error {
		limits := dispatch.DefaultLimits()
		server := dispatch.NewServer(handler, limits)
		for _, stop := range stops {
			server.RegisterOnShutdown(stop)
		}
		served := make(chan error, 1)
		go func() { served <- server.Serve(dispatch.NewListener(listener, limits)) }()
		select {
		case err := <-served:
			return err
		case <-ctx.Done():
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		err := server.Shutdown(last)
		<-served
		if errors.Is(err, context.DeadlineExceeded) {
			return server.Close()
		}
		return err
	}
}

// profiles returns the part that serves pprof, on loopback alone.
func profiles(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		ip, err := netip.ParseAddrPort(address)
		if err != nil || !ip.Addr().IsLoopback() {
			return fmt.Errorf("%q is not a loopback ADDRESS:PORT", address)
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		mux := http.NewServeMux()
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		return door(listener, mux)(ctx)
	}
}

// prepare makes the directories, and for a demonstration the image that its
// documents name.
func prepare(c *config.Config, demo bool) error {
	for _, dir := range []string{c.Data, c.Repositories.File.Dir} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return fmt.Errorf("cannot make a directory: %w", err)
		}
	}
	if err := image.CleanSpool(spoolDir(c)); err != nil || !demo {
		return err
	}
	ttylinux := filepath.Join(c.Repositories.File.Dir, "ttylinux-xen")
	if _, err := os.Stat(ttylinux); err == nil {
		return nil
	}
	return os.WriteFile(ttylinux, make([]byte, 4096), 0o644)
}

// spoolDir is where files are on their way between other machines.
func spoolDir(c *config.Config) string { return filepath.Join(c.Data, "spool") }

func readScript(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot read the script: %w", err)
	}
	return string(data), nil
}
