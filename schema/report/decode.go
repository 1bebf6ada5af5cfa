package report

import (
	"math"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// reader reads the documents of this package.
type reader struct{ *document.Reader }

// decode reads the document at e, which must bear one of the names.
func decode[T any](doc *xmlstrict.Document, e *etree.Element,
	read func(*reader, *etree.Element, *T), names ...xmlstrict.Name) (*T, error) {
	r := &reader{document.NewReader(doc, names[0].Local)}
	return document.Decode(r.Reader, e, func(e *etree.Element, v *T) { read(r, e, v) }, names...)
}

// DecodeCreated reads the answer to a create message of either face, a
// CreateResponse or CreateLeaseResponse element.
func DecodeCreated(doc *xmlstrict.Document, e *etree.Element) (*Created, error) {
	return decode(doc, e, (*reader).created, CreateResponse, CreateLeaseResponse)
}

// DecodeState reads a t:currentState element.
func DecodeState(doc *xmlstrict.Document, e *etree.Element) (*CurrentState, error) {
	return decode(doc, e, (*reader).state, PropertyState)
}

// DecodeUsage reads the account of running time of either face, a UsageResponse
// or QueryUsageResponse element.
func DecodeUsage(doc *xmlstrict.Document, e *etree.Element) (*Usage, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, u *Usage) {
		used, reserved := usedTime, reservedTime
		if xmlstrict.Is(e, QueryUsageResponse) {
			used, reserved = leaseUsed, leaseReserved
		}
		r.Sequence(e, []document.Field{
			document.One(used, r.Duration(&u.Used, true)),
			document.One(reserved, r.Duration(&u.Reserved, true)),
		})
	}, UsageResponse, QueryUsageResponse)
}

// DecodeCurrentWorkspaces reads an s:currentWorkspaces element.
func DecodeCurrentWorkspaces(doc *xmlstrict.Document, e *etree.Element) (CurrentWorkspaces, error) {
	list, err := decode(doc, e, (*reader).list, ListResponse)
	if err != nil {
		return nil, err
	}
	return *list, nil
}

func (r *reader) created(e *etree.Element, c *Created) {
	if xmlstrict.Is(e, CreateLeaseResponse) {
		r.lease(e, c)
		return
	}
	r.Sequence(e, []document.Field{
		document.Many(1, created, func(e *etree.Element) {
			var one CreatedWorkspace
			r.Sequence(e, []document.Field{
				document.One(createdEPR, r.epr(&one.EPR)),
				document.One(PropertySchedule, bind(r.schedule, &one.Schedule)),
				document.One(networking, r.networking(&one.NICs)),
			})
			c.Workspaces = append(c.Workspaces, one)
		}),
		document.One(groupEPR, r.reference(&c.Group)),
		document.One(ensembleEPR, r.reference(&c.Ensemble)),
		document.One(contextEPR, r.reference(&c.Context)),
	})
}

// bind joins what reads an element to where the value goes.
func bind[T any](f func(*etree.Element, *T), to *T) func(*etree.Element) {
	return func(e *etree.Element) { f(e, to) }
}

// pointed does the same where the value may be absent.
func pointed[T any](f func(*etree.Element, *T), to **T) func(*etree.Element) {
	return func(e *etree.Element) {
		*to = new(T)
		f(e, *to)
	}
}

// epr returns what reads an endpoint reference.
func (r *reader) epr(to *wsa.EPR) func(*etree.Element) {
	return func(e *etree.Element) {
		v, err := wsa.ParseEPR(r.Document(), e)
		r.Adopt(e, err)
		*to = v
	}
}

// reference returns what reads an endpoint reference that may be nil.
func (r *reader) reference(to **wsa.EPR) func(*etree.Element) {
	return r.Nillable(func(e *etree.Element) {
		*to = new(wsa.EPR)
		r.epr(*to)(e)
	})
}

// networking returns what reads interfaces.
func (r *reader) networking(to *[]metadata.NIC) func(*etree.Element) {
	return func(e *etree.Element) {
		nics, err := metadata.DecodeNetworking(r.Document(), e)
		r.Adopt(e, err)
		*to = nics
	}
}

func (r *reader) logistics(to *[]metadata.NIC) func(*etree.Element) {
	return func(e *etree.Element) {
		r.Sequence(e, []document.Field{document.Optional(networking, r.networking(to))})
	}
}

func (r *reader) allocation(to *deployment.ResourceAllocation) func(*etree.Element) {
	return func(e *etree.Element) {
		v, err := deployment.DecodeAllocation(r.Document(), e)
		if r.Adopt(e, err); err == nil {
			*to = *v
		}
	}
}

func (r *reader) schedule(e *etree.Element, v *Schedule) {
	r.Sequence(e, []document.Field{
		document.Optional(instantiation, r.Time(&v.Start)),
		document.One(duration, r.Duration(&v.Duration, true)),
		document.Optional(termination, r.Time(&v.Termination)),
	})
}

func (r *reader) state(e *etree.Element, v *CurrentState) {
	r.Sequence(e, []document.Field{
		document.One(state, r.OneOf(&v.State, "state", states...)),
		document.Optional(workspaceFault, func(e *etree.Element) {
			fault, err := wsrf.ParseBaseFault(r.Document(), e)
			r.Adopt(e, err)
			v.Fault = &fault
		}),
	})
}

// states are the words of the schema for states.
var states = []string{"Unstaged", "Unpropagated", "Propagated", "Running", "Paused",
	"TransportReady", "StagedOut", "Corrupted", "Cancelled"}

func (r *reader) list(e *etree.Element, list *CurrentWorkspaces) {
	r.Sequence(e, []document.Field{
		document.Many(0, current, func(e *etree.Element) {
			var c CurrentWorkspace
			r.Sequence(e, []document.Field{
				document.One(currentEPR, r.epr(&c.EPR)),
				document.One(PropertyState, bind(r.state, &c.State)),
				document.One(PropertySchedule, bind(r.schedule, &c.Schedule)),
				document.One(PropertyAllocation, r.allocation(&c.Allocation)),
				document.One(PropertyLogistics, r.logistics(&c.NICs)),
				document.Optional(currentDetails, r.Text(&c.Details)),
			})
			*list = append(*list, c)
		}),
	})
}

// entryContent is what an entry of a service group tells of its member.
var entryContent = xmlstrict.Name{Space: schema.ServiceGroup2, Local: "Content"}

// DecodeEntry reads what the group of the caller's workspaces tells of one: the
// Content of its entry. Reference and details are not in it.
func DecodeEntry(doc *xmlstrict.Document, e *etree.Element) (*CurrentWorkspace, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, c *CurrentWorkspace) {
		r.Set(e, []document.Field{
			document.One(PropertyLogistics, r.logistics(&c.NICs)),
			document.One(PropertySchedule, bind(r.schedule, &c.Schedule)),
			document.One(PropertyAllocation, r.allocation(&c.Allocation)),
			document.One(PropertyState, bind(r.state, &c.State)),
		})
	}, entryContent)
}

// editionOf returns the edition of a property document.
func editionOf(e *etree.Element) wsrf.Edition {
	if xmlstrict.NameOf(e).Space == schema.Lease {
		return wsrf.Final
	}
	return wsrf.Draft
}

// DecodeFactoryProperties reads a FactoryRPSet or FactoryLeaseRPSet element.
func DecodeFactoryProperties(
	doc *xmlstrict.Document, e *etree.Element,
) (*FactoryProperties, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, p *FactoryProperties) {
		p.Edition = editionOf(e)
		r.Set(e, []document.Field{
			document.One(PropertyDefaultRunningTime, r.Duration(&p.DefaultRunningTime, true)),
			document.One(PropertyMaximumRunningTime, r.Duration(&p.MaximumRunningTime, true)),
			document.Many(0, PropertyArchitecture, func(e *etree.Element) {
				var word string
				metadata.ArchitectureName(r.Reader, &word)(e)
				p.Architectures = append(p.Architectures, word)
			}),
			document.Optional(PropertyVMM, func(e *etree.Element) {
				vmm, err := metadata.DecodeVMM(r.Document(), e)
				r.Adopt(e, err)
				p.VMM = vmm
			}),
			document.Optional(PropertyAssociations, func(e *etree.Element) {
				r.Sequence(e, []document.Field{
					document.Many(1, association, r.Words(&p.Associations)),
				})
			}),
		})
	}, FactoryRPSet, FactoryLeaseRPSet)
}

// DecodeServiceProperties reads a ServiceRPSet or ServiceLeaseRPSet element.
func DecodeServiceProperties(
	doc *xmlstrict.Document, e *etree.Element,
) (*ServiceProperties, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, p *ServiceProperties) {
		p.Edition = editionOf(e)
		names := p.Edition.Names()
		r.Set(e, []document.Field{
			document.One(PropertyLogistics, r.logistics(&p.NICs)),
			document.One(PropertySchedule, bind(r.schedule, &p.Schedule)),
			document.One(PropertyAllocation, r.allocation(&p.Allocation)),
			document.One(names.CurrentTime, r.Time(&p.CurrentTime)),
			document.One(names.TerminationTime, r.Nillable(r.Time(&p.TerminationTime))),
			document.One(PropertyState, bind(r.state, &p.State)),
			document.Optional(PropertyLease, pointed(r.standing, &p.Lease)),
			document.Optional(PropertyShape, deployment.ReadAmounts(r.Reader, &p.Shape)),
			document.Optional(PropertyExplanation, pointed(r.explanation, &p.Explanation)),
			document.Many(0, PropertyDiskImage, r.diskImages(&p.Images)),
			document.Optional(PropertyUse, pointed(r.use, &p.Use)),
		})
	}, ServiceRPSet, ServiceLeaseRPSet)
}

// DecodeStatusProperties reads a StatusRPSet or StatusLeaseRPSet element.
func DecodeStatusProperties(doc *xmlstrict.Document, e *etree.Element) (*StatusProperties, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, p *StatusProperties) {
		p.Edition = editionOf(e)
		r.Set(e, []document.Field{
			document.One(PropertyChargeGranularity, func(e *etree.Element) {
				whole := 0
				r.Int(&whole, 0, int(math.MaxInt64/time.Minute))(e)
				p.ChargeGranularity = time.Duration(whole) * time.Minute
			}),
		})
	}, StatusRPSet, StatusLeaseRPSet)
}
