package main

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsrf"
)

// spanUnits are the units that Go's own durations lack.
var spanUnits = map[string]time.Duration{
	"d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
	"h": time.Hour, "m": time.Minute, "min": time.Minute, "s": time.Second,
}

var spanPart = regexp.MustCompile(`^(\d+(?:\.\d+)?)(min|[wdhms])`)

// maxSpan keeps arithmetic with times far from overflow: a hundred years.
const maxSpan = 100 * 365 * 24 * time.Hour

// parseSpan reads a length of time as people write it (90m, 2h30m, 1d, 45s) or
// as XML Schema does (PT2H30M). It is positive and at most a hundred years.
func parseSpan(text string) (time.Duration, error) {
	if strings.HasPrefix(text, "P") {
		d, err := wsrf.ParseDuration(text)
		if err == nil {
			err = checkSpan(d)
		}
		return d, err
	}
	var sum float64
	for rest := text; rest != ""; {
		part := spanPart.FindStringSubmatch(rest)
		if part == nil {
			return 0, fmt.Errorf("%q is not a length of time, expected such as 90m, 2h30m or 1d",
				clip(text))
		}
		n, err := strconv.ParseFloat(part[1], 64)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", clip(text), err)
		}
		sum += n * float64(spanUnits[part[2]])
		rest = rest[len(part[0]):]
	}
	if sum > float64(maxSpan) {
		return 0, fmt.Errorf("%q is longer than a hundred years", clip(text))
	}
	return time.Duration(sum), checkSpan(time.Duration(sum))
}

// checkSpan refuses what is no length of time one could lease for.
func checkSpan(d time.Duration) error {
	if d <= 0 || d > maxSpan {
		return fmt.Errorf("%s is not a length of time above zero and up to a hundred years", d)
	}
	return nil
}

var memoryText = regexp.MustCompile(`(?i)^(\d{1,12})\s*(|M|MB|MiB|G|GB|GiB|T|TB|TiB)$`)

// parseMemory reads an amount of memory, in MB unless a unit says otherwise
// (512, 512M, 2G), and returns MB.
func parseMemory(text string) (int64, error) {
	part := memoryText.FindStringSubmatch(text)
	if part == nil {
		return 0, fmt.Errorf("%q is not an amount of memory, expected such as 512, 512M or 2G",
			clip(text))
	}
	n, err := strconv.ParseInt(part[1], 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is not an amount of memory above zero", clip(text))
	}
	switch strings.ToUpper(part[2] + " ")[0] {
	case 'G':
		n *= 1024
	case 'T':
		n *= 1024 * 1024
	}
	return n, nil
}

// checkURI refuses what the service would, in the words of the command line.
func checkURI(option, text string) error {
	if u, err := url.Parse(text); err != nil || u.Scheme == "" {
		return fmt.Errorf("%s: %q is not a URI with a scheme, such as file://NAME", option,
			clip(text))
	}
	return nil
}

// clip keeps a long argument from flooding a message.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// span writes a length of time for people, by its two largest units: 1d 4h,
// 2h 30m, 45s.
func span(d time.Duration) string {
	if d < 0 {
		return "-" + span(-d)
	}
	d = d.Round(time.Second)
	units := []struct {
		name string
		unit time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	var parts []string
	for _, u := range units {
		n := d / u.unit
		d -= n * u.unit
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", n, u.name))
		} else if len(parts) > 0 {
			break
		}
		if len(parts) == 2 {
			break
		}
	}
	if len(parts) == 0 {
		return "0s"
	}
	return strings.Join(parts, " ")
}

// relative writes a point in time for people, as seen from now.
func relative(at, now time.Time) string {
	switch d := at.Sub(now); {
	case at.IsZero():
		return "-"
	case d > -time.Second && d < time.Second:
		return "now"
	case d > 0:
		return "in " + span(d)
	default:
		return span(-d) + " ago"
	}
}
