package report

import (
	"math"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// What is asked of networks, and the answers.
var (
	QueryNetworks          = p("QueryNetworks")
	QueryNetworksResponse  = p("QueryNetworksResponse")
	HoldAddresses          = p("HoldAddresses")
	HoldAddressesResponse  = p("HoldAddressesResponse")
	ReleaseAddress         = p("ReleaseAddress")
	ReleaseAddressResponse = p("ReleaseAddressResponse")
)

// Network is an association with what of its addresses is taken.
type Network struct {
	Name        string
	First, Last string // of its pool
	First6      string // empty: it has no IPv6 addresses
	Addresses   int
	Leased      int
	Held        int // and not leased
	Leases      []AddressLease
	Holds       []Hold
}

// AddressLease is an address that a workspace has.
type AddressLease struct {
	Workspace int64
	Owner     string
	Host      string // empty: none yet
	MAC       string
	Hostname  string
	IP        string
	IP6       string // empty: none
}

// Hold keeps addresses from being leased.
type Hold struct {
	Association string // empty in a request: the first that has them
	First, Last string
	Comment     string
	By          string    // empty: the service itself; or a request
	Since       time.Time // zero in a request
}

// Release is what of addresses on hold is to end.
type Release struct {
	Association string // empty: the first that has it
	Address     string
}

// The parts of networks.
var (
	ofNetwork    = p("Network")
	named        = p("Name")
	inNetwork    = p("Association")
	first        = p("First")
	last         = p("Last")
	first6       = p("First6")
	addresses    = p("Addresses")
	taken        = p("Leased")
	held         = p("Held")
	addressLease = p("AddressLease")
	ofWorkspace  = p("Workspace")
	ofOwner      = p("Owner")
	macAddress   = p("MAC")
	hostName     = p("Hostname")
	ipAddress    = p("IPAddress")
	ip6Address   = p("IPv6Address")
	hold         = p("Hold")
	by           = p("By")
	address      = p("Address")
)

// WriteNetworksQuery writes a QueryNetworks element.
func WriteNetworksQuery(enc *xmlstrict.Encoder) {
	enc.Start(QueryNetworks)
	enc.End()
}

// DecodeNetworksQuery reads a QueryNetworks element, which says nothing.
func DecodeNetworksQuery(doc *xmlstrict.Document, e *etree.Element) error {
	_, err := decode(doc, e, func(r *reader, e *etree.Element, _ *struct{}) {
		r.Sequence(e, nil)
	}, QueryNetworks)
	return err
}

// WriteNetworks writes a QueryNetworksResponse element.
func WriteNetworks(enc *xmlstrict.Encoder, all []Network) {
	enc.Start(QueryNetworksResponse)
	for i := range all {
		all[i].write(enc)
	}
	enc.End()
}

func (v *Network) write(enc *xmlstrict.Encoder) {
	enc.Start(ofNetwork)
	enc.Element(named, v.Name)
	writeText(enc, first, v.First)
	writeText(enc, last, v.Last)
	writeText(enc, first6, v.First6)
	enc.Element(addresses, strconv.Itoa(v.Addresses))
	enc.Element(taken, strconv.Itoa(v.Leased))
	enc.Element(held, strconv.Itoa(v.Held))
	for _, l := range v.Leases {
		enc.Start(addressLease)
		enc.Element(ofWorkspace, strconv.FormatInt(l.Workspace, 10))
		enc.Element(ofOwner, l.Owner)
		writeText(enc, onHost, l.Host)
		enc.Element(macAddress, l.MAC)
		writeText(enc, hostName, l.Hostname)
		writeText(enc, ipAddress, l.IP)
		writeText(enc, ip6Address, l.IP6)
		enc.End()
	}
	for i := range v.Holds {
		v.Holds[i].write(enc, hold)
	}
	enc.End()
}

// Write writes the hold as a HoldAddresses element.
func (v *Hold) Write(enc *xmlstrict.Encoder) { v.WriteIn(enc, HoldAddresses) }

// WriteIn writes the hold within an element of the name.
func (v *Hold) WriteIn(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	v.write(enc, hold)
	enc.End()
}

func (v *Hold) write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	writeText(enc, inNetwork, v.Association)
	enc.Element(first, v.First)
	enc.Element(last, v.Last)
	writeText(enc, comment, v.Comment)
	writeText(enc, by, v.By)
	if !v.Since.IsZero() {
		enc.Element(since, wsrf.FormatTime(v.Since))
	}
	enc.End()
}

// Write writes a ReleaseAddress element.
func (v Release) Write(enc *xmlstrict.Encoder) {
	enc.Start(ReleaseAddress)
	writeText(enc, inNetwork, v.Association)
	enc.Element(address, v.Address)
	enc.End()
}

// DecodeRelease reads a ReleaseAddress element.
func DecodeRelease(doc *xmlstrict.Document, e *etree.Element) (*Release, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *Release) {
		r.Sequence(e, []document.Field{
			document.Optional(inNetwork, r.Word(&v.Association)),
			document.One(address, r.Word(&v.Address)),
		})
	}, ReleaseAddress)
}

// DecodeHold reads a HoldAddresses element, or the answer to that or to
// ReleaseAddress.
func DecodeHold(doc *xmlstrict.Document, e *etree.Element) (*Hold, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *Hold) {
		r.Sequence(e, []document.Field{
			document.One(hold, func(e *etree.Element) { r.hold(e, v) }),
		})
	}, HoldAddresses, HoldAddressesResponse, ReleaseAddressResponse)
}

func (r *reader) hold(e *etree.Element, v *Hold) {
	r.Sequence(e, []document.Field{
		document.Optional(inNetwork, r.Word(&v.Association)),
		document.One(first, r.Word(&v.First)),
		document.One(last, r.Word(&v.Last)),
		document.Optional(comment, r.Text(&v.Comment)),
		document.Optional(by, r.Text(&v.By)),
		document.Optional(since, r.Time(&v.Since)),
	})
}

// DecodeNetworks reads a QueryNetworksResponse element.
func DecodeNetworks(doc *xmlstrict.Document, e *etree.Element) ([]Network, error) {
	all, err := decode(doc, e, func(r *reader, e *etree.Element, all *[]Network) {
		r.Sequence(e, []document.Field{document.Many(0, ofNetwork, document.Each(r.network, all))})
	}, QueryNetworksResponse)
	if err != nil {
		return nil, err
	}
	return *all, nil
}

func (r *reader) network(e *etree.Element, v *Network) {
	r.Sequence(e, []document.Field{
		document.One(named, r.Word(&v.Name)),
		document.Optional(first, r.Word(&v.First)),
		document.Optional(last, r.Word(&v.Last)),
		document.Optional(first6, r.Word(&v.First6)),
		document.One(addresses, r.Int(&v.Addresses, 0, math.MaxInt32)),
		document.One(taken, r.Int(&v.Leased, 0, math.MaxInt32)),
		document.One(held, r.Int(&v.Held, 0, math.MaxInt32)),
		document.Many(0, addressLease, document.Each(r.addressLease, &v.Leases)),
		document.Many(0, hold, document.Each(r.hold, &v.Holds)),
	})
}

func (r *reader) addressLease(e *etree.Element, v *AddressLease) {
	r.Sequence(e, []document.Field{
		document.One(ofWorkspace, r.long(&v.Workspace)),
		document.One(ofOwner, r.Text(&v.Owner)),
		document.Optional(onHost, r.Word(&v.Host)),
		document.One(macAddress, r.Word(&v.MAC)),
		document.Optional(hostName, r.Word(&v.Hostname)),
		document.Optional(ipAddress, r.Word(&v.IP)),
		document.Optional(ip6Address, r.Word(&v.IP6)),
	})
}
