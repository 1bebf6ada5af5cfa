package workload

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// The elements of a workload in Haizea's LWF (The Haizea Manual 1.0, appendix D).
type (
	lwfRequest struct {
		Arrival string   `xml:"arrival,attr"`
		Real    *lwfTime `xml:"realduration"`
		Lease   lwfLease `xml:"lease"`
	}
	lwfLease struct {
		ID          string    `xml:"id,attr"`
		User        string    `xml:"user,attr"`
		Preemptible string    `xml:"preemptible,attr"`
		Nodes       []lwfSet  `xml:"nodes>node-set"`
		Start       *lwfStart `xml:"start"`
		Duration    *lwfTime  `xml:"duration"`
		Deadline    *lwfTime  `xml:"deadline"`
		Image       *lwfImage `xml:"software>disk-image"`
	}
	lwfStart struct {
		Now   *struct{} `xml:"now"`
		Exact *lwfTime  `xml:"exact"`
	}
	lwfTime struct {
		Time string `xml:"time,attr"`
	}
	lwfImage struct {
		ID   string `xml:"id,attr"`
		Size string `xml:"size,attr"`
	}
	lwfSet struct {
		Nodes     string        `xml:"numnodes,attr"`
		Resources []lwfResource `xml:"res"`
	}
	lwfResource struct {
		Type      string        `xml:"type,attr"`
		Amount    string        `xml:"amount,attr"`
		Instances []lwfResource `xml:"instance"`
	}
	lwfSite struct {
		Sets []lwfSet `xml:"nodes>node-set"`
	}
)

// mostRestarts is how often reading begins anew after text that is no XML.
const mostRestarts = 1000

// LWF reads a workload in Haizea's LWF. Requests that are wrong are left out
// and noted by the line on which they begin; after text that is no XML reading
// goes on with the next request.
func LWF(data []byte) *Workload {
	w := &Workload{}
	line := 1
	for restarts := 0; ; restarts++ {
		read, good := w.document(data, line, restarts > 0)
		if good {
			return w
		}
		next := bytes.Index(data[read:], []byte("<lease-request "))
		if next < 0 {
			return w
		}
		line += bytes.Count(data[:read+next], []byte("\n"))
		data = data[read+next:]
		if restarts == mostRestarts {
			w.broken(line, "what follows was not read: too much of the file is no XML")
			return w
		}
	}
}

// document reads elements up to the end, or up to what is no XML: then it
// returns how far the text need not be looked at again. First is the number of
// its first line. Text that is read again ends with tags that it does not begin.
func (w *Workload) document(data []byte, first int, again bool) (read int, good bool) {
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		begin := int(d.InputOffset())
		row, _ := d.InputPos()
		token, err := d.Token()
		if err == nil {
			if start, ok := token.(xml.StartElement); ok {
				err = w.element(d, start, first+row-1)
			}
		}
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			if !again || !strings.HasPrefix(syntax.Msg, "unexpected end element") ||
				token != nil {
				w.broken(first+syntax.Line-1, "no XML: %s", syntax.Msg)
			}
			return min(begin+1, len(data)), false
		}
		if err != nil {
			return len(data), true // the end
		}
	}
}

// element reads a request or the site; what is around them is passed through.
func (w *Workload) element(d *xml.Decoder, start xml.StartElement, line int) error {
	switch start.Name.Local {
	case "lease-workload":
		for _, a := range start.Attr {
			if a.Name.Local == "name" {
				w.Name = a.Value
			}
		}
	case "site":
		var site lwfSite
		if err := d.DecodeElement(&site, &start); err != nil {
			return err
		}
		w.site(site, line)
	case "lease-request":
		var q lwfRequest
		if err := d.DecodeElement(&q, &start); err != nil {
			return err
		}
		r, err := q.request(len(w.Requests) + 1)
		if err != nil {
			w.broken(line, "%v", err)
		} else {
			w.Requests = append(w.Requests, r)
		}
	}
	return nil
}

// site takes the description of the pool.
func (w *Workload) site(site lwfSite, line int) {
	for _, set := range site.Sets {
		part, err := set.part()
		if err != nil {
			w.broken(line, "a site with %v", err)
			continue
		}
		w.Site = append(w.Site, Hosts{part.Nodes, part.Need})
	}
}

// request makes the lease of a lease-request; without a number it gets next.
func (q *lwfRequest) request(next int) (r Request, err error) {
	l := &q.Lease
	r.Terms.ID, r.Terms.Owner = book.ID(next), l.User
	if l.ID != "" {
		id, err := strconv.ParseInt(l.ID, 10, 64)
		if err != nil {
			return r, fmt.Errorf("a lease with the number %q", clip(l.ID))
		}
		r.Terms.ID = book.ID(id)
	}
	if r.Terms.Submitted, err = parseTime(q.Arrival); err != nil {
		return r, fmt.Errorf("lease %d has an arrival that is %w", r.Terms.ID, err)
	}
	if err := l.times(&r); err != nil {
		return r, fmt.Errorf("lease %d has %w", r.Terms.ID, err)
	}
	if q.Real != nil {
		if r.Real, err = parseTime(q.Real.Time); err != nil {
			return r, fmt.Errorf("lease %d has a real duration that is %w", r.Terms.ID, err)
		}
	}
	if err := l.wants(&r.Terms); err != nil {
		return r, fmt.Errorf("lease %d has %w", r.Terms.ID, err)
	}
	if why := r.fault(); why != "" {
		return r, fmt.Errorf("lease %d %s", r.Terms.ID, why)
	}
	return r, nil
}

// times takes the kind, the start, the duration and the deadline.
func (l *lwfLease) times(r *Request) (err error) {
	t := &r.Terms
	if l.Duration == nil {
		return errors.New("no duration")
	}
	if t.Duration, err = parseTime(l.Duration.Time); err != nil {
		return fmt.Errorf("a duration that is %w", err)
	}
	r.Real = t.Duration
	t.Kind = book.BestEffort
	switch {
	case l.Start != nil && l.Start.Now != nil:
		t.Kind = book.Immediate
	case l.Start != nil && l.Start.Exact != nil:
		t.Kind = book.Reservation
		if t.Start, err = parseTime(l.Start.Exact.Time); err != nil {
			return fmt.Errorf("a start that is %w", err)
		}
	}
	if l.Deadline != nil {
		t.Kind = book.Deadline
		if t.Deadline, err = parseTime(l.Deadline.Time); err != nil {
			return fmt.Errorf("a deadline that is %w", err)
		}
	}
	return nil
}

// wants takes what the lease needs beside time. A best-effort lease that says
// nothing of it may be preempted.
func (l *lwfLease) wants(t *book.Terms) error {
	switch strings.ToLower(l.Preemptible) {
	case "true":
		t.Preemptible = true
	case "false":
	case "":
		t.Preemptible = t.Kind == book.BestEffort
	default:
		return fmt.Errorf("preemptible=%q", clip(l.Preemptible))
	}
	for _, set := range l.Nodes {
		part, err := set.part()
		if err != nil {
			return err
		}
		t.Parts = append(t.Parts, part)
	}
	if l.Image != nil {
		size, err := amount(l.Image.Size)
		if err != nil {
			return fmt.Errorf("an image with a size that is %w", err)
		}
		t.Image = book.Image{Name: l.Image.ID, SizeMB: int64(size)}
	}
	return nil
}

// part reads a set of equal nodes.
func (s *lwfSet) part() (book.Part, error) {
	n, err := amount(s.Nodes)
	if err != nil || n == 0 || n > mostNodes {
		return book.Part{}, fmt.Errorf("%q nodes", clip(s.Nodes))
	}
	part := book.Part{Nodes: int(n)}
	for _, res := range s.Resources {
		kind, unit, ok := resource(res.Type)
		if !ok {
			return part, fmt.Errorf("a resource %q, which no host has", clip(res.Type))
		}
		all := res.Instances
		if len(all) == 0 {
			all = []lwfResource{res}
		}
		for _, one := range all {
			n, err := amount(one.Amount)
			if err != nil {
				return part, fmt.Errorf("an amount of %s that is %w", res.Type, err)
			}
			sum := int64(part.Need[kind]) + int64(n)*unit
			if sum > mostAmount {
				return part, fmt.Errorf("an amount of %s that no host has", res.Type)
			}
			part.Need[kind] = int32(sum)
		}
	}
	return part, nil
}

// resource returns a resource by Haizea's name and how many of our units one
// of Haizea's is: it counts networks in Mbit/s.
func resource(name string) (kind slot.Resource, unit int64, ok bool) {
	switch strings.ToLower(name) {
	case "cpu":
		return slot.CPU, 1, true
	case "memory":
		return slot.Memory, 1, true
	case "disk":
		return slot.Disk, 1, true
	case "net-in":
		return slot.NetIn, 1000, true
	case "net-out":
		return slot.NetOut, 1000, true
	}
	return 0, 0, false
}

// amount reads a count or an amount.
func amount(text string) (int32, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil || n < 0 || n > mostAmount {
		return 0, fmt.Errorf("%q, not a number that a workload can have", clip(text))
	}
	return int32(n), nil
}

// parseTime reads a length of time as Haizea writes it: [[DD:]HH:]MM:SS[.ss],
// or seconds alone.
func parseTime(text string) (slot.Time, error) {
	bad := fmt.Errorf("%q, not a time such as 01:30:00", clip(text))
	words := strings.Split(strings.TrimPrefix(strings.TrimSpace(text), "+"), ":")
	units := []float64{1, 60, 3600, 86400}
	if len(words) > len(units) {
		return 0, bad
	}
	sum := 0.0
	for i, word := range words {
		n, err := strconv.ParseFloat(word, 64)
		if err != nil || !(n >= 0) {
			return 0, bad
		}
		sum += n * units[len(words)-1-i]
	}
	if sum > mostTime/1000 {
		return 0, bad
	}
	return slot.Time(math.Round(sum * 1000)), nil
}
