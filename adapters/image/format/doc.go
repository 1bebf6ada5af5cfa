// Package format tells what an image file is by its header alone, and refuses
// what a host must not open: other files named inside it, encryption, absurd
// tables. It runs no program and knows nothing of where images come from or go
// to; it must not open files, only read what it is handed.
package format
