package sim

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Measure reads machines whose guests are always busy with all they have, but for
// disks and networks, which are not simulated.
func (d *deployment) Measure(ctx context.Context) ([]workspace.Reading, error) {
	var all []workspace.Reading
	err := d.call(ctx, OpMeasure, 0, func() error {
		now := time.Now().UnixMilli()
		for id, m := range d.host.machines {
			if m.inMemory() {
				all = append(all, m.reading(id, now))
			}
		}
		return nil
	})
	return all, err
}

// reading is what the machine has used by now, in Unix milliseconds. A pause
// begins the count anew.
func (m machine) reading(id workspace.ID, now int64) workspace.Reading {
	const whole, perMB = 100, 1 << 20
	r := workspace.Reading{ID: id, Memory: m.shape.MemoryMB * perMB}
	r.Resident = r.Memory
	if m.condition == running {
		percent := m.shape.CPUPercent
		if percent <= 0 {
			percent = whole
		}
		r.CPUTime = time.Duration(max(now-m.since, 0)*max(m.shape.CPUs, 1)*min(percent, whole)/
			whole) * time.Millisecond
	}
	return r
}
