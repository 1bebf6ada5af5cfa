package workload

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// textFields is how many fields a lease of Haizea's first format has.
const textFields = 10

// The fields of Haizea's first format: seconds, counts, MB, names.
const (
	textArrival = iota
	textStart   // -1: best effort
	textAsked
	textReal
	textNodes
	textCPU // 1: a whole one
	textMemory
	textDisk
	textImage
	textImageMB
)

// TextLWF reads the workload format that Haizea had before 2009, one lease a
// line, in which the reservations of its experiments are published.
func TextLWF(data []byte) *Workload {
	w := &Workload{}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' {
			continue
		}
		words := strings.Fields(text)
		if len(words) != textFields {
			w.broken(number, "%d fields, expected %d", len(words), textFields)
			continue
		}
		var n [textFields]int64
		wrong := -1
		for i, word := range words {
			if i == textImage {
				continue
			}
			var err error
			if n[i], err = strconv.ParseInt(word, 10, 64); err != nil ||
				n[i] < -1 || n[i] > mostAmount {
				wrong = i
				break
			}
		}
		if wrong >= 0 {
			w.broken(number, "field %d is %q, not a number that a workload can have", wrong+1,
				clip(words[wrong]))
			continue
		}
		r := textLease(&n, strings.Trim(words[textImage], "'\""))
		r.Terms.ID = book.ID(len(w.Requests) + 1)
		if why := r.fault(); why != "" {
			w.broken(number, "a lease that %s", why)
			continue
		}
		w.Requests = append(w.Requests, r)
	}
	return w
}

// textLease makes the lease of a line.
func textLease(n *[textFields]int64, image string) Request {
	need := slot.Amount{
		slot.CPU:    int32(min(max(n[textCPU], 0)*WholeCPU, mostAmount)),
		slot.Memory: int32(max(n[textMemory], 0)), slot.Disk: int32(max(n[textDisk], 0)),
	}
	r := Request{
		Real: slot.Time(n[textReal]) * Second,
		Terms: book.Terms{
			Kind: book.BestEffort, Preemptible: true,
			Parts:     []book.Part{{Nodes: int(n[textNodes]), Need: need}},
			Image:     book.Image{Name: image, SizeMB: max(n[textImageMB], 0)},
			Submitted: slot.Time(n[textArrival]) * Second,
			Duration:  slot.Time(n[textAsked]) * Second,
		},
	}
	if n[textStart] >= 0 {
		r.Terms.Kind, r.Terms.Preemptible = book.Reservation, false
		r.Terms.Start = slot.Time(n[textStart]) * Second
	}
	return r
}
