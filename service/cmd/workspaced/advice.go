package main

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/fairshare"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/lease/quota"
	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/manager/account"
	"github.com/philoxenia/philoxenia/service/manager/agenda"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/manager/pace"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// An advice is what the scheduler is advised by: what owners may have and have
// used, and how long hosts take.
type advice struct {
	accounts *account.Keeper
	pace     *pace.Pace
}

// advise is what the configuration advises.
func advise(c *config.Config, pool *host.Pool, log *slog.Logger) *advice {
	return &advice{
		pace: pace.New(learned(&c.Scheduler), pool.Has, log), accounts: accounts(c),
	}
}

// options are those of the agenda.
func (a *advice) options(
	c *config.Config, pool *host.Pool, log *slog.Logger, interrupt func(workspace.ID),
) agenda.Options {
	fixed := windows(c)
	return agenda.Options{
		Policy: scheduling(c.Scheduler), Repository: int32(c.Scheduler.RepositoryKbps),
		Accepts: c.Site.Accepts, Reachable: pool.Reachable, Logger: log,
		Interrupt: interrupt,
		Boot: func(memoryMB int64) time.Duration {
			return a.pace.Expect(learn.Boot, "", memoryMB)
		},
		Shutdown: func(memoryMB int64) time.Duration {
			return a.pace.Expect(learn.Shutdown, "", memoryMB)
		},
		Rates: func(id workspace.HostID) book.Rates {
			return book.Rates{
				Suspend: a.pace.Rate(learn.Suspend, id), Resume: a.pace.Rate(learn.Resume, id),
				Migrate: a.pace.Rate(learn.Migrate, id),
			}
		},
		Transfer: a.transfer, Behind: a.accounts.Behind,
		Fixed: func(id workspace.HostID) []workspace.Window { return fixed[id] },
	}
}

// kbits are those of a MB.
const kbits = 8000

// transfer is how fast an image comes to a host, in kbit/s; 0: it takes no time
// that could be seen.
func (a *advice) transfer() int32 {
	return int32(min(a.pace.Rate(learn.Transfer, "")*kbits, math.MaxInt32))
}

// upkeep is what is noted for it while changes are carried out.
func (a *advice) upkeep(c *config.Config) manager.Upkeep {
	return manager.Upkeep{
		Charge: time.Duration(c.Site.ChargeGranularity), Accounts: a.accounts,
	}
}

// learned is what is planned with until hosts have shown how long they take.
func learned(s *config.Scheduler) learn.Policy {
	return learn.Policy{
		Times: map[learn.What]time.Duration{
			learn.Boot: time.Duration(s.Boot), learn.Shutdown: time.Duration(s.Shutdown),
		},
		Rates: map[learn.What]int64{
			learn.Suspend: s.SuspendRate, learn.Resume: s.ResumeRate, learn.Migrate: s.MigrateRate,
			learn.Transfer: s.TransferKbps / kbits,
		},
		Margin: s.Margin,
	}
}

// accounts are the quotas and shares of the configuration.
func accounts(c *config.Config) *account.Keeper {
	k := &account.Keeper{Share: fairshare.Policy{
		HalfLife: time.Duration(c.FairShare.HalfLife), Weight: time.Duration(c.FairShare.Weight),
		Share: func(owner workspace.Owner) int64 {
			for _, s := range c.FairShare.Shares {
				if quota.Match(s.Owner, owner) {
					return s.Weight
				}
			}
			return 1
		},
	}}
	for _, q := range c.Quotas {
		k.Quotas = append(k.Quotas, quotaRule(q))
	}
	return k
}

// quotaRule is one quota in the words of its package.
func quotaRule(q config.Quota) quota.Rule {
	r := quota.Rule{Pattern: q.Owner + q.Group, Together: q.Group != ""}
	limit := func(of quota.Resource, most *int64) {
		if most != nil {
			r.Limits = append(r.Limits, quota.Limit{Of: of, Most: *most})
		}
	}
	limit(quota.Workspaces, q.Workspaces)
	limit(quota.CPUs, q.CPUs)
	limit(quota.MemoryMB, q.MemoryMB)
	limit(quota.CPUTime, millis(q.CPUTime))
	limit(quota.LongestRun, millis(q.LongestRun))
	return r
}

// millis is a time in milliseconds; nil, for none.
func millis(d *config.Duration) *int64 {
	if d == nil {
		return nil
	}
	ms := time.Duration(*d).Milliseconds()
	return &ms
}

// windows are those of the configuration, by host.
func windows(c *config.Config) map[workspace.HostID][]workspace.Window {
	all := map[workspace.HostID][]workspace.Window{}
	for _, h := range c.Hosts {
		for _, w := range h.Windows {
			for _, id := range h.IDs() {
				all[workspace.HostID(id)] = append(all[workspace.HostID(id)], w.Window())
			}
		}
	}
	return all
}

// known looks once which of the images that leases are made of hosts have.
func known(ctx context.Context, store workspace.BookingReader, images *image.Images) error {
	all, err := store.Bookings(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{"": true}
	for _, b := range all {
		if seen[b.Image] {
			continue
		}
		seen[b.Image] = true
		if info, err := images.Check(ctx, b.Image); err == nil {
			images.Survey(ctx, b.Image, info)
		}
	}
	<-ctx.Done()
	return nil
}
