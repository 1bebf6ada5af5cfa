// Package transfer is what all transports do alike at the end of their road: the
// half-made file that becomes the target at one stroke, the account of how far
// a transfer has come, the checksum of what passed by, the kinds of the operating
// system's errors. It must not know where the bytes come from.
package transfer
