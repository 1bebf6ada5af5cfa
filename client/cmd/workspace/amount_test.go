package main

import (
	"testing"
	"time"
)

func TestSpans(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration // 0: refused
	}{
		{"90m", 90 * time.Minute}, {"2h30m", 150 * time.Minute}, {"1d", 24 * time.Hour},
		{"1w", 7 * 24 * time.Hour}, {"45s", 45 * time.Second}, {"1.5h", 90 * time.Minute},
		{"10min", 10 * time.Minute}, {"PT2H30M", 150 * time.Minute}, {"P1D", 24 * time.Hour},
		{"0.3s", 300 * time.Millisecond},
		{"", 0}, {"0s", 0}, {"-1h", 0}, {"5", 0}, {"1y", 0}, {"P1Y", 0}, {"P1M", 0}, {"-PT1H", 0},
		{"1h later", 0}, {"36501d", 0}, {"99999999999999999999w", 0}, {"P200000D", 0},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := parseSpan(test.text)
			if (err != nil) != (test.want == 0) || err == nil && got != test.want {
				t.Errorf("%s, %v, expected %s", got, err, test.want)
			}
		})
	}
}

func TestMemory(t *testing.T) {
	tests := []struct {
		text string
		want int64 // 0: refused
	}{
		{"512", 512}, {"512M", 512}, {"512 MB", 512}, {"2G", 2048}, {"2gib", 2048}, {"1T", 1 << 20},
		{"", 0}, {"0", 0}, {"-1", 0}, {"1.5G", 0}, {"2K", 0}, {"G", 0}, {"1234567890123", 0},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := parseMemory(test.text)
			if (err != nil) != (test.want == 0) || err == nil && got != test.want {
				t.Errorf("%d, %v, expected %d", got, err, test.want)
			}
		})
	}
}

func TestSpansForPeople(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"}, {45 * time.Second, "45s"}, {90 * time.Minute, "1h 30m"},
		{time.Hour, "1h"}, {25*time.Hour + time.Minute, "1d 1h"},
		{24*time.Hour + time.Minute, "1d"},
		{-time.Minute, "-1m"}, {999 * time.Millisecond, "1s"},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			if got := span(test.d); got != test.want {
				t.Errorf("%s: %q, expected %q", test.d, got, test.want)
			}
		})
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"-": {}, "now": now, "in 27m": now.Add(27 * time.Minute),
		"1d ago": now.Add(-24 * time.Hour),
	} {
		if got := relative(at, now); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}

func FuzzSpan(f *testing.F) {
	seeds := []string{"90m", "2h30m", "1.5d", "PT2H30M", "P1DT1S", "-1h", "1e9s", "١h"}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseSpan(text)
		if err == nil && (d <= 0 || d > maxSpan) {
			t.Errorf("%q became %s", text, d)
		}
	})
}

func FuzzMemory(f *testing.F) {
	for _, seed := range []string{"512", "2G", "1 TiB", "999999999999T", "0M", "-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		mb, err := parseMemory(text)
		if err == nil && mb <= 0 {
			t.Errorf("%q became %d MB", text, mb)
		}
	})
}
