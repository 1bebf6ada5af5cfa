// Package seed tells guests who they are: name, addresses and keys, by a disk
// that cloud-init reads (NoCloud), by parameters of the kernel, or by files in
// the image.
//
// It must not know hypervisors or how files come to a host: it makes bytes.
package seed
