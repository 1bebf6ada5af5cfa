package slot

import "slices"

// A profile is what is taken of one host: use[i] from at[i] up to at[i+1], the
// last one for ever, and nothing before at[0]. Neighbours differ, so that a
// profile is no longer than what it says.
type profile struct {
	table *byte // the token of the table that may write it
	at    []Time
	use   []Amount
}

// from returns the index of the step that holds at the time, -1 before the first.
func (p *profile) from(t Time) int {
	low, high := 0, len(p.at)
	for low < high {
		if middle := int(uint(low+high) >> 1); p.at[middle] <= t {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low - 1
}

// cut makes the time the beginning of a step and returns the step's index.
func (p *profile) cut(t Time) int {
	i := p.from(t)
	if i >= 0 && p.at[i] == t {
		return i
	}
	var same Amount
	if i >= 0 {
		same = p.use[i]
	}
	p.at = slices.Insert(p.at, i+1, t)
	p.use = slices.Insert(p.use, i+1, same)
	return i + 1
}

// add takes a, which may be negative, from the start of the span to its end.
func (p *profile) add(s Span, a Amount) {
	first := p.cut(s.Start)
	last := first
	for last < len(p.at) && p.at[last] < s.End {
		last++
	}
	if s.End != Never && (last == len(p.at) || p.at[last] != s.End) {
		p.at = slices.Insert(p.at, last, s.End)
		p.use = slices.Insert(p.use, last, p.use[last-1])
	}
	for i := first; i < last; i++ {
		p.use[i] = p.use[i].Plus(a)
	}
	if last < len(p.at) {
		p.join(last)
	}
	p.join(first)
}

// join removes the beginning of step i when it says what the one before says.
func (p *profile) join(i int) {
	var before Amount
	if i > 0 {
		before = p.use[i-1]
	}
	if p.use[i] == before {
		p.at = slices.Delete(p.at, i, i+1)
		p.use = slices.Delete(p.use, i, i+1)
	}
}

// peak returns the most that is taken of each resource during the span.
func (p *profile) peak(s Span) Amount {
	i := p.from(s.Start)
	var most Amount
	if i >= 0 {
		most = p.use[i]
	}
	for i++; i < len(p.at) && p.at[i] < s.End; i++ {
		most.most(&p.use[i])
	}
	return most
}

// free returns what is left of the room all through the span; false when need
// does not fit in it, and then the amount means nothing. This is where the time
// of a search goes: the resources are written out so that they stay in registers.
func (p *profile) free(s Span, room, need *Amount) (Amount, bool) {
	limit := room.Minus(*need)
	i := max(p.from(s.Start), 0)
	if i >= len(p.at) {
		return *room, true
	}
	at := p.at[i:]
	use := p.use[i:][:len(at)]
	var cpu, memory, disk, in, out int32
	for k, t := range at {
		if t >= s.End {
			break
		}
		u := &use[k]
		if u[CPU] > limit[CPU] || u[Memory] > limit[Memory] || u[Disk] > limit[Disk] ||
			u[NetIn] > limit[NetIn] || u[NetOut] > limit[NetOut] {
			return Amount{}, false
		}
		cpu, memory, disk = max(cpu, u[CPU]), max(memory, u[Memory]), max(disk, u[Disk])
		in, out = max(in, u[NetIn]), max(out, u[NetOut])
	}
	return room.Minus(Amount{cpu, memory, disk, in, out}), true
}

// over reports whether use and need together exceed the room.
func over(use, room, need *Amount) bool {
	return use[CPU] > room[CPU]-need[CPU] || use[Memory] > room[Memory]-need[Memory] ||
		use[Disk] > room[Disk]-need[Disk] || use[NetIn] > room[NetIn]-need[NetIn] ||
		use[NetOut] > room[NetOut]-need[NetOut]
}

// earliest returns the first time not before t from which need fits for the
// length; Never when it does not fit even after everything has ended.
func (p *profile) earliest(t, length Time, room, need *Amount) Time {
	for i := max(p.from(t), 0); i < len(p.at) && p.at[i] < after(t, length); i++ {
		if !over(&p.use[i], room, need) {
			continue
		}
		if i+1 == len(p.at) {
			return Never
		}
		t = p.at[i+1]
	}
	return t
}

// latest returns the last time not before the span's start from which need
// fits for the length and ends within the span; Never when there is none.
func (p *profile) latest(s Span, length Time, room, need *Amount) Time {
	t := s.End - length
	end := s.End // of the step looked at
	for i := p.from(s.End - 1); i >= 0 && end > t && t >= s.Start; i-- {
		if over(&p.use[i], room, need) {
			t = p.at[i] - length
		}
		end = p.at[i]
	}
	if t < s.Start {
		return Never
	}
	return t
}

// forget drops what was before the time.
func (p *profile) forget(t Time) {
	if i := p.from(t); i > 0 {
		p.at = slices.Delete(p.at, 0, i)
		p.use = slices.Delete(p.use, 0, i)
	}
}

// after returns t + length without passing Never.
func after(t, length Time) Time {
	if t > Never-length {
		return Never
	}
	return t + length
}
