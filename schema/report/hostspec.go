package report

import (
	"math"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// What operators do with hosts, and the answers.
var (
	AddHost           = p("AddHost")
	AddHostResponse   = p("AddHostResponse")
	ProbeHost         = p("ProbeHost")
	ProbeHostResponse = p("ProbeHostResponse")
	Probe             = p("Probe")
	ProbeResponse     = p("ProbeResponse")
	Forget            = p("Forget")
	ForgetResponse    = p("ForgetResponse")
	Evacuate          = p("Evacuate")
	EvacuateResponse  = p("EvacuateResponse")

	PropertyLiveness    = p("Liveness")
	PropertyAdded       = p("Added")
	PropertyDescription = p("Description")
)

// HostSpec describes a host that is to join the pool. Files are named from the
// site's directory of credentials.
type HostSpec struct {
	Name         string
	URI          string // libvirt's, or sim: for a simulated host
	VMM          string // empty: KVM
	Acceleration string // empty: auto
	Directory    string // of disks, on the host; empty: the site's choice
	Capacity     Capacity
	MaxImageMB   int
	Associations []string // networks that reach it; empty: all
	Networks     []HostNetwork
	SSH          *HostSSH
	TLS          *HostTLS
	Peer         string // URI at which other hosts' libvirtd reach it; empty: URI
	DiskMBps     int    // of each workspace; 0: no limit
	DiskIOPS     int    // of each workspace; 0: no limit
	Overlay      string // IP address at which other hosts reach it for private networks
	Mode         *Mode  // as it is to be from the first moment on; nil: it takes leases
}

// HostNetwork is what an association is on a host: network:NAME or bridge:NAME.
type HostNetwork struct{ Association, Target string }

// HostSSH is how a host is logged on to.
type HostSSH struct {
	Address, User, KeyFile, PasswordFile, KnownHosts string
	Peer                                             string // address for other hosts
}

// HostTLS are the files of a connection by TLS.
type HostTLS struct{ CAFile, CertFile, KeyFile string }

// The parts of a host's description.
var (
	specName     = p("Name")
	specURI      = p("URI")
	acceleration = p("Acceleration")
	directory    = p("Directory")
	specCapacity = p("Capacity")
	maxImageMB   = p("MaxImageMB")
	specNetwork  = p("Network")
	target       = p("Target")
	specSSH      = p("SSH")
	specTLS      = p("TLS")
	specPeer     = p("Peer")
	specMBps     = p("DiskMBps")
	specIOPS     = p("DiskIOPS")
	specOverlay  = p("Overlay")

	sshNames = []xmlstrict.Name{
		p("Address"), p("User"), p("KeyFile"), p("PasswordFile"), p("KnownHosts"), p("Peer"),
	}
	tlsNames = []xmlstrict.Name{p("CAFile"), p("CertFile"), p("KeyFile")}
)

func (v *HostSSH) all() []*string {
	return []*string{&v.Address, &v.User, &v.KeyFile, &v.PasswordFile, &v.KnownHosts, &v.Peer}
}

func (v *HostTLS) all() []*string { return []*string{&v.CAFile, &v.CertFile, &v.KeyFile} }

// Write writes the description as an element of that name: AddHost or ProbeHost.
func (v *HostSpec) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	writeText(enc, specName, v.Name)
	enc.Element(specURI, v.URI)
	writeText(enc, PropertyHostVMM, v.VMM)
	writeText(enc, acceleration, v.Acceleration)
	writeText(enc, directory, v.Directory)
	if v.Capacity != (Capacity{}) {
		v.Capacity.write(enc, specCapacity)
	}
	writeCount(enc, maxImageMB, v.MaxImageMB)
	for _, a := range v.Associations {
		enc.Element(PropertyAssociation, a)
	}
	for _, n := range v.Networks {
		enc.Start(specNetwork)
		enc.Element(PropertyAssociation, n.Association)
		enc.Element(target, n.Target)
		enc.End()
	}
	if v.SSH != nil {
		writeWords(enc, specSSH, sshNames, v.SSH.all())
	}
	if v.TLS != nil {
		writeWords(enc, specTLS, tlsNames, v.TLS.all())
	}
	writeText(enc, specPeer, v.Peer)
	writeCount(enc, specMBps, v.DiskMBps)
	writeCount(enc, specIOPS, v.DiskIOPS)
	writeText(enc, specOverlay, v.Overlay)
	if v.Mode != nil {
		v.Mode.Write(enc)
	}
	enc.End()
}

// writeCount writes a number that is not 0.
func writeCount(enc *xmlstrict.Encoder, name xmlstrict.Name, n int) {
	if n != 0 {
		enc.Element(name, strconv.Itoa(n))
	}
}

// writeWords writes an element of words, those that are empty left out.
func writeWords(
	enc *xmlstrict.Encoder, name xmlstrict.Name, names []xmlstrict.Name, words []*string,
) {
	enc.Start(name)
	for i, w := range words {
		writeText(enc, names[i], *w)
	}
	enc.End()
}

// maxHostNetworks is how many networks a host may be described with.
const maxHostNetworks = 256

// DecodeHostSpec reads an AddHost or ProbeHost element.
func DecodeHostSpec(doc *xmlstrict.Document, e *etree.Element) (*HostSpec, error) {
	return decode(doc, e, (*reader).hostSpec, AddHost, ProbeHost)
}

func (r *reader) hostSpec(e *etree.Element, v *HostSpec) {
	r.Sequence(e, []document.Field{
		document.Optional(specName, r.Word(&v.Name)),
		document.One(specURI, r.Word(&v.URI)),
		document.Optional(PropertyHostVMM, r.Word(&v.VMM)),
		document.Optional(acceleration, r.Word(&v.Acceleration)),
		document.Optional(directory, r.Word(&v.Directory)),
		document.Optional(specCapacity, r.capacity(&v.Capacity)),
		document.Optional(maxImageMB, r.Int(&v.MaxImageMB, 0, math.MaxInt32)),
		document.Many(0, PropertyAssociation, r.Words(&v.Associations)).Most(maxHostNetworks),
		document.Many(0, specNetwork, func(e *etree.Element) {
			var n HostNetwork
			r.Sequence(e, []document.Field{
				document.One(PropertyAssociation, r.Word(&n.Association)),
				document.One(target, r.Word(&n.Target)),
			})
			v.Networks = append(v.Networks, n)
		}).Most(maxHostNetworks),
		document.Optional(specSSH, func(e *etree.Element) {
			v.SSH = &HostSSH{}
			r.words(e, sshNames, v.SSH.all(), 1)
		}),
		document.Optional(specTLS, func(e *etree.Element) {
			v.TLS = &HostTLS{}
			r.words(e, tlsNames, v.TLS.all(), 0)
		}),
		document.Optional(specPeer, r.Word(&v.Peer)),
		document.Optional(specMBps, r.Int(&v.DiskMBps, 0, math.MaxInt32)),
		document.Optional(specIOPS, r.Int(&v.DiskIOPS, 0, math.MaxInt32)),
		document.Optional(specOverlay, r.Word(&v.Overlay)),
		document.Optional(PropertyMode, pointed(r.mode, &v.Mode)),
	})
}

// words reads an element of words, the first of which must be there.
func (r *reader) words(e *etree.Element, names []xmlstrict.Name, words []*string, must int) {
	var fields []document.Field
	for i, w := range words {
		field := document.Optional(names[i], r.Word(w))
		if i < must {
			field = document.One(names[i], r.Word(w))
		}
		fields = append(fields, field)
	}
	r.Sequence(e, fields)
}

// Finding is what one check of a host found.
type Finding struct {
	Check   string
	Verdict string // "ok", "warn" or "fail"
	Text    string
	Do      string // what would help; may be empty
}

// verdicts are what a check may come to.
var verdicts = []string{"ok", "warn", "fail"}

// The parts of findings.
var (
	finding = p("Finding")
	check   = p("Check")
	verdict = p("Verdict")
	says    = p("Text")
	helps   = p("Do")
)

// WriteFindings writes an element of that name: ProbeHostResponse or
// ProbeResponse.
func WriteFindings(enc *xmlstrict.Encoder, name xmlstrict.Name, all []Finding) {
	enc.Start(name)
	for _, f := range all {
		enc.Start(finding)
		enc.Element(check, f.Check)
		enc.Element(verdict, f.Verdict)
		enc.Element(says, f.Text)
		writeText(enc, helps, f.Do)
		enc.End()
	}
	enc.End()
}

// DecodeFindings reads a ProbeHostResponse or ProbeResponse element.
func DecodeFindings(doc *xmlstrict.Document, e *etree.Element) ([]Finding, error) {
	all, err := decode(doc, e, func(r *reader, e *etree.Element, v *[]Finding) {
		r.Sequence(e, []document.Field{document.Many(0, finding, func(e *etree.Element) {
			var f Finding
			r.Sequence(e, []document.Field{
				document.One(check, r.Word(&f.Check)),
				document.One(verdict, r.OneOf(&f.Verdict, "verdict", verdicts...)),
				document.One(says, r.Text(&f.Text)),
				document.Optional(helps, r.Text(&f.Do)),
			})
			*v = append(*v, f)
		})})
	}, ProbeHostResponse, ProbeResponse)
	if err != nil {
		return nil, err
	}
	return *all, nil
}

// hostReference is the part of AddHostResponse.
var hostReference = p("Reference")

// WriteAdded writes an AddHostResponse element.
func WriteAdded(enc *xmlstrict.Encoder, host wsa.EPR) {
	enc.Start(AddHostResponse)
	host.Write(enc, hostReference, wsa.V200508)
	enc.End()
}

// DecodeAdded reads an AddHostResponse element.
func DecodeAdded(doc *xmlstrict.Document, e *etree.Element) (*wsa.EPR, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *wsa.EPR) {
		r.Sequence(e, []document.Field{document.One(hostReference, r.epr(v))})
	}, AddHostResponse)
}

// givenUp is the part of ForgetResponse.
var givenUp = p("Workspace")

// WriteForgotten writes the keys of workspaces as a ForgetResponse element.
func WriteForgotten(enc *xmlstrict.Encoder, keys []string) {
	enc.Start(ForgetResponse)
	for _, k := range keys {
		enc.Element(givenUp, k)
	}
	enc.End()
}

// DecodeForgotten reads a ForgetResponse element.
func DecodeForgotten(doc *xmlstrict.Document, e *etree.Element) ([]string, error) {
	all, err := decode(doc, e, func(r *reader, e *etree.Element, v *[]string) {
		r.Sequence(e, []document.Field{document.Many(0, givenUp, r.Words(v))})
	}, ForgetResponse)
	if err != nil {
		return nil, err
	}
	return *all, nil
}

// Liveness is whether a host answers.
type Liveness struct {
	Answers   bool
	Since     time.Time // zero: nothing is known yet
	Version   string    // of its hypervisor
	LastError string    // why it did not answer last; told to operators alone
}

// The parts of a host's liveness.
var (
	answers   = p("Answers")
	since     = p("Since")
	version   = p("Version")
	lastError = p("LastError")
)

// Write writes the liveness as a PropertyLiveness element.
func (v *Liveness) Write(enc *xmlstrict.Encoder) {
	enc.Start(PropertyLiveness)
	enc.Element(answers, strconv.FormatBool(v.Answers))
	writeMoment(enc, since, v.Since)
	writeText(enc, version, v.Version)
	writeText(enc, lastError, v.LastError)
	enc.End()
}

func (r *reader) liveness(e *etree.Element, v *Liveness) {
	r.Sequence(e, []document.Field{
		document.One(answers, r.Bool(&v.Answers)),
		document.Optional(since, r.Time(&v.Since)),
		document.Optional(version, r.Text(&v.Version)),
		document.Optional(lastError, r.Text(&v.LastError)),
	})
}
