package main

import "os"

// A palette writes words in colour, or does not.
type palette bool

// The colours in use, as ANSI sequences.
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	dim    = "\x1b[2m"
	plain  = "\x1b[0m"
)

// newPalette decides whether to use colour: --color first, then the customs of
// the field (NO_COLOR, CLICOLOR_FORCE, TERM=dumb), then whether it is a terminal.
func newPalette(when string, tty bool) palette {
	switch {
	case when == "always":
		return true
	case when == "never", os.Getenv("NO_COLOR") != "":
		return false
	case os.Getenv("CLICOLOR_FORCE") != "" && os.Getenv("CLICOLOR_FORCE") != "0":
		return true
	}
	return palette(tty && os.Getenv("TERM") != "dumb")
}

// state colours the word for a state.
func (p palette) state(word string) string {
	switch word {
	case "Running":
		return p.with(green, word)
	case "Corrupted", "Cancelled":
		return p.with(red, word)
	case "Paused":
		return p.with(yellow, word)
	case "Gone":
		return p.with(dim, word)
	}
	return word
}

// with puts the word in the colour.
func (p palette) with(colour, word string) string {
	if !p {
		return word
	}
	return colour + word + plain
}
