package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// wish is what the examples lease: machines with one disk and one network
// interface each.
func wish(nodes int) client.Request {
	return client.Request{
		Metadata: &metadata.VirtualWorkspace{
			Name: "urn:example:worker",
			NICs: []metadata.NIC{
				{Name: "eth0", Method: metadata.AllocateAndConfigure, Association: "public"},
			},
			Definition: metadata.Definition{
				Architecture: "x86", VMM: &metadata.VMM{Type: "Xen", Versions: []string{"3"}},
				Root: metadata.Disk{Location: "file://ttylinux-xen", MountAs: "sda1"},
			},
		},
		Deployment: &deployment.WorkspaceDeployment{
			MinDuration: 30 * time.Minute, InitialState: deployment.Running, Nodes: nodes,
			Allocation: deployment.ResourceAllocation{Memory: deployment.Exactly(64)},
		},
	}
}

// connect returns a client of the service that the examples ask.
func connect() (context.Context, context.CancelFunc, *client.Client) {
	c, err := client.New(demo.URL(), client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	// Only what hangs takes so long. It begins here: the first to ask waits for a build.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	return ctx, func() { cancel(); c.Close() }, c
}

// lease leases a machine and waits until it runs.
func lease(ctx context.Context, c *client.Client) wsa.EPR {
	created, err := c.Create(ctx, wish(1))
	if err != nil {
		log.Fatal(err)
	}
	machine := created.Workspaces[0].EPR
	await(ctx, c, client.Running, machine)
	return machine
}

// await waits until each workspace is in a state.
func await(ctx context.Context, c *client.Client, state string, all ...wsa.EPR) {
	watcher := notify.New(c, notify.Options{Poll: 20 * time.Millisecond})
	if err := watcher.Add(ctx, "", all...); err != nil {
		log.Fatal(err)
	}
	there := map[string]bool{}
	err := watcher.Run(ctx, func(e notify.Event) bool {
		if e.State == state {
			there[e.Workspace] = true
		}
		return len(there) < len(all)
	})
	if err != nil {
		log.Fatal(err)
	}
}

// Lease a machine, wait until it runs, and give it back.
func Example() {
	c, err := client.New(demo.URL(), client.Options{}) // http://127.0.0.1:8080
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	created, err := c.Create(ctx, client.Request{
		Metadata: &metadata.VirtualWorkspace{
			Name: "urn:example:worker",
			NICs: []metadata.NIC{
				{Name: "eth0", Method: metadata.AllocateAndConfigure, Association: "public"},
			},
			Definition: metadata.Definition{
				Architecture: "x86",
				Root:         metadata.Disk{Location: "file://ttylinux-xen", MountAs: "sda1"},
			},
		},
		Deployment: &deployment.WorkspaceDeployment{
			MinDuration: 30 * time.Minute, InitialState: deployment.Running, Nodes: 1,
			Allocation: deployment.ResourceAllocation{Memory: deployment.Exactly(64)},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	machine := created.Workspaces[0].EPR
	watcher := notify.New(c, notify.Options{}) // without a receiver it asks every two seconds
	if err := watcher.Add(ctx, client.Unstaged, machine); err != nil {
		log.Fatal(err)
	}
	err = watcher.Run(ctx, func(e notify.Event) bool { return e.State != client.Running })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("it runs")
	if err := c.Destroy(ctx, machine); err != nil {
		log.Fatal(err)
	}
	// Output: it runs
}

// A request whose answer was lost is repeated under its MessageID, and leases
// nothing twice.
func ExampleClient_Create() {
	ctx, done, c := connect()
	defer done()
	request := wish(1)
	request.MessageID = "urn:uuid:8c6f1f0e-7a6b-4c0e-9a58-0d4d0c5b1f2a"
	first, err := c.Create(ctx, request)
	if err != nil {
		log.Fatal(err)
	}
	second, err := c.Create(ctx, request)
	if err != nil {
		log.Fatal(err)
	}
	machine := first.Workspaces[0].EPR
	fmt.Println(client.Key(machine) == client.Key(second.Workspaces[0].EPR))
	if err := c.Destroy(ctx, machine); err != nil {
		log.Fatal(err)
	}
	// Output: true
}

// A fault says what kind of refusal it is.
func ExampleFault() {
	ctx, done, c := connect()
	defer done()
	err := c.Start(ctx, c.Workspace("4711"))
	var fault *client.Fault
	if errors.As(err, &fault) {
		fmt.Println(fault.Name.Local)
	}
	fmt.Println(errors.Is(err, client.ErrUnknown), errors.Is(err, client.ErrDenied))
	// Output:
	// WorkspaceUnknownFault
	// true false
}

// The whole property document, or some properties by name.
func ExampleClient_Properties() {
	ctx, done, c := connect()
	defer done()
	machine := lease(ctx, c)
	properties, err := c.Properties(ctx, machine)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(properties.State.State, properties.Schedule.Duration, properties.NICs[0].Name)
	two, err := c.Property(ctx, machine, report.PropertyState, report.PropertySchedule)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(two[0].Tag, two[1].Tag)
	if err := c.Destroy(ctx, machine); err != nil {
		log.Fatal(err)
	}
	// Output:
	// Running 30m0s eth0
	// currentState schedule
}

// XPath finds what is wanted alone, also among all that the caller has.
func ExampleClient_Query() {
	ctx, done, c := connect()
	defer done()
	machine := lease(ctx, c)
	spaces := map[string]string{"t": schema.Types, "l": schema.Logistics}
	found, err := c.Query(ctx, machine, "//l:nic[l:association = 'public']/l:name", spaces)
	if err != nil {
		log.Fatal(err)
	}
	running, err := c.QueryValue(ctx, c.AllWorkspaces(),
		"count(//t:currentState[t:state = 'Running'])", spaces)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found[0].Text(), running)
	if err := c.Destroy(ctx, machine); err != nil {
		log.Fatal(err)
	}
	// Output: eth0 1
}

// The end of the lease and the running time of the guest, both or none.
func ExampleClient_Renegotiate() {
	ctx, done, c := connect()
	defer done()
	machine := lease(ctx, c)
	before, err := c.Properties(ctx, machine)
	if err != nil {
		log.Fatal(err)
	}
	err = c.Renegotiate(ctx, machine, client.Terms{
		Until: before.TerminationTime.Add(30 * time.Minute), Duration: time.Hour,
	})
	if err != nil {
		log.Fatal(err)
	}
	after, err := c.Properties(ctx, machine)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(after.TerminationTime.Sub(before.TerminationTime), after.Schedule.Duration)
	if err := c.Destroy(ctx, machine); err != nil {
		log.Fatal(err)
	}
	// Output: 30m0s 1h0m0s
}

// A lease has an end by policy.
func ExampleClient_SetTerminationTime() {
	ctx, done, c := connect()
	defer done()
	machine := lease(ctx, c)
	wish := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	set, err := c.SetTerminationTime(ctx, machine, wish)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Equal(wish))
	_, err = c.SetTerminationTime(ctx, machine, time.Now().AddDate(10, 0, 0))
	fmt.Println(errors.Is(err, client.ErrDenied))
	if err := c.Destroy(ctx, machine); err != nil {
		log.Fatal(err)
	}
	// Output:
	// true
	// true
}

// A group is handled as one.
func ExampleClient_Shutdown() {
	ctx, done, c := connect()
	defer done()
	created, err := c.Create(ctx, wish(3))
	if err != nil {
		log.Fatal(err)
	}
	var members []wsa.EPR
	for _, w := range created.Workspaces {
		members = append(members, w.EPR)
	}
	await(ctx, c, client.Running, members...)
	if err := c.Shutdown(ctx, *created.Group, client.Pause, ""); err != nil {
		log.Fatal(err)
	}
	await(ctx, c, client.Paused, members...)
	fmt.Println(len(members), "are paused")
	if err := c.Destroy(ctx, *created.Group); err != nil {
		log.Fatal(err)
	}
	// Output: 3 are paused
}

// Messages wait in a pull point until they are taken. A condition holds back
// those that are not wanted.
func ExampleClient_Subscribe() {
	ctx, done, c := connect()
	defer done()
	machine := lease(ctx, c)
	pullPoint, err := c.CreatePullPoint(ctx, time.Now().Add(time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	subscription, err := c.Subscribe(ctx, client.Subscription{
		Producer: machine, Consumer: pullPoint,
		Topics: []client.Topic{client.TopicState},
		Saying: &client.Expression{
			Text: "//t:state = 'Paused'", Spaces: map[string]string{"t": schema.Types},
		},
		For: time.Hour,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := c.Shutdown(ctx, machine, client.Pause, ""); err != nil {
		log.Fatal(err)
	}
	messages, err := c.Messages(ctx, pullPoint, client.Ask{Wait: 30 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range messages {
		fmt.Println(client.Key(m.Producer) == client.Key(machine), m.State.Name, m.Number)
	}
	if err := c.Unsubscribe(ctx, subscription.EPR); err != nil {
		log.Fatal(err)
	}
	if err := c.DestroyPullPoint(ctx, pullPoint); err != nil {
		log.Fatal(err)
	}
	if err := c.Destroy(ctx, machine); err != nil {
		log.Fatal(err)
	}
	// Output: true Paused 1
}

// A subscription can be paused, renewed, and asked how it fares.
func ExampleClient_SubscriptionProperties() {
	ctx, done, c := connect()
	defer done()
	pullPoint, err := c.CreatePullPoint(ctx, time.Now().Add(time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	all, err := c.Subscribe(ctx, client.Subscription{
		Producer: c.AllWorkspaces(), Consumer: pullPoint, // every topic, also of those to come
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := c.PauseSubscription(ctx, all.EPR); err != nil {
		log.Fatal(err)
	}
	ends, err := c.Renew(ctx, all.EPR, time.Now().Add(time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	p, err := c.SubscriptionProperties(ctx, all.EPR)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Paused, p.Because == "", p.Ends.Equal(ends), p.Last)
	if err := c.ResumeSubscription(ctx, all.EPR); err != nil {
		log.Fatal(err)
	}
	if err := c.DestroyPullPoint(ctx, pullPoint); err != nil { // and its subscriptions
		log.Fatal(err)
	}
	// Output: true true true 0
}

// The hosts of the pool are a service group.
func ExampleClient_Hosts() {
	ctx, done, c := connect()
	defer done()
	hosts, err := c.Hosts(ctx)
	if err != nil {
		log.Fatal(err)
	}
	used, there := 0, 0 // of what was destroyed some may still be cleared away
	for _, h := range hosts {
		used, there = used+h.MemoryMBUsed, there+h.MemoryMB
	}
	fmt.Println(len(hosts) > 0, hosts[0].Active, used < there)
	// Output: true true true
}

// Face two can do all that face one can.
func ExampleOptions() {
	ctx, done, _ := connect()
	defer done()
	c, err := client.New(demo.URL(), client.Options{Face: client.FaceTwo, Attempts: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	machine := lease(ctx, c)
	list, err := c.Current(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(list), list[0].State.State, client.FaceOf(machine))
	if err := c.Destroy(ctx, machine); err != nil {
		log.Fatal(err)
	}
	// Output: 1 Running face two
}
