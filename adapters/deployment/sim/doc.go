// Package sim is a pool of hosts that exists only in memory and in one small
// file: for the demonstration, for tests and for simulation. Like real
// hypervisors it outlives the daemon: every change of a machine is written to
// a journal before the call returns, and a World opened over the same
// directory goes on where the last one was killed.
//
// Latencies and faults follow a script (see ParseScript). The journal keeps
// count of what happened to each machine, so that a test can prove from
// outside that nothing ran twice.
//
// It must not know who calls it or why: it implements the deployment port of
// service/workspace and nothing else, and it never reads the images or kernels
// that a machine names.
package sim
