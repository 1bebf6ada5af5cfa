package workload

import "math"

// draws is a sequence of random numbers by its seed: SplitMix64 (Steele, Lea
// and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014). It
// is written out here so that a seed means the same workload for ever.
type draws struct{ state uint64 }

// next returns 64 random bits.
func (d *draws) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// part returns a number from 0 up to but without 1.
func (d *draws) part() float64 { return float64(d.next()>>11) / (1 << 53) }

// between returns a number from low up to but without high.
func (d *draws) between(low, high float64) float64 { return low + d.part()*(high-low) }

// pick returns a whole number from low to high, both included.
func (d *draws) pick(low, high int) int {
	return low + int(d.part()*float64(high-low+1))
}

// logBetween returns a number whose logarithm is equally likely anywhere
// between those of low and high.
func (d *draws) logBetween(low, high float64) float64 {
	return math.Exp(d.between(math.Log(low), math.Log(high)))
}

// Random returns what draws numbers from 0 up to but without 1, the same ones
// for ever from the same seed.
func Random(seed uint64) func() float64 { return (&draws{seed}).part }
