package daemon

import (
	"cmp"
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// recorded holds requests as the original client sent them, with marks where
// identifiers, keys, times and addresses stood.
//
//go:embed testdata/*.xml
var recorded embed.FS

// A Message is a recorded request, ready to be sent with other values.
type Message struct {
	path   string
	action string
	text   string
}

const (
	workspaceNS   = "http://www.globus.org/2008/06/workspace"
	factoryPort   = workspaceNS + "/WorkspaceFactoryPortType"
	workspacePort = workspaceNS + "/WorkspacePortType"
	statusPort    = workspaceNS + "/status/WorkspaceStatusPortType"

	lifetimeNS = "http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceLifetime"
	propertyNS = "http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceProperties"
	notifyNS   = "http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification"

	factory   = "/wsrf/services/WorkspaceFactoryService"
	workspace = "/wsrf/services/WorkspaceService"
	group     = "/wsrf/services/WorkspaceGroupService"
	status    = "/wsrf/services/WorkspaceStatusService"
)

// The recorded requests.
var (
	Create       = load("create", factory, factoryPort+"/createRequest")
	CreateGroup  = load("create-group", factory, factoryPort+"/createRequest")
	State        = load("state", workspace, propertyNS+"/GetResourceProperty")
	Properties   = load("properties", workspace, propertyNS+"/QueryResourceProperties")
	Begin        = load("start", workspace, workspacePort+"/startRequest")
	Pause        = load("pause", workspace, workspacePort+"/shutdownRequest")
	Reboot       = load("reboot", workspace, workspacePort+"/shutdownRequest")
	Shutdown     = load("shutdown", workspace, workspacePort+"/shutdownRequest")
	Serialize    = load("serialize", workspace, workspacePort+"/shutdownRequest")
	Save         = load("save", workspace, workspacePort+"/shutdownRequest")
	Extend       = load("extend", workspace, lifetimeNS+"/SetTerminationTime")
	Subscribe    = load("subscribe", workspace, notifyNS+"/Subscribe")
	SubscribeEnd = load("subscribe-end", workspace, notifyNS+"/Subscribe")
	Destroy      = load("destroy", workspace, lifetimeNS+"/Destroy")
	DestroyGroup = load("group-destroy", group, lifetimeNS+"/Destroy")
	List         = load("list", status, statusPort+"/queryCurrentWorkspacesRequest")
)

// Requests on face two, written as its clients send them.
var (
	// StateTwo reads a workspace's state.
	StateTwo = load("state-two", "/ws/Workspace",
		propertyTwo+"GetResourceProperty/GetResourcePropertyRequest")
	// Lease asks for machines under terms, Resize gives one another amount of memory.
	Lease = load("lease", "/ws/WorkspaceFactory",
		"urn:philoxenia:2026:workspace:WorkspaceFactory:CreateRequest")
	Resize = load("resize", "/ws/Workspace",
		propertyTwo+"SetResourceProperties/SetResourcePropertiesRequest")
	// CountTwo asks how many of the caller's workspaces run.
	CountTwo = load("query-two", "/ws/Workspaces",
		propertyTwo+"QueryResourceProperties/QueryResourcePropertiesRequest")
	// CreatePullPoint makes one with a subscription to all workspaces.
	CreatePullPoint = load("pull-create", "/ws/PullPoints", "http://www.onvif.org/ver10/events/"+
		"wsdl/EventPortType/CreatePullPointSubscriptionRequest")
	// Pull fetches from a pull point.
	Pull = load("pull", "/ws/PullPoint", "http://docs.oasis-open.org/wsn/bw-2/PullPoint/"+
		"GetMessagesRequest")
)

// propertyTwo is the stem of the actions of WS-ResourceProperties 1.2.
const propertyTwo = "http://docs.oasis-open.org/wsrf/rpw-2/"

func load(name, path, action string) Message {
	text, err := recorded.ReadFile("testdata/" + name + ".xml")
	if err != nil {
		panic(err) // embedded at build time: cannot be missing
	}
	return Message{path: path, action: action, text: strings.TrimSpace(string(text))}
}

// Values are what a request is about.
type Values struct {
	Key      string    // of the workspace or group
	Time     time.Time // of an extension
	Consumer string    // URL of a subscription's consumer
	Message  string    // MessageID; empty: a new one

	// Of Create and CreateGroup: the network and the image, by default those that were
	// recorded, and what else is wanted, such as what Staged returns.
	Association, Image, Optional string

	// Of a lease: how many machines (of a group 3 by default), how long they run, what Terms
	// returns; and what Resize gives.
	Nodes    int
	Duration time.Duration
	Terms    string
	MemoryMB int

	// Of requests about hosts and snapshots.
	Host         string
	Cold         bool
	Action, Name string
	Spec         string // of a host to be added: its elements after the name

	// Of requests about addresses and images: an image of the library is added as Name and
	// Version, and else referred to by Name alone.
	First, Last, Version string
}

// Terms writes lease terms: a kind such as best-effort, a start unless it is
// zero, and whether the lease may be interrupted.
func Terms(kind string, start time.Time, preemptible bool) string {
	text := "<q:Kind>" + kind + "</q:Kind>"
	if !start.IsZero() {
		text += "<q:Start>" + start.UTC().Format(timeForm) + "</q:Start>"
	}
	if preemptible {
		text += "<q:Preemptible>true</q:Preemptible>"
	}
	return text
}

// Staged writes, for Values.Optional, that a file is brought to another place before images
// are, and one brought away after they were returned.
func Staged(in, at, out string) string {
	const types = ` xmlns="` + workspaceNS + `/types">`
	transfer := func(name, from, to string) string {
		return "<" + name + types + "<sourceURL>" + from + "</sourceURL><destURL>" + to +
			"</destURL></" + name + ">"
	}
	return transfer("stageIn", in, at) + transfer("stageOut", at, out)
}

// timeForm is how times are written: to the millisecond.
const timeForm = "2006-01-02T15:04:05.000Z"

// serial makes message identifiers that differ over processes and calls.
var serial atomic.Int64

var birth = time.Now().UnixNano()

// NewMessageID returns an identifier that was not used before.
func NewMessageID() string {
	return fmt.Sprintf("%016x-%08x", birth, serial.Add(1))
}

// Body returns the request's envelope with the values in their places.
func (m Message) Body(v Values) []byte {
	if v.Message == "" {
		v.Message = NewMessageID()
	}
	return []byte(strings.NewReplacer(
		"{message}", v.Message,
		"{key}", v.Key,
		"{time}", v.Time.UTC().Format(timeForm),
		"{consumer}", v.Consumer,
		"{association}", cmp.Or(v.Association, "public"),
		"{image}", cmp.Or(v.Image, "file://ttylinux-xen"),
		"{optional}", v.Optional,
		"{nodes}", strconv.Itoa(cmp.Or(v.Nodes, 3)),
		"{duration}", fmt.Sprintf("PT%.3fS", v.Duration.Seconds()),
		"{terms}", v.Terms,
		"{memory}", strconv.Itoa(v.MemoryMB),
		"{host}", v.Host,
		"{cold}", strconv.FormatBool(v.Cold),
		"{action}", v.Action,
		"{name}", v.Name,
		"{spec}", v.Spec,
		"{first}", v.First,
		"{last}", v.Last,
		"{version}", v.Version,
	).Replace(m.text))
}

// Post sends a body that was made before and returns the reply's status and
// body, which is valid until the caller's next call.
func (c *Caller) Post(m Message, body []byte) (int, []byte, error) {
	return c.Call(m.path, m.action, body)
}

// Send sends the request and returns the reply's status and body, which is
// valid until the caller's next call.
func (c *Caller) Send(m Message, v Values) (int, []byte, error) {
	return c.Call(m.path, m.action, m.Body(v))
}
