// Package dom0 boots a Xen host for the length of a test: Xen and its first
// domain, in an emulated machine, with libvirtd and an SSH server whose doors are
// on loopback. The script build beside it makes the image from Debian's packages,
// once; a boot leaves the image as it was.
//
// It needs root, Debian and qemu-system-x86. Whatever becomes of the test process,
// nothing of the host remains. It must not know the adapter that is tested with it.
package dom0
