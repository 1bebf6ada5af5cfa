package slot

import "math"

// Resource numbers the resources of a host.
type Resource int

// The resources and their units.
const (
	CPU       Resource = iota // hundredths of a CPU
	Memory                    // MB
	Disk                      // MB
	NetIn                     // kbit/s into the host
	NetOut                    // kbit/s out of it
	Resources = iota          // how many there are
)

// String returns the resource's name as explanations have it.
func (r Resource) String() string {
	return [Resources]string{"cpu", "memory", "disk", "net in", "net out"}[r]
}

// Amount is an amount of each resource. Its methods write the resources out:
// searches spend their time in them, and loops over five cost twice as much.
type Amount [Resources]int32

// Fits reports whether the amount is at most free, in each resource.
func (a *Amount) Fits(free *Amount) bool {
	return a[CPU] <= free[CPU] && a[Memory] <= free[Memory] && a[Disk] <= free[Disk] &&
		a[NetIn] <= free[NetIn] && a[NetOut] <= free[NetOut]
}

// Plus returns the sum.
func (a Amount) Plus(b Amount) Amount {
	return Amount{a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]}
}

// Minus returns the difference, which may be negative.
func (a Amount) Minus(b Amount) Amount {
	return Amount{a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3], a[4] - b[4]}
}

// most raises a to b where b is more.
func (a *Amount) most(b *Amount) {
	a[0], a[1], a[2] = max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2])
	a[3], a[4] = max(a[3], b[3]), max(a[4], b[4])
}

// Time is a moment in milliseconds since 1970.
type Time int64

// Never is later than any time.
const Never Time = math.MaxInt64

// Span is the time from Start up to but without End.
type Span struct{ Start, End Time }

// Empty reports whether no time is in the span.
func (s Span) Empty() bool { return s.End <= s.Start }
