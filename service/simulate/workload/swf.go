package workload

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// swfFields is how many fields a job of a log has.
const swfFields = 18

// The fields that are used, by their place (Chapin et al., Benchmarks and
// standards for the evaluation of parallel job schedulers, JSSPP 1999, as the
// Parallel Workloads Archive publishes version 2.2). Unknown is -1.
const (
	swfJob = iota
	swfSubmit
	_                 // wait time: what another scheduler did
	swfRun            // seconds
	swfAllocated      // processors
	_                 // CPU time
	swfUsedMemory     // KB for each processor
	swfRequested      // processors
	swfTime           // seconds asked for
	swfMemory         // KB for each processor
	swfStatus         // 5: cancelled
	swfUser           // number
	swfCancelled  = 5 // the status of a job that was cancelled
)

// SWF reads a log in Standard Workload Format. Each job is a best-effort lease
// that may be preempted, of nodes with one CPU. Jobs that never ran are
// skipped; lines that are wrong are left out and noted.
func SWF(data []byte, o Options) *Workload {
	w := &Workload{}
	scale := max(1, o.Scale)
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimSpace(strings.TrimPrefix(string(line), "\ufeff"))
		if text == "" {
			continue
		}
		if text[0] == ';' {
			w.header(text[1:], scale)
			continue
		}
		job, err := swfJobOf(text)
		if err != nil {
			w.broken(number, "%v", err)
			continue
		}
		if job[swfRun] < 0 || job.processors() <= 0 {
			w.Skipped++
			continue
		}
		r := job.request(scale, o.MemoryMB)
		if why := r.fault(); why != "" {
			w.broken(number, "job %d %s", r.Terms.ID, why)
			continue
		}
		w.Requests = append(w.Requests, r)
	}
	return w
}

// header takes the size of the machine from a comment, such as "MaxProcs: 1152".
func (w *Workload) header(text string, scale int) {
	key, value, ok := strings.Cut(text, ":")
	if !ok || strings.TrimSpace(key) != "MaxProcs" {
		return
	}
	words := strings.Fields(value)
	if len(words) == 0 {
		return
	}
	if n, err := strconv.Atoi(words[0]); err == nil && n >= scale && n/scale <= mostNodes {
		w.Site = []Hosts{{Count: n / scale}}
	}
}

// A swfLine is the fields of a job.
type swfLine [swfFields]float64

// swfJobOf reads the fields of a job.
func swfJobOf(text string) (job swfLine, err error) {
	words := strings.Fields(text)
	if len(words) != swfFields {
		return job, fmt.Errorf("%d fields, expected %d", len(words), swfFields)
	}
	for i, word := range words {
		n, err := strconv.ParseFloat(word, 64)
		if err != nil || math.IsNaN(n) || math.Abs(n) > mostTime/1000 {
			return job, fmt.Errorf("field %d is %q, not a number that a log can have", i+1,
				clip(word))
		}
		job[i] = n
	}
	return job, nil
}

// clip keeps a long word from flooding a message.
func clip(word string) string {
	const most = 32
	if len(word) <= most {
		return word
	}
	return strings.ToValidUTF8(word[:most], "") + "..."
}

// processors returns how many were asked for, or were given where that is not
// known.
func (j *swfLine) processors() float64 {
	if j[swfRequested] > 0 {
		return j[swfRequested]
	}
	return j[swfAllocated]
}

// request makes the lease of a job. A run time of 0 means less than a second
// and counts as one; a job that says nothing of the time it needs asked for
// what it took.
func (j *swfLine) request(scale int, memoryMB int32) Request {
	run := slot.Time(math.Round(max(j[swfRun], 1) * 1000))
	asked := run
	if j[swfTime] > 0 {
		asked = slot.Time(math.Round(j[swfTime] * 1000))
	}
	nodes := int(math.Min(math.Ceil(j.processors()/float64(scale)), mostNodes+1))
	need := slot.Amount{slot.CPU: WholeCPU, slot.Memory: j.memory(scale, memoryMB)}
	return Request{
		Real: run,
		Terms: book.Terms{
			ID: book.ID(j[swfJob]), Owner: strconv.FormatInt(int64(j[swfUser]), 10),
			Kind: book.BestEffort, Parts: []book.Part{{Nodes: nodes, Need: need}},
			Submitted: slot.Time(math.Round(j[swfSubmit] * 1000)), Duration: asked,
			Preemptible: true,
		},
	}
}

// memory returns the MB of a node: what the job asked for, else the default,
// which is 0 where the log is to be believed even when it tells nothing.
func (j *swfLine) memory(scale int, otherwise int32) int32 {
	if j[swfMemory] <= 0 {
		return otherwise
	}
	return int32(math.Min(math.Ceil(j[swfMemory]*float64(scale)/1024), mostAmount))
}
