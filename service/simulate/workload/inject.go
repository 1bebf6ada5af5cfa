package workload

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// An Injection is reservations to be put among the requests of a workload, as
// in Sotomayor, Keahey and Foster, Combining batch execution and leasing using
// virtual machines, HPDC 2008, section 5: rho is the share of the pool, delta
// the duration, nu the number of nodes.
type Injection struct {
	Share       float64   // of the pool's hosts over the time of the workload
	Length      slot.Time // the mean; drawn from half an hour around it
	Least, Most int       // nodes
	Notice      slot.Time // how long before their start they arrive
	Need        slot.Amount
	Image       book.Image
	Seed        uint64
}

// Nodes sets the range of nodes by a word for a pool of so many hosts, small
// for up to a sixth of them, medium up to a third, large up to half, or by
// numbers such as 4 or 8-16.
func (j *Injection) Nodes(text string, hosts int) error {
	step := max(1, hosts/6)
	switch text {
	case "small":
		j.Least, j.Most = 1, step
	case "medium":
		j.Least, j.Most = step+1, 2*step
	case "large":
		j.Least, j.Most = 2*step+1, 3*step
	default:
		low, high, ranged := strings.Cut(text, "-")
		if !ranged {
			high = low
		}
		var err, err2 error
		j.Least, err = strconv.Atoi(low)
		j.Most, err2 = strconv.Atoi(high)
		if err != nil || err2 != nil {
			return fmt.Errorf("%q is not small, medium, large or numbers of nodes such as 8-16",
				clip(text))
		}
	}
	if j.Least < 1 || j.Most < j.Least || j.Most > mostNodes {
		return fmt.Errorf("%q is no range of nodes", clip(text))
	}
	return nil
}

// Inject puts the reservations into the time from the first arrival to the
// last. Their intervals are drawn from an hour around the one that gives the
// share, or from all up to twice it where that is shorter.
func (w *Workload) Inject(j Injection, hosts int) error {
	if !(j.Share > 0 && j.Share <= 1) || j.Length <= 0 || hosts < 1 {
		return fmt.Errorf("cannot inject reservations for a share of %g of the time of %d hosts",
			j.Share, hosts)
	}
	if len(w.Requests) == 0 {
		return nil
	}
	d := &draws{j.Seed}
	more := &Workload{}
	end := w.Requests[len(w.Requests)-1].Terms.Submitted
	mean := float64(j.Least+j.Most) / 2 * float64(j.Length) / (j.Share * float64(hosts))
	around := min(mean, float64(Hour))
	for at := d.part() * mean; slot.Time(at) <= end; {
		start := slot.Time(at) / Second * Second
		half := min(float64(j.Length), float64(Hour/2))
		length := slot.Time(float64(j.Length)+d.between(-half, half))/Second*Second + Second
		more.Requests = append(more.Requests, Request{Real: length, Terms: book.Terms{
			ID: book.ID(len(more.Requests) + 1), Owner: "reservations", Kind: book.Reservation,
			Parts:     []book.Part{{Nodes: d.pick(j.Least, j.Most), Need: j.Need}},
			Image:     j.Image,
			Submitted: max(0, start-j.Notice), Start: start, Duration: length,
		}})
		at += max(float64(Second), d.between(mean-around, mean+around))
		if len(more.Requests) > mostNodes {
			return fmt.Errorf("cannot inject more than %d reservations", mostNodes)
		}
	}
	w.Join(more)
	return nil
}
