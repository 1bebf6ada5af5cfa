package report

import (
	"strconv"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Names used for every workspace are made once.
var (
	state          = t("state")
	duration       = t("Duration")
	instantiation  = t("ActualInstantiationTime")
	termination    = t("ActualTerminationTime")
	workspaceFault = t("WorkspaceFault")
	current        = s("oneCurrentWorkspace")
	currentEPR     = s("epr")
	currentDetails = s("details")
	created        = t("CreatedWorkspace")
	createdEPR     = t("epr")
	groupEPR       = t("GroupEPR")
	ensembleEPR    = t("EnsembleEPR")
	contextEPR     = t("ContextEPR")
	association    = t("association")
	usedTime       = s("usedTime")
	reservedTime   = s("reservedTime")
	networking     = l("networking")
	dialect        = xmlstrict.Name{Space: schema.BaseNotification, Local: "Dialect"}
)

// Write writes the answer as face one has it, a CreateResponse element.
func (c *Created) Write(enc *xmlstrict.Encoder) {
	enc.Start(CreateResponse)
	enc.Declare(schema.Addressing, schema.Types, schema.Logistics)
	for i := range c.Workspaces {
		one := &c.Workspaces[i]
		enc.Start(created)
		one.EPR.Write(enc, createdEPR, wsa.V200403)
		one.Schedule.Write(enc)
		metadata.WriteNetworking(enc, one.NICs)
		enc.End()
	}
	reference(enc, groupEPR, c.Group)
	reference(enc, ensembleEPR, c.Ensemble)
	reference(enc, contextEPR, c.Context)
	enc.End()
}

// reference writes an endpoint reference that may be nil on the wire too.
func reference(enc *xmlstrict.Encoder, name xmlstrict.Name, epr *wsa.EPR) {
	if epr == nil {
		enc.Nil(name)
		return
	}
	epr.Write(enc, name, wsa.V200403)
}

// Write writes the schedule as a t:schedule element.
func (v Schedule) Write(enc *xmlstrict.Encoder) {
	enc.Start(PropertySchedule)
	if !v.Start.IsZero() {
		enc.Element(instantiation, wsrf.FormatTime(v.Start))
	}
	enc.Element(duration, wsrf.FormatDuration(v.Duration))
	if !v.Termination.IsZero() {
		enc.Element(termination, wsrf.FormatTime(v.Termination))
	}
	enc.End()
}

// Write writes the state as a t:currentState element.
func (v CurrentState) Write(enc *xmlstrict.Encoder) {
	enc.Start(PropertyState)
	enc.Element(state, v.State)
	if v.Fault != nil {
		fault := *v.Fault
		fault.Name = workspaceFault
		fault.Write(enc)
	}
	enc.End()
}

// Write writes the account as face one has it, a UsageResponse element.
func (u Usage) Write(enc *xmlstrict.Encoder) {
	enc.Start(UsageResponse)
	enc.Element(usedTime, minutes(u.Used))
	enc.Element(reservedTime, minutes(u.Reserved))
	enc.End()
}

// minutes writes whole minutes as such, because the original's clients read
// the minutes of these durations and nothing else.
func minutes(d time.Duration) string {
	if d%time.Minute != 0 {
		return wsrf.FormatDuration(d)
	}
	return "PT" + strconv.FormatInt(int64(d/time.Minute), 10) + "M"
}

// Write writes the list as an s:currentWorkspaces element.
func (list CurrentWorkspaces) Write(enc *xmlstrict.Encoder) {
	enc.Start(ListResponse)
	enc.Declare(schema.Addressing, schema.Workspace, schema.Types, schema.Negotiable,
		schema.JSDL, schema.Logistics)
	for i := range list {
		list[i].write(enc)
	}
	enc.End()
}

func (c *CurrentWorkspace) write(enc *xmlstrict.Encoder) {
	enc.Start(current)
	c.EPR.Write(enc, currentEPR, wsa.V200403)
	c.State.Write(enc)
	c.Schedule.Write(enc)
	c.Allocation.Write(enc)
	writeLogistics(enc, c.NICs)
	if c.Details != "" {
		enc.Element(currentDetails, c.Details)
	}
	enc.End()
}

// writeLogistics writes interfaces as an l:logistics element.
func writeLogistics(enc *xmlstrict.Encoder, nics []metadata.NIC) {
	enc.Start(PropertyLogistics)
	if len(nics) > 0 {
		metadata.WriteNetworking(enc, nics)
	}
	enc.End()
}
