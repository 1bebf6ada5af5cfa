package wsa

import (
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Version is a version of WS-Addressing.
type Version uint8

// The versions of WS-Addressing.
const (
	V200403 Version = iota // member submission drafts of March 2004
	V200508                // W3C recommendation, 1.0
)

// The namespaces.
const (
	Space200403 = schema.Addressing
	Space200508 = schema.Addressing2005
)

// The addresses that mean "the sender of this request", the action of faults
// and the relationship of replies.
const (
	Anonymous200403   = Space200403 + "/role/anonymous"
	Anonymous200508   = Space200508 + "/anonymous"
	None200508        = Space200508 + "/none" // what is sent there is thrown away
	FaultAction200403 = Space200403 + "/fault"
	FaultAction200508 = Space200508 + "/soap/fault"
	// AddressingFaultAction is that of the faults of WS-Addressing 1.0 itself.
	AddressingFaultAction = Space200508 + "/fault"
	Reply200508           = Space200508 + "/reply" // the relationship of a reply
)

// Space returns the version's namespace.
func (v Version) Space() string {
	if v == V200508 {
		return Space200508
	}
	return Space200403
}

// Anonymous returns the version's anonymous address.
func (v Version) Anonymous() string {
	if v == V200508 {
		return Anonymous200508
	}
	return Anonymous200403
}

// FaultAction returns the action of the version's fault messages.
func (v Version) FaultAction() string {
	if v == V200508 {
		return FaultAction200508
	}
	return FaultAction200403
}

// name returns a name of the version's namespace.
func (v Version) name(local string) xmlstrict.Name {
	return xmlstrict.Name{Space: v.Space(), Local: local}
}
