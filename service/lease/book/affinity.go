package book

import "github.com/philoxenia/philoxenia/service/lease/slot"

// Affinity says where the nodes of a lease are to lie: with regard to the nodes
// of other leases and to hosts that it names; where it names none, with regard
// to each other.
type Affinity struct {
	Apart bool // on other hosts than those; otherwise Near: on one of those
	Soft  bool // a wish that orders the hosts; otherwise a condition
	// Others are nodes of leases. A condition to be near looks at where they
	// are, or are to be, when the lease is decided upon. A condition to be apart
	// holds for both, whichever moves. Of a lease that is not in the Book it
	// says nothing.
	Others []Node
	Hosts  []slot.Host
}

// Node names a node of a lease.
type Node struct {
	Lease ID
	Node  int // its place in order of the parts; -1: any of them
}
