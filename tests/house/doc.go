// Package house guards the house itself: which room may know which, how large
// a function may grow, that every package and exported name says what it is
// for, and that generated pages and the links between pages are true.
//
// It reads the project's files and runs none of its code, with one exception:
// the table of states, from which it draws docs/states.md. Each failure names
// the place, the rule and its reason.
package house
