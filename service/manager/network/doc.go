// Package network connects guests to networks on their hosts: it holds them to
// the addresses that they were leased, by rules of the host's own kernel that
// need no daemon to be in force.
//
// It must not know hypervisors: it names devices, and whoever makes a machine
// gives its links these names.
package network
