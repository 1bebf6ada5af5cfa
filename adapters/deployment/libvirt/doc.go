// Package libvirt leases machines on a host that runs plain libvirtd: QEMU with
// or without KVM, and Xen. It speaks libvirt's wire protocol and builds domain
// XML from typed structures only, so that no text of a user's can become markup.
//
// What it may know is the deployment port of service/workspace and libvirt. It
// must not know the record, other adapters, or how images came to the host.
//
// Whose a domain is, is told by three things together: a UUID derived from the
// pool's identity and the workspace's key, the name workspace-KEY, and an
// element of our own namespace in the domain's metadata. A domain that lacks
// one of them is somebody else's: it is never listed and never touched.
package libvirt
