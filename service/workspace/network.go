package workspace

import (
	"net/netip"
	"time"
)

// Address is one entry of an address pool. IPv4 in dotted form, and where the
// pool has them an IPv6 address beside it.
type Address struct {
	Hostname  string
	IP        string
	Netmask   string
	Gateway   string
	Broadcast string
	Network   string
	IP6       string `json:",omitzero"` // empty: none
	Prefix6   int    `json:",omitzero"` // bits of IP6's network
	Gateway6  string `json:",omitzero"` // empty: none, or as routers advertise
}

// Network is an association with its address pool.
type Network struct {
	Name      string
	MACPrefix string // first three octets, such as A2:AA:BB
	DNS       string
	Addresses []Address
	// Asked are addresses that who asks for one by name may have. Those that are
	// not among Addresses too are given to nobody else.
	Asked []Address
}

// Hold keeps addresses of an association from being leased. What is leased
// already stays so, and is held from then on.
type Hold struct {
	Association string
	First, Last string // IPv4, both included
	Comment     string
	By          Owner // empty: the service itself
	Since       time.Time
}

// Covers reports whether the address is one of those held.
func (h *Hold) Covers(ip netip.Addr) bool {
	first, err1 := netip.ParseAddr(h.First)
	last, err2 := netip.ParseAddr(h.Last)
	return err1 == nil && err2 == nil && !ip.Less(first) && !last.Less(ip)
}

// NetworkUse is an association and what of its addresses is taken.
type NetworkUse struct {
	Name        string
	First, Last string // of its pool
	First6      string `json:",omitempty"`
	Addresses   int    // of its pool
	Leased      int    // of these, by workspaces
	Held        int    // of these, and not leased
	Leases      []AddressLease
	Holds       []Hold // by rising address
}

// AddressLease is an address that a workspace has.
type AddressLease struct {
	Workspace ID
	Owner     Owner
	Host      HostID
	MAC       string
	Address
}

// AddressTx knows which addresses are whose.
type AddressTx interface {
	// TakeAddress takes a free address of the association, with its MAC. It is
	// held by the workspace that is put with it before the transaction ends.
	// Errors: Invalid (no such association), NoResource (a Refusal).
	TakeAddress(association string) (Address, string, error)
	// AskAddress takes a certain one of those that may be asked for, as TakeAddress
	// does. Errors: Invalid (no such association), Denied (it may not be asked
	// for), NoResource (it is taken, or on hold).
	AskAddress(association, ip string) (Address, string, error)
	// Networks returns each association by rising name, with what is taken.
	Networks() []NetworkUse
	// PutHold holds addresses, those in use too. Errors: NotFound (no such
	// association, or none of its addresses), Conflict (some are on hold already).
	PutHold(h Hold) error
	// RemoveHold ends the hold that covers the address, and returns it; NotFound:
	// there is none.
	RemoveHold(association, ip string) (Hold, error)
	// PutNICs gives a workspace that does not run other addresses.
	PutNICs(id ID, nics []NIC) error
}
