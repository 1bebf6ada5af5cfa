package notify_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

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

// lease leases a machine.
func lease(ctx context.Context, c *client.Client) wsa.EPR {
	metadata, err := os.ReadFile("../../examples/metadata.xml")
	if err != nil {
		log.Fatal(err)
	}
	deployment, err := os.ReadFile("../../examples/request.xml")
	if err != nil {
		log.Fatal(err)
	}
	request, err := client.ParseRequest(metadata, deployment)
	if err != nil {
		log.Fatal(err)
	}
	created, err := c.Create(ctx, request)
	if err != nil {
		log.Fatal(err)
	}
	return created.Workspaces[0].EPR
}

// show prints the states that nobody can miss.
func show(e notify.Event) {
	switch e.State {
	case client.Running, client.Paused, client.Gone:
		fmt.Println(e.State)
	}
}

// play pauses a machine when it runs and destroys it when it is paused.
func play(ctx context.Context, c *client.Client, machine wsa.EPR, e notify.Event) {
	var err error
	switch e.State {
	case client.Running:
		err = c.Shutdown(ctx, machine, client.Pause, "")
	case client.Paused:
		err = c.Destroy(ctx, machine)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// Follow a machine by a listener, to which the service posts.
func ExampleListen() {
	ctx, done, c := connect()
	defer done()
	consumer, err := notify.Listen(notify.ConsumerOptions{Listen: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	serving, stop := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() { stopped <- consumer.Run(serving) }()

	machine := lease(ctx, c)
	watcher := notify.New(c, notify.Options{Receiver: consumer})
	if err := watcher.Add(ctx, client.Unstaged, machine); err != nil {
		log.Fatal(err)
	}
	err = watcher.Run(ctx, func(e notify.Event) bool { // it ends with the machine
		if e.Changed() { // a state may be told again, as after a reboot
			show(e)
			play(ctx, c, machine, e)
		}
		return true
	})
	if err != nil {
		log.Fatal(err)
	}
	stop()
	fmt.Println(<-stopped)
	// Output:
	// Running
	// Paused
	// Gone
	// <nil>
}

// Follow a machine by a pull point, from which notifications are fetched: it
// works where nothing can reach this process.
func ExampleOpenPullPoint() {
	ctx, done, c := connect()
	defer done()
	pullPoint, err := notify.OpenPullPoint(ctx, c, nil)
	if err != nil {
		log.Fatal(err)
	}
	serving, stop := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() { stopped <- pullPoint.Run(serving) }()

	machine := lease(ctx, c)
	watcher := notify.New(c, notify.Options{Receiver: pullPoint})
	if err := watcher.Add(ctx, client.Unstaged, machine); err != nil {
		log.Fatal(err)
	}
	err = watcher.Run(ctx, func(e notify.Event) bool {
		if e.Changed() { // a state may be told again, as after a reboot
			show(e)
			play(ctx, c, machine, e)
		}
		return true
	})
	if err != nil {
		log.Fatal(err)
	}
	stop()
	fmt.Println(<-stopped)
	// Output:
	// Running
	// Paused
	// Gone
	// <nil>
}

// Take whatever way can be had, and follow all that the caller has, machines to
// come included.
func ExampleWatcher_AddAll() {
	ctx, done, c := connect()
	defer done()
	receiver, err := notify.Open(ctx, c, notify.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if receiver != nil {
		serving, stop := context.WithCancel(ctx)
		stopped := make(chan error, 1)
		go func() { stopped <- receiver.Run(serving) }()
		defer func() {
			stop()
			<-stopped
		}()
	}
	watcher := notify.New(c, notify.Options{Receiver: receiver})
	if err := watcher.AddAll(ctx); err != nil {
		log.Fatal(err)
	}
	machine := lease(ctx, c) // later than AddAll
	err = watcher.Run(ctx, func(e notify.Event) bool {
		if e.Changed() && (e.State == client.Running || e.State == client.Paused) {
			fmt.Println(e.Workspace == client.Key(machine), e.State)
			play(ctx, c, machine, e)
		}
		return e.State != client.Gone
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// true Running
	// true Paused
}
