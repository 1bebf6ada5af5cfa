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

// Amount is an amount of each resource.
type Amount [Resources]int32

// Fits reports whether the amount is at most free, in each resource.
func (a *Amount) Fits(free *Amount) bool {
	return a[CPU] <= free[CPU] && a[Memory] <= free[Memory] && a[Disk] <= free[Disk] &&
		a[NetIn] <= free[NetIn] && a[NetOut] <= free[NetOut]
}

// Plus returns the sum.
func (a Amount) Plus(b Amount) Amount {
	for i := range a {
		a[i] += b[i]
	}
	return a
}

// Minus returns the difference, which may be negative.
func (a Amount) Minus(b Amount) Amount {
	for i := range a {
		a[i] -= b[i]
	}
	return a
}

// least lowers a to b where b is less.
func (a *Amount) least(b *Amount) {
	for i := range a {
		a[i] = min(a[i], b[i])
	}
}

// most raises a to b where b is more.
func (a *Amount) most(b *Amount) {
	for i := range a {
		a[i] = max(a[i], b[i])
	}
}

// Time is a moment in milliseconds since 1970.
type Time int64

// Never is later than any time.
const Never Time = math.MaxInt64

// Span is the time from Start up to but without End.
type Span struct{ Start, End Time }

// Empty reports whether no time is in the span.
func (s Span) Empty() bool { return s.End <= s.Start }
