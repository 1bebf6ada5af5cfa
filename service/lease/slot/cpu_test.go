package slot

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns how much CPU time the process has had. Wall time says little
// on a machine that others share.
func cpuTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}
