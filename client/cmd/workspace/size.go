package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/schema/deployment"
)

// sizeFlags are the options of deploy that say how much each node is to have.
type sizeFlags struct {
	Memory     string   `placeholder:"SIZE" help:"Memory of each node, such as 512M or 2G, instead of the request's; 512M..2G for as much as there is, from 512M to 2G."`
	CPUs       string   `name:"cpus" placeholder:"N" help:"CPUs of each node instead of the request's; 1..4 for as many as there are, from 1 to 4."`
	CPUPercent string   `name:"cpu-percent" placeholder:"N" help:"How much of a processor each CPU gets at most, in percent; also a range."`
	Disk       string   `placeholder:"SIZE" help:"Disk space of the host that each node takes beyond its image; also a range."`
	NetIn      string   `placeholder:"RATE" help:"Bandwidth into each node, in bits a second, such as 100M; also a range."`
	NetOut     string   `placeholder:"RATE" help:"Bandwidth out of each node; also a range."`
	Part       []string `sep:"none" placeholder:"N:SIZE[:CPUS]" help:"So many nodes of that memory and so many CPUs, such as 1:4G:2; repeatable: all parts run together, as one group."`
}

// A sizeRange is how much is wanted, and how much will do.
type sizeRange struct{ least, most int64 }

// parseRange reads an amount, or a range of amounts written MIN..MAX.
func parseRange(text string, parse func(string) (int64, error)) (r sizeRange, err error) {
	low, high, isRange := strings.Cut(text, "..")
	if !isRange {
		r.most, err = parse(text)
		return sizeRange{r.most, r.most}, err
	}
	if low == "" || high == "" {
		return r, fmt.Errorf("%q is half a range, expected MIN..MAX", clip(text))
	}
	if r.least, err = parse(low); err != nil {
		return r, err
	}
	if r.most, err = parse(high); err != nil {
		return r, err
	}
	if r.least > r.most {
		return r, fmt.Errorf("%q: the lower bound is above the upper one, expected MIN..MAX",
			clip(text))
	}
	return r, nil
}

// mostAmount is the largest number that the documents carry.
const mostAmount = 1<<31 - 1

// parseCount reads a number from 1.
func parseCount(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > mostAmount {
		return 0, fmt.Errorf("%q is not a number above zero and up to %d", clip(text), mostAmount)
	}
	return n, nil
}

// parseDisk reads an amount of disk space as parseMemory does one of memory.
func parseDisk(text string) (int64, error) {
	mb, err := parseMemory(text)
	if err != nil {
		err = fmt.Errorf("%q is not a size, expected such as 512, 512M or 2G", clip(text))
	}
	return mb, err
}

// parsePercent reads a share of a processor: 50 or 50%.
func parsePercent(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSuffix(text, "%"), 10, 64)
	if err != nil || n < 1 || n > 100 {
		return 0, fmt.Errorf("%q is not a percentage from 1 to 100", clip(text))
	}
	return n, nil
}

var rateText = regexp.MustCompile(`(?i)^(\d{1,9})\s*([kMGT])(?:bit/s|bps|bit|b)?$`)

// parseRate reads a bandwidth in bits a second (500k, 100M, 1G) and returns
// kilobits a second.
func parseRate(text string) (int64, error) {
	part := rateText.FindStringSubmatch(text)
	if part == nil {
		return 0, fmt.Errorf("%q is not a bandwidth, expected such as 500k, 100M or 1G, in bits "+
			"a second", clip(text))
	}
	n, err := strconv.ParseInt(part[1], 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a bandwidth above zero", clip(text))
	}
	switch strings.ToUpper(part[2]) {
	case "M":
		n *= 1000
	case "G":
		n *= 1000 * 1000
	case "T":
		n *= 1000 * 1000 * 1000
	}
	if n > mostAmount {
		return 0, fmt.Errorf("%q is more than any host has", clip(text))
	}
	return n, nil
}

// inTerms reports whether anything is asked for that only terms can carry.
func (s *sizeFlags) inTerms() bool {
	for _, text := range []string{s.Memory, s.CPUs, s.CPUPercent} {
		if strings.Contains(text, "..") {
			return true
		}
	}
	return s.Disk+s.NetIn+s.NetOut != "" || len(s.Part) > 0
}

// put puts the amounts over those of the request. Where there are terms, what is
// written there is only what the allocation cannot say.
func (s *sizeFlags) put(v *deployment.WorkspaceDeployment) error {
	a := &v.Allocation
	for _, one := range []struct {
		option, text string
		parse        func(string) (int64, error)
		to           **deployment.Range
	}{
		{"--memory", s.Memory, parseMemory, &a.Memory},
		{"--cpus", s.CPUs, parseCount, &a.CPUCount},
		{"--cpu-percent", s.CPUPercent, parsePercent, &a.CPUPercentage},
	} {
		if one.text == "" {
			continue
		}
		r, err := parseRange(one.text, one.parse)
		if err != nil {
			return usagef("", "cannot deploy: %s: %w", one.option, err)
		}
		*one.to = r.document()
	}
	if !s.inTerms() {
		return nil
	}
	if v.Terms == nil {
		v.Terms = new(deployment.LeaseTerms)
	}
	if err := s.putExtra(v.Terms); err != nil {
		return err
	}
	return s.putParts(v)
}

// document returns the range as documents have it.
func (r sizeRange) document() *deployment.Range {
	if r.least == r.most {
		return deployment.Exactly(float64(r.most))
	}
	return deployment.Between(float64(r.least), float64(r.most))
}

// putExtra puts disk space and bandwidth over those of the terms.
func (s *sizeFlags) putExtra(t *deployment.LeaseTerms) error {
	for _, one := range []struct {
		option, text string
		parse        func(string) (int64, error)
		most, least  *int64
	}{
		{"--disk", s.Disk, parseDisk, &t.Extra.DiskMB, &t.Least.DiskMB},
		{"--net-in", s.NetIn, parseRate, &t.Extra.NetInKbps, &t.Least.NetInKbps},
		{"--net-out", s.NetOut, parseRate, &t.Extra.NetOutKbps, &t.Least.NetOutKbps},
	} {
		if one.text == "" {
			continue
		}
		r, err := parseRange(one.text, one.parse)
		if err != nil {
			return usagef("", "cannot deploy: %s: %w", one.option, err)
		}
		*one.most, *one.least = r.most, 0
		if r.least < r.most {
			*one.least = r.least
		}
	}
	return nil
}

// putParts puts the parts over those of the terms. They say how many nodes there
// are, and the largest how much memory the request is for.
func (s *sizeFlags) putParts(v *deployment.WorkspaceDeployment) error {
	if len(s.Part) == 0 {
		return nil
	}
	v.Terms.Parts, v.Nodes = nil, 0
	most := int64(0)
	for _, text := range s.Part {
		p, err := parsePart(text)
		if err != nil {
			return usagef("", "cannot deploy: --part: %w", err)
		}
		v.Terms.Parts = append(v.Terms.Parts, p)
		v.Nodes += p.Nodes
		most = max(most, p.Demand.MemoryMB)
	}
	if v.Allocation.Memory == nil {
		v.Allocation.Memory = deployment.Exactly(float64(most))
	}
	return nil
}

// parsePart reads so many nodes of a size: 3:2G or 3:2G:4.
func parsePart(text string) (p deployment.Part, err error) {
	words := strings.Split(text, ":")
	if len(words) < 2 || len(words) > 3 {
		return p, fmt.Errorf("%q is not NODES:MEMORY or NODES:MEMORY:CPUS, expected such as 3:2G:4",
			clip(text))
	}
	nodes, err := parseCount(words[0])
	if err != nil {
		return p, fmt.Errorf("%q: %w", clip(text), err)
	}
	p.Nodes = int(min(nodes, deployment.MaxNodes+1))
	memory, err := parseRange(words[1], parseMemory)
	if err != nil {
		return p, fmt.Errorf("%q: %w", clip(text), err)
	}
	p.Demand.MemoryMB = memory.most
	if memory.least < memory.most {
		p.Least.MemoryMB = memory.least
	}
	if len(words) < 3 {
		return p, nil
	}
	cpus, err := parseRange(words[2], parseCount)
	if err != nil {
		return p, fmt.Errorf("%q: %w", clip(text), err)
	}
	p.Demand.CPUs = cpus.most
	if cpus.least < cpus.most {
		p.Least.CPUs = cpus.least
	}
	return p, nil
}
