package wsdl

import "github.com/philoxenia/philoxenia/schema"

// servicesTwo are the rows of face two. All port types are in the service's own
// namespace, and so are the messages that no standard has.
var servicesTwo = []service{
	{
		name: "WorkspaceFactory", file: "lease_factory",
		properties: lease("FactoryProperties"),
		headers:    []QName{lease("Explanation")},
		operations: join([]Operation{
			ours("WorkspaceFactory", "Create", creationFaults...),
			ours("WorkspaceFactory", "Plan", creationFaults...),
			ours("WorkspaceFactory", "QuerySchedule", "StatusFault"),
			ours("WorkspaceFactory", "QueryNetworks", "StatusFault"),
			ours("WorkspaceFactory", "HoldAddresses", "StatusFault"),
			ours("WorkspaceFactory", "ReleaseAddress", "StatusFault"),
		}, readTwo),
	},
	{
		name: "Workspace", file: "lease_workspace",
		properties: lease("WorkspaceProperties"),
		headers:    []QName{{schema.Workspace, "WorkspaceKey"}},
		operations: join(commandsTwo("Workspace"), consolesTwo, movesTwo, readTwo,
			writeTwo, producerTwo, lifetimeTwo),
	},
	{
		name: "Group", file: "lease_group",
		headers:    []QName{{schema.Group, "WorkspaceGroupKey"}},
		operations: join(commandsTwo("Group"), lifetimeTwo[:1]),
	},
	{
		name: "Status", file: "lease_status",
		properties: lease("StatusProperties"),
		operations: join([]Operation{ours("Status", "QueryUsage", "StatusFault")}, readTwo),
	},
	{
		name: "Workspaces", file: "lease_workspaces",
		properties: lease("WorkspacesProperties"),
		operations: join(readTwo, producerTwo),
	},
	{
		name: "Hosts", file: "lease_hosts",
		properties: lease("HostsProperties"),
		operations: join([]Operation{
			ours("Hosts", "AddHost", hostFaults...),
			ours("Hosts", "ProbeHost", hostFaults...),
		}, readTwo),
	},
	{
		name: "Host", file: "lease_host",
		properties: lease("HostProperties"),
		headers:    []QName{lease("HostKey")},
		operations: join([]Operation{
			ours("Host", "Probe", hostFaults...), ours("Host", "Forget", hostFaults...),
			ours("Host", "Evacuate", hostFaults...),
		}, readTwo, writeTwo, lifetimeTwo[:1]),
	},
	{
		name: "Images", file: "lease_images",
		operations: []Operation{
			aboutImages("AddImage"), aboutImages("RemoveImage"), aboutImages("ChangeImage"),
			aboutImages("QueryImages"), aboutImages("GetImage"), aboutImages("VerifyImage"),
		},
	},
	{
		name: "WorkspaceEntry", file: "lease_workspace_entry",
		properties: lease("EntryProperties"),
		headers:    []QName{{schema.Workspace, "WorkspaceKey"}},
		operations: readTwo,
	},
	{
		name: "HostEntry", file: "lease_host_entry",
		properties: lease("EntryProperties"),
		headers:    []QName{lease("HostKey")},
		operations: readTwo,
	},
	{
		name: "SubscriptionManager", file: "lease_subscription_manager",
		properties: lease("SubscriptionProperties"),
		headers:    []QName{{schema.Core, "SubscriptionKey"}},
		operations: join(subscriptionTwo, pauseTwo, readTwo, lifetimeTwo),
	},
	{
		name: "PullPoints", file: "lease_pull_points",
		headers:    []QName{lease("Wait")},
		operations: []Operation{createPullPoint, createPullPointSubscription},
	},
	{
		name: "PullPoint", file: "lease_pull_point",
		properties: lease("PullPointProperties"),
		headers:    []QName{lease("PullPointKey"), lease("Wait"), lease("SequenceNumber")},
		operations: join(pullTwo, subscriptionTwo, readTwo, lifetimeTwo),
	},
	{
		// What a client has to serve that listens: from this, stacks make its skeleton.
		name: "NotificationConsumer", file: "lease_notification_consumer",
		headers: []QName{lease("SequenceNumber"), {schema.Workspace, "WorkspaceKey"},
			{schema.Types, "currentState"}, {schema.Lifetime2, "TerminationNotification"},
			{schema.Properties2, "ResourcePropertyValueChangeNotification"},
			lease("leaseWarning"), lease("leaseStatus"), lease("transferProgress")},
		operations: []Operation{{
			Name: "Notify", Action: schema.Notification2Action + "NotificationConsumer/Notify",
			OneWay: true, In: QName{schema.BaseNotification2, "Notify"},
		}},
	},
}

// creationFaults are those of asking for workspaces.
var creationFaults = []string{
	"MetadataFault", "RequestDeniedFault", "SchedulingFault", "CreationFault",
}

// hostFaults are those of what operators do with hosts.
var hostFaults = []string{"RequestDeniedFault", "UnknownFault", "HostFault"}

// readTwo read resource properties (WS-ResourceProperties 1.2, section 5).
var readTwo = []Operation{
	published(schema.Properties2Action, "GetResourceProperty", resource(
		QName{schema.Properties2, "InvalidResourcePropertyQNameFault"})),
	published(schema.Properties2Action, "GetMultipleResourceProperties", resource(
		QName{schema.Properties2, "InvalidResourcePropertyQNameFault"})),
	published(schema.Properties2Action, "QueryResourceProperties", resource(
		names(schema.Properties2, "InvalidResourcePropertyQNameFault",
			"UnknownQueryExpressionDialectFault", "InvalidQueryExpressionFault",
			"QueryEvaluationErrorFault")...)),
	published(schema.Properties2Action, "GetResourcePropertyDocument", resource()),
}

// writeTwo write resource properties.
var writeTwo = []Operation{
	published(schema.Properties2Action, "SetResourceProperties",
		modification("SetResourcePropertyRequestFailedFault")),
	published(schema.Properties2Action, "PutResourcePropertyDocument", resource(
		QName{schema.Properties2, "UnableToPutResourcePropertyDocumentFault"})),
	published(schema.Properties2Action, "InsertResourceProperties",
		modification("InsertResourcePropertiesRequestFailedFault")),
	published(schema.Properties2Action, "UpdateResourceProperties",
		modification("UpdateResourcePropertiesRequestFailedFault")),
	published(schema.Properties2Action, "DeleteResourceProperties",
		modification("DeleteResourcePropertiesRequestFailedFault")),
}

// modification are the faults of a change of properties, of which one is its own.
func modification(failed string) []QName {
	return resource(names(schema.Properties2, "InvalidModificationFault",
		"UnableToModifyResourcePropertyFault", "InvalidResourcePropertyQNameFault", failed)...)
}

// lifetimeTwo end a resource, now or at a time (WS-ResourceLifetime 1.2).
var lifetimeTwo = []Operation{
	interfaced(schema.Lifetime2Action+"ImmediateResourceTermination", schema.Lifetime2,
		"Destroy", resource(QName{schema.Lifetime2, "ResourceNotDestroyedFault"})),
	interfaced(schema.Lifetime2Action+"ScheduledResourceTermination", schema.Lifetime2,
		"SetTerminationTime", resource(names(schema.Lifetime2,
			"UnableToSetTerminationTimeFault", "TerminationTimeChangeRejectedFault")...)),
}

// subscribeFaults are those of asking to be told something (WS-BaseNotification
// 1.3, section 4.2).
var subscribeFaults = append([]QName{resourceUnknown}, names(schema.BaseNotification2,
	"InvalidFilterFault", "TopicExpressionDialectUnknownFault", "InvalidTopicExpressionFault",
	"TopicNotSupportedFault", "InvalidProducerPropertiesExpressionFault",
	"InvalidMessageContentExpressionFault", "UnacceptableInitialTerminationTimeFault",
	"UnrecognizedPolicyRequestFault", "UnsupportedPolicyRequestFault",
	"NotifyMessageNotSupportedFault", "SubscribeCreationFailedFault")...)

// producerTwo are the operations of a notification producer.
var producerTwo = []Operation{
	notification("NotificationProducer", "Subscribe", subscribeFaults...),
	notification("NotificationProducer", "GetCurrentMessage", append([]QName{resourceUnknown},
		names(schema.BaseNotification2, "TopicExpressionDialectUnknownFault",
			"InvalidTopicExpressionFault", "TopicNotSupportedFault",
			"NoCurrentMessageOnTopicFault", "MultipleTopicsSpecifiedFault")...)...),
}

// subscriptionTwo are the operations of a subscription manager, and pauseTwo
// those of one that can pause.
var (
	subscriptionTwo = []Operation{
		notification("SubscriptionManager", "Renew", resourceUnknown,
			QName{schema.BaseNotification2, "UnacceptableTerminationTimeFault"}),
		notification("SubscriptionManager", "Unsubscribe", resourceUnknown,
			QName{schema.BaseNotification2, "UnableToDestroySubscriptionFault"}),
	}
	pauseTwo = []Operation{
		notification("PausableSubscriptionManager", "PauseSubscription", resourceUnknown,
			QName{schema.BaseNotification2, "PauseFailedFault"}),
		notification("PausableSubscriptionManager", "ResumeSubscription", resourceUnknown,
			QName{schema.BaseNotification2, "ResumeFailedFault"}),
	}
)

// The operations about pull points. ONVIF's are those of cameras' clients, which
// make a pull point and its subscription in one (ONVIF Core, section 9.2).
var (
	createPullPoint = notification("CreatePullPoint", "CreatePullPoint",
		QName{schema.BaseNotification2, "UnableToCreatePullPointFault"})
	createPullPointSubscription = interfaced(schema.ONVIFEvents+"/EventPortType",
		schema.ONVIFEvents, "CreatePullPointSubscription", subscribeFaults)
	pullTwo = []Operation{
		notification("PullPoint", "GetMessages", resourceUnknown,
			QName{schema.BaseNotification2, "UnableToGetMessagesFault"}),
		notification("PullPoint", "DestroyPullPoint", resourceUnknown,
			QName{schema.BaseNotification2, "UnableToDestroyPullPointFault"}),
		interfaced(schema.ONVIFEvents+"/PullPointSubscription", schema.ONVIFEvents,
			"PullMessages", []QName{{schema.ONVIFEvents, "PullMessagesFaultResponse"}}),
	}
)

// resourceUnknown says that the reference leads to nothing.
var resourceUnknown = QName{schema.Resource2, "ResourceUnknownFault"}

// resource puts the faults that every operation of WSRF has before others.
func resource(more ...QName) []QName {
	return append(names(schema.Resource2, "ResourceUnknownFault", "ResourceUnavailableFault"),
		more...)
}

// lease makes a name of the service's own namespace.
func lease(local string) QName { return QName{schema.Lease, local} }

// names makes names of a namespace.
func names(space string, locals ...string) []QName {
	var all []QName
	for _, l := range locals {
		all = append(all, QName{space, l})
	}
	return all
}

// ours makes an operation of this service's own.
func ours(service, name string, faults ...string) Operation {
	op := interfaced(schema.Lease+":"+service, schema.Lease, name, names(schema.Lease, faults...))
	op.Action = schema.Lease + ":" + service + ":" + name + "Request"
	op.ReplyAction = schema.Lease + ":" + service + ":" + name + "Response"
	return op
}

// aboutImages makes an operation of the image library, whose messages are in a
// namespace of their own.
func aboutImages(name string) Operation {
	op := ours("Images", name, "UnknownFault", "RequestDeniedFault", "MetadataFault",
		"SchedulingFault", "StatusFault")
	op.In, op.Out = QName{schema.Library, name}, QName{schema.Library, name + "Response"}
	return op
}

// commandsTwo makes start and shutdown, whose messages are the same for a
// workspace and for a group.
func commandsTwo(service string) []Operation {
	return []Operation{
		ours(service, "Start", "UnknownFault", "DisabledFault", "StartFault"),
		ours(service, "Shutdown", "UnknownFault", "DisabledFault", "ShutdownFault"),
	}
}

// consolesTwo bring people to workspaces.
var consolesTwo = []Operation{
	ours("Workspace", "OpenConsole", "UnknownFault", "DisabledFault", "ConsoleFault"),
	ours("Workspace", "ReadConsole", "UnknownFault", "DisabledFault", "ConsoleFault"),
}

// movesTwo move a workspace between hosts, and between states of it that its host
// keeps.
var movesTwo = []Operation{
	ours("Workspace", "Migrate", "UnknownFault", "RequestDeniedFault", "DisabledFault",
		"SchedulingFault", "MigrateFault"),
	ours("Workspace", "Snapshot", "UnknownFault", "DisabledFault", "SnapshotFault"),
	ours("Workspace", "QuerySnapshots", "UnknownFault", "SnapshotFault"),
}

// published makes an operation of WS-ResourceProperties, where each has an
// interface of its own name.
func published(stem, name string, faults []QName) Operation {
	return interfaced(stem+name, schema.Properties2, name, faults)
}

// notification makes an operation of an interface of WS-BaseNotification.
func notification(port, name string, faults ...QName) Operation {
	return interfaced(schema.Notification2Action+port, schema.BaseNotification2, name, faults)
}

// interfaced makes an operation whose actions are those that WS-Addressing 1.0,
// Metadata, section 4.4.4 gives to the messages of an interface.
func interfaced(port, space, name string, faults []QName) Operation {
	return Operation{
		Name:        name,
		Action:      port + "/" + name + "Request",
		ReplyAction: port + "/" + name + "Response",
		In:          QName{space, name},
		Out:         QName{space, name + "Response"},
		Faults:      faults,
	}
}
