package transfer

import (
	"io"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// How often a Meter speaks: after so many bytes, or so much time.
const (
	meterBytes    = 1 << 20
	meterInterval = 100 * time.Millisecond
)

// Meter tells a Progress how far a transfer is: often enough to look alive, seldom
// enough to cost nothing. What it tells never goes back.
type Meter struct {
	report workspace.Progress
	total  int64
	told   int64
	at     time.Time
}

// Reader returns r, of which the meter is told how much has been read.
func (m *Meter) Reader(r io.Reader) io.Reader { return &metered{r, m, 0} }

type metered struct {
	io.Reader
	meter *Meter
	done  int64
}

// Read reads and tells.
func (c *metered) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.done += int64(n)
	c.meter.Reach(c.done)
	return n, err
}

// NewMeter makes a Meter for total bytes; report may be nil.
func NewMeter(report workspace.Progress, total int64) *Meter {
	return &Meter{report: report, total: total, told: -1}
}

// Reach tells that done bytes are behind us, when it is worth telling.
func (m *Meter) Reach(done int64) {
	if m.report == nil || done <= m.told {
		return
	}
	now := time.Now()
	if done-m.told < meterBytes && now.Sub(m.at) < meterInterval && done < m.total {
		return
	}
	m.told, m.at = done, now
	m.report(done, m.total)
}
