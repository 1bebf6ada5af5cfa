// Package e2e runs the built programs as a user and an operator would: the
// demonstration from beginning to end, and the daemon with good and bad
// configurations, signals and directories.
//
// It must not look inside: what it knows is command lines, output, exit codes
// and what is left on the machine afterwards.
package e2e
