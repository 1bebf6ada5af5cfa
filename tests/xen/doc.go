// Package xen holds the libvirt adapter and the built programs against a real Xen
// host: dom0 of Xen 4.17, in an emulated machine. Its tests carry the build tag
// xen, because they take minutes: `make e2e-xen` runs them, `make test` vets them.
//
// Tests run in the order of their files' names: what a user does comes first, what
// takes longest last.
package xen
