package wsdl

import "github.com/philoxenia/philoxenia/schema"

// notificationPorts is the namespace of the port types of WS-BaseNotification.
const notificationPorts = "http://docs.oasis-open.org/wsn/2004/06/" +
	"wsn-WS-BaseNotification-1.2-draft-01.wsdl"

// servicesOne are the rows of face one.
var servicesOne = []service{
	{
		name: "WorkspaceFactoryService", port: "WorkspaceFactoryPortType",
		file: "factory", space: schema.Workspace,
		properties: QName{schema.Workspace, "FactoryRPSet"},
		operations: append([]Operation{
			port{schema.Workspace, "WorkspaceFactoryPortType"}.own(
				"create", "create", "createResponse", types("WorkspaceCreationFault",
					"WorkspaceResourceRequestDeniedFault", "WorkspaceSchedulingFault",
					"WorkspaceMetadataFault")),
		}, propertyOperations...),
	},
	{
		name: "WorkspaceService", port: "WorkspacePortType",
		file: "workspace", space: schema.Workspace,
		properties: QName{schema.Workspace, "ServiceRPSet"},
		operations: join(
			port{schema.Workspace, "WorkspacePortType"}.commands("Workspace"),
			propertyOperations, producerOperations, lifetimeOperations),
	},
	{
		name: "WorkspaceGroupService", port: "WorkspaceGroupPortType",
		file: "group", space: schema.Group,
		operations: join(
			port{schema.Group, "WorkspaceGroupPortType"}.commands("Workspaces"),
			lifetimeOperations[:1]),
	},
	{
		name: "WorkspaceStatusService", port: "WorkspaceStatusPortType",
		file: "status", space: schema.Status,
		properties: QName{schema.Status, "StatusRPSet"},
		operations: append([]Operation{
			statusPort.own("queryUsedAndReservedTime",
				"queryUsedAndReserved", "usedAndReservedTime", statusFaults),
			statusPort.own("queryCurrentWorkspaces",
				"queryCurrentWorkspaces", "currentWorkspaces", statusFaults),
		}, propertyOperations...),
	},
	{
		name: "SubscriptionManagerService", port: "SubscriptionManager",
		file: "subscription_manager", space: notificationPorts,
		properties: QName{schema.BaseNotification, "SubscriptionManagerRP"},
		extra:      []string{schema.Core},
		operations: join(
			[]Operation{
				standard(schema.NotificationAction, schema.BaseNotification, "PauseSubscription",
					"ResourceUnknownFault", "PauseFailedFault"),
				standard(schema.NotificationAction, schema.BaseNotification, "ResumeSubscription",
					"ResourceUnknownFault", "ResumeFailedFault"),
			}, propertyOperations, lifetimeOperations),
	},
	{
		name: "NotificationConsumerService", port: "NotificationConsumer",
		file: "notification_consumer", space: notificationPorts,
		extra: []string{schema.Core, schema.CoreNotification, schema.Types},
		operations: []Operation{{
			Name: "Notify", Action: schema.NotificationAction + "Notify", OneWay: true,
			In: QName{schema.BaseNotification, "Notify"},
		}},
	},
}

// statusPort is the port type of the status service.
var statusPort = port{schema.Status, "WorkspaceStatusPortType"}

// statusFaults are the faults of the status service's own operations.
var statusFaults = []QName{{schema.Status, "WorkspaceStatusFault"}}

// propertyOperations read resource properties.
var propertyOperations = []Operation{
	standard(schema.PropertiesAction, schema.Properties, "GetResourceProperty",
		"ResourceUnknownFault", "InvalidResourcePropertyQNameFault"),
	standard(schema.PropertiesAction, schema.Properties, "GetMultipleResourceProperties",
		"ResourceUnknownFault", "InvalidResourcePropertyQNameFault"),
	standard(schema.PropertiesAction, schema.Properties, "QueryResourceProperties",
		"ResourceUnknownFault", "InvalidResourcePropertyQNameFault",
		"UnknownQueryExpressionDialectFault", "InvalidQueryExpressionFault",
		"QueryEvaluationErrorFault"),
}

// producerOperations are those of a notification producer.
var producerOperations = []Operation{
	standard(schema.NotificationAction, schema.BaseNotification, "Subscribe",
		"ResourceUnknownFault", "SubscribeCreationFailedFault", "InvalidTopicExpressionFault",
		"TopicNotSupportedFault", "TopicPathDialectUnknownFault"),
	standard(schema.NotificationAction, schema.BaseNotification, "GetCurrentMessage",
		"ResourceUnknownFault", "InvalidTopicExpressionFault", "TopicNotSupportedFault",
		"TopicPathDialectUnknownFault", "NoCurrentMessageOnTopicFault"),
}

// lifetimeOperations end a resource, now or at a time.
var lifetimeOperations = []Operation{
	standard(schema.LifetimeAction, schema.Lifetime, "Destroy",
		"ResourceUnknownFault", "ResourceNotDestroyedFault"),
	standard(schema.LifetimeAction, schema.Lifetime, "SetTerminationTime",
		"ResourceUnknownFault", "UnableToSetTerminationTimeFault",
		"TerminationTimeChangeRejectedFault"),
}

// port is a port type of the workspace service itself.
type port struct{ space, name string }

// own makes an operation whose elements are in the port type's namespace.
func (p port) own(name, in, out string, faults []QName) Operation {
	return Operation{
		Name:        name,
		Action:      p.space + "/" + p.name + "/" + name + "Request",
		ReplyAction: p.space + "/" + p.name + "/" + name + "Response",
		In:          QName{p.space, in},
		Out:         QName{p.space, out},
		Faults:      faults,
	}
}

// commands makes start and shutdown, whose elements end in what they act on.
func (p port) commands(object string) []Operation {
	return []Operation{
		p.own("start", "start"+object, "start"+object+"Response",
			types("WorkspaceUnknownFault", "OperationDisabledFault", "WorkspaceStartFault")),
		p.own("shutdown", "shutdown"+object, "shutdown"+object+"Response",
			types("WorkspaceUnknownFault", "OperationDisabledFault", "WorkspaceShutdownFault")),
	}
}

// standard makes an operation whose elements and faults are of one standard.
func standard(action, space, name string, faults ...string) Operation {
	op := Operation{
		Name:        name,
		Action:      action + name,
		ReplyAction: action + name + "Response",
		In:          QName{space, name},
		Out:         QName{space, name + "Response"},
	}
	for _, f := range faults {
		op.Faults = append(op.Faults, QName{space, f})
	}
	return op
}

// types makes names of the types namespace.
func types(locals ...string) []QName {
	var names []QName
	for _, l := range locals {
		names = append(names, QName{schema.Types, l})
	}
	return names
}

// join puts lists of operations behind one another.
func join(lists ...[]Operation) []Operation {
	var all []Operation
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
