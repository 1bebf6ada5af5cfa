// Package transfer is what all transports do alike: they refuse the same
// locations and files, look at the same headers and checksums, and bring what
// comes to the half-made file that becomes the target at one stroke, with an
// account of how far they are. It gives the operating system's errors their
// kinds. It must not know where the bytes come from.
package transfer
