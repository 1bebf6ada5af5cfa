// Package chart draws schedules: hosts against time as text and as SVG, and
// curves of what was measured. Times are milliseconds from whatever the caller
// counts from.
//
// It must not know what a lease is, where the numbers come from or where the
// drawing goes: values come in, text goes out.
package chart
