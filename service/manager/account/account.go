// Package account holds owners to their quotas and keeps what they used: who
// used more than its share of late stands back in the queue.
//
// It must not know how a request is written, nor which hosts there are.
package account

import (
	"time"

	"github.com/philoxenia/philoxenia/service/lease/fairshare"
	"github.com/philoxenia/philoxenia/service/lease/quota"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Keeper keeps the accounts. The zero Keeper, and a nil one, allows everything
// and lets nobody stand back. It is safe for concurrent use.
type Keeper struct {
	Quotas []quota.Rule
	Share  fairshare.Policy
}

// Asked is what so many nodes of such demands hold for a running time.
func Asked(parts []workspace.Part, running time.Duration) quota.Amounts {
	var a quota.Amounts
	for _, p := range parts {
		n := int64(p.Nodes)
		a[quota.Workspaces] += n
		a[quota.CPUs] += n * p.Demand.CPUs
		a[quota.MemoryMB] += n * p.Demand.MemoryMB
	}
	a[quota.LongestRun] = running.Milliseconds()
	a[quota.CPUTime] = a[quota.CPUs] * a[quota.LongestRun]
	return a
}

// Admit refuses (kind Quota, with a *quota.Breach) what the owner may not have
// beside what is held. A negative amount is one that is given back.
func (k *Keeper) Admit(tx workspace.Tx, owner workspace.Owner, more quota.Amounts) error {
	if k == nil || len(k.Quotas) == 0 {
		return nil
	}
	held := held{tx, k, time.Now()}
	if b := quota.Check(k.Quotas, owner, more, held); b != nil {
		return &workspace.Error{Kind: workspace.Quota, Err: b}
	}
	return nil
}

// held reads holdings in a transaction: what was used of late counts with them.
type held struct {
	tx     workspace.Tx
	keeper *Keeper
	now    time.Time
}

// Of implements quota.Holdings.
func (h held) Of(owner workspace.Owner) quota.Amounts {
	return h.add(amounts(h.tx.Held(owner)), h.tx.Account(owner))
}

// Like implements quota.Holdings.
func (h held) Like(pattern string) quota.Amounts {
	var sum quota.Amounts
	h.tx.Holdings(func(owner workspace.Owner, has workspace.Holding) {
		if quota.Match(pattern, owner) {
			sum = sum.Plus(amounts(has))
		}
	})
	h.tx.Accounts(func(owner workspace.Owner, a workspace.Account) {
		if quota.Match(pattern, owner) {
			sum = h.add(sum, a)
		}
	})
	return sum
}

// add adds what still counts of the account.
func (h held) add(to quota.Amounts, a workspace.Account) quota.Amounts {
	left := h.keeper.Share.Left(fairshare.Usage{Amount: a.CPUTime, At: a.At}, h.now)
	to[quota.CPUTime] += left.Milliseconds()
	return to
}

func amounts(h workspace.Holding) quota.Amounts {
	var a quota.Amounts
	a[quota.Workspaces], a[quota.CPUs] = h.Workspaces, h.CPUs
	a[quota.MemoryMB], a[quota.CPUTime] = h.MemoryMB, h.CPUTime.Milliseconds()
	return a
}

// Charge puts the running time of a workspace that is no more on its owner's
// account.
func (k *Keeper) Charge(tx workspace.Tx, w *workspace.Workspace, ran time.Duration) error {
	if k == nil || ran <= 0 {
		return nil
	}
	was := tx.Account(w.Owner)
	used := time.Duration(w.Demand.CPUs) * ran
	now := time.Now().UTC().Truncate(time.Millisecond)
	u := k.Share.Add(fairshare.Usage{Amount: was.CPUTime, At: was.At}, used, now)
	return tx.PutAccount(w.Owner, workspace.Account{CPUTime: u.Amount, At: u.At})
}

// Behind returns how far back in the queue owners stand at a time, by what
// their accounts say and what their leases have used so far.
func (k *Keeper) Behind(tx workspace.Tx, now time.Time) map[workspace.Owner]time.Duration {
	if k == nil || k.Share.Weight <= 0 {
		return nil
	}
	used := map[workspace.Owner]time.Duration{}
	tx.Accounts(func(owner workspace.Owner, a workspace.Account) {
		used[owner] += k.Share.Left(fairshare.Usage{Amount: a.CPUTime, At: a.At}, now)
	})
	for _, b := range tx.AllBookings() {
		used[b.Owner] += sofar(b, now)
	}
	return k.Share.Behind(used)
}

// sofar is what a lease has used: processors times time.
func sofar(b *workspace.Booking, now time.Time) time.Duration {
	ran := b.Ran
	if !b.Since.IsZero() && now.After(b.Since) {
		ran += now.Sub(b.Since)
	}
	var cpus int64
	for _, p := range b.Parts {
		cpus += int64(p.Nodes) * p.Demand.CPUs
	}
	return time.Duration(cpus) * ran
}
