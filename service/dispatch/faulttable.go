package dispatch

import (
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// faultNames are the faults of one operation by kind of error. A name that is
// not given is that of other.
type faultNames struct {
	invalid  xmlstrict.Name // Invalid
	denied   xmlstrict.Name // Denied, Quota, NoResource
	unknown  xmlstrict.Name // NotFound
	conflict xmlstrict.Name // Conflict
	busy     xmlstrict.Name // Busy, Transient, Unavailable
	other    xmlstrict.Name // the rest, Internal above all
}

// A faultTable has the faults of a face by operation.
type faultTable struct {
	plain      xmlstrict.Name // what an operation declares no fault for
	operations map[string]faultNames
}

// faultTables are the tables by face.
var faultTables = map[wsdl.Face]faultTable{wsdl.One: faultsOne, wsdl.Two: faultsTwo}

var (
	types     = xmlstrict.In(schema.Types)
	lease     = xmlstrict.In(schema.Lease)
	property2 = xmlstrict.In(schema.Properties2)
	lifetime2 = xmlstrict.In(schema.Lifetime2)
	notify2   = xmlstrict.In(schema.BaseNotification2)
)

// The names that the drafts have for faults.
var (
	resources     = wsrf.Draft.Names()
	notifications = wsn.Draft.Names()
)

// plainOne types what an operation of face one declares no fault for.
var plainOne = xmlstrict.Name{Space: schema.BaseFaults, Local: "BaseFault"}

// readFaults are those of the three ways to ask for resource properties.
var readFaults = faultNames{unknown: resources.UnknownToProperties, other: plainOne}

var statusFault = xmlstrict.Name{Space: schema.Status, Local: "WorkspaceStatusFault"}

// faultsOne are the faults of face one (contract, sections 1.1 to 1.5 and 3).
var faultsOne = faultTable{plainOne, map[string]faultNames{
	"create": {
		invalid: types("WorkspaceMetadataFault"),
		unknown: types("WorkspaceMetadataFault"),
		denied:  types("WorkspaceResourceRequestDeniedFault"),
		busy:    types("WorkspaceSchedulingFault"),
		other:   types("WorkspaceCreationFault"),
	},
	"start": {
		unknown:  types("WorkspaceUnknownFault"),
		conflict: types("OperationDisabledFault"),
		other:    types("WorkspaceStartFault"),
	},
	"shutdown": {
		unknown:  types("WorkspaceUnknownFault"),
		conflict: types("OperationDisabledFault"),
		other:    types("WorkspaceShutdownFault"),
	},
	"queryUsedAndReservedTime": {other: statusFault},
	"queryCurrentWorkspaces":   {other: statusFault},

	"GetResourceProperty":           readFaults,
	"GetMultipleResourceProperties": readFaults,
	"QueryResourceProperties":       readFaults,
	"Destroy": {
		unknown: resources.UnknownToLifetime, other: resources.ResourceNotDestroyed,
	},
	"SetTerminationTime": {
		unknown: resources.UnknownToLifetime,
		invalid: resources.TerminationTimeChangeRejected,
		denied:  resources.TerminationTimeChangeRejected,
		other:   resources.UnableToSetTerminationTime,
	},
	"Subscribe": {
		unknown: notifications.ResourceUnknown, other: notifications.SubscribeCreationFailed,
	},
	"GetCurrentMessage": {unknown: notifications.ResourceUnknown, other: plainOne},
	"PauseSubscription": {
		unknown: notifications.ResourceUnknown, other: notifications.PauseFailed,
	},
	"ResumeSubscription": {
		unknown: notifications.ResourceUnknown, other: notifications.ResumeFailed,
	},
}}

// The faults that every operation on a resource has (WS-Resource 1.2, 5).
var (
	unknown2     = xmlstrict.Name{Space: schema.Resource2, Local: "ResourceUnknownFault"}
	unavailable2 = xmlstrict.Name{Space: schema.Resource2, Local: "ResourceUnavailableFault"}
)

// plainTwo types what an operation of face two declares no fault for.
var plainTwo = xmlstrict.Name{Space: schema.BaseFaults2, Local: "BaseFault"}

// readFaults2 are those of the four ways to ask for resource properties.
var readFaults2 = faultNames{unknown: unknown2, busy: unavailable2, other: plainTwo}

// writing returns the faults of a way to write resource properties
// (WS-ResourceProperties 1.2, 5.6 to 5.10), of which failed is its own.
func writing(failed string) faultNames {
	unable := property2("UnableToModifyResourcePropertyFault")
	return faultNames{
		invalid: property2("InvalidModificationFault"), denied: unable, conflict: unable,
		unknown: unknown2, busy: unavailable2, other: property2(failed),
	}
}

// changeFaults are the faults about changes of properties, all of which say what
// became of the values there were (WS-ResourceProperties 1.2, 5.6 to 5.10). Here
// that is always the same: a change that fails changes nothing.
var changeFaults = map[xmlstrict.Name]bool{
	property2("InvalidModificationFault"):                   true,
	property2("UnableToModifyResourcePropertyFault"):        true,
	property2("UnableToPutResourcePropertyDocumentFault"):   true,
	property2("SetResourcePropertyRequestFailedFault"):      true,
	property2("InsertResourcePropertiesRequestFailedFault"): true,
	property2("UpdateResourcePropertiesRequestFailedFault"): true,
	property2("DeleteResourcePropertiesRequestFailedFault"): true,
}

// resource returns the faults of an operation on a resource that has one of
// its own.
func resource(own xmlstrict.Name) faultNames {
	return faultNames{unknown: unknown2, other: own}
}

// creationFaults are those of asking for workspaces, or what they would be.
var creationFaults = faultNames{
	invalid: lease("MetadataFault"), unknown: lease("MetadataFault"),
	denied: lease("RequestDeniedFault"), busy: lease("SchedulingFault"),
	other: lease("CreationFault"),
}

// hostFaults are those of what operators do with hosts.
var hostFaults = faultNames{
	denied: lease("RequestDeniedFault"), unknown: lease("UnknownFault"), other: lease("HostFault"),
}

// imageFaults are those of operations of the image library.
var imageFaults = faultNames{
	invalid: lease("MetadataFault"), conflict: lease("MetadataFault"),
	unknown: lease("UnknownFault"), denied: lease("RequestDeniedFault"),
	busy: lease("SchedulingFault"), other: lease("StatusFault"),
}

// consoleFaults are those of being connected to a workspace.
var consoleFaults = faultNames{
	unknown: lease("UnknownFault"), conflict: lease("DisabledFault"), other: lease("ConsoleFault"),
}

// faultsTwo are the faults of face two: the service's own, and those of
// WS-ResourceProperties 1.2, WS-ResourceLifetime 1.2 and WS-BaseNotification 1.3.
var faultsTwo = faultTable{plainTwo, map[string]faultNames{
	"Create": creationFaults,
	"Plan":   creationFaults,

	"AddHost": hostFaults, "ProbeHost": hostFaults, "Probe": hostFaults, "Forget": hostFaults,
	"Evacuate": hostFaults,

	"QuerySchedule":  {other: lease("StatusFault")},
	"QueryNetworks":  {other: lease("StatusFault")},
	"HoldAddresses":  {other: lease("StatusFault")},
	"ReleaseAddress": {other: lease("StatusFault")},
	"Start": {
		unknown: lease("UnknownFault"), conflict: lease("DisabledFault"),
		other: lease("StartFault"),
	},
	"Shutdown": {
		unknown: lease("UnknownFault"), conflict: lease("DisabledFault"),
		other: lease("ShutdownFault"),
	},
	"OpenConsole": consoleFaults,
	"ReadConsole": consoleFaults,
	"QueryUsage":  {other: lease("StatusFault")},
	"Migrate": {
		unknown: lease("UnknownFault"), denied: lease("RequestDeniedFault"),
		conflict: lease("DisabledFault"), busy: lease("SchedulingFault"),
		other: lease("MigrateFault"),
	},
	"Snapshot": {
		unknown: lease("UnknownFault"), conflict: lease("DisabledFault"),
		other: lease("SnapshotFault"),
	},
	"QuerySnapshots": {unknown: lease("UnknownFault"), other: lease("SnapshotFault")},

	"AddImage": imageFaults, "RemoveImage": imageFaults, "ChangeImage": imageFaults,
	"QueryImages": imageFaults, "GetImage": imageFaults, "VerifyImage": imageFaults,

	"GetResourceProperty":           readFaults2,
	"GetMultipleResourceProperties": readFaults2,
	"QueryResourceProperties":       readFaults2,
	"GetResourcePropertyDocument":   readFaults2,

	"SetResourceProperties": writing("SetResourcePropertyRequestFailedFault"),
	"PutResourcePropertyDocument": {
		unknown: unknown2, busy: unavailable2,
		other: property2("UnableToPutResourcePropertyDocumentFault"),
	},
	"InsertResourceProperties": writing("InsertResourcePropertiesRequestFailedFault"),
	"UpdateResourceProperties": writing("UpdateResourcePropertiesRequestFailedFault"),
	"DeleteResourceProperties": writing("DeleteResourcePropertiesRequestFailedFault"),

	"Destroy": resource(lifetime2("ResourceNotDestroyedFault")),
	"SetTerminationTime": {
		unknown: unknown2, busy: unavailable2,
		invalid: lifetime2("TerminationTimeChangeRejectedFault"),
		denied:  lifetime2("TerminationTimeChangeRejectedFault"),
		other:   lifetime2("UnableToSetTerminationTimeFault"),
	},

	"Subscribe":          resource(notify2("SubscribeCreationFailedFault")),
	"GetCurrentMessage":  resource(plainTwo),
	"PauseSubscription":  resource(notify2("PauseFailedFault")),
	"ResumeSubscription": resource(notify2("ResumeFailedFault")),
	"Renew":              resource(plainTwo), // the port names the earliest time in its own fault
	"Unsubscribe":        resource(notify2("UnableToDestroySubscriptionFault")),

	"CreatePullPoint":             {other: notify2("UnableToCreatePullPointFault")},
	"CreatePullPointSubscription": {other: notify2("SubscribeCreationFailedFault")},
	"GetMessages":                 resource(notify2("UnableToGetMessagesFault")),
	"PullMessages":                resource(notify2("UnableToGetMessagesFault")),
	"DestroyPullPoint":            resource(notify2("UnableToDestroyPullPointFault")),
}}

// faultsOf returns the row of an operation.
func faultsOf(face wsdl.Face, operation string) *faultNames {
	table := faultTables[face]
	row, ok := table.operations[operation]
	if !ok {
		row = faultNames{other: table.plain}
	}
	for _, name := range []*xmlstrict.Name{
		&row.invalid, &row.denied, &row.unknown, &row.conflict, &row.busy,
	} {
		if *name == (xmlstrict.Name{}) {
			*name = row.other
		}
	}
	return &row
}

// of returns the fault for a kind of error.
func (f *faultNames) of(kind workspace.Kind) xmlstrict.Name {
	switch kind {
	case workspace.Invalid:
		return f.invalid
	case workspace.Denied, workspace.Quota, workspace.NoResource:
		return f.denied
	case workspace.NotFound:
		return f.unknown
	case workspace.Conflict:
		return f.conflict
	case workspace.Busy, workspace.Transient, workspace.Unavailable:
		return f.busy
	}
	return f.other
}

// unrouted are the faults of a request whose operation is not known yet.
var unrouted = map[wsdl.Face]*faultNames{
	wsdl.One: faultsOf(wsdl.One, ""), wsdl.Two: faultsOf(wsdl.Two, ""),
}

// The actions of messages with a typed fault (WS-ResourceProperties 1.2, 5;
// WS-BaseNotification 1.3, 2).
const (
	resourceFaultAction = "http://docs.oasis-open.org/wsrf/fault"
	notifyFaultAction   = "http://docs.oasis-open.org/wsn/fault"
)

// actionOf returns the action of a message with a typed fault.
func actionOf(name xmlstrict.Name) string {
	if name.Space == schema.BaseNotification2 {
		return notifyFaultAction
	}
	return resourceFaultAction
}
