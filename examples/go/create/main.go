// Create leases a machine, waits until it runs, shows its address and gives it
// back. It is the shortest way from two documents to a machine; it knows
// nothing of what the others in this directory show.
//
//	create http://127.0.0.1:8080 ../../metadata.xml ../../request.xml
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: create SERVICE METADATA.xml REQUEST.xml")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, service, metadata, deployment string) error {
	c, err := client.New(service, client.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	request, err := read(metadata, deployment)
	if err != nil {
		return err
	}
	created, err := c.Create(ctx, request)
	var lost *client.TransportError
	if errors.As(err, &lost) && lost.Sent {
		// It may have been done: under the same MessageID nothing is leased twice.
		request.MessageID = lost.MessageID
		created, err = c.Create(ctx, request)
	}
	if err != nil {
		return err
	}
	machine := created.Workspaces[0]
	watcher := notify.New(c, notify.Options{Poll: 200 * time.Millisecond}) // it only asks
	if err := watcher.Add(ctx, client.Unstaged, machine.EPR); err != nil {
		return err
	}
	err = watcher.Run(ctx, func(e notify.Event) bool {
		return e.State != client.Running && e.State != client.Corrupted
	})
	if err != nil {
		return err
	}
	state, err := c.State(ctx, machine.EPR)
	if err != nil {
		return err
	}
	fmt.Println(client.Describe(machine.EPR), "is", state.Name, "at", machine.NICs[0].IPAddress)
	return c.Destroy(ctx, machine.EPR)
}

// read reads both documents.
func read(metadata, deployment string) (client.Request, error) {
	described, err := os.ReadFile(metadata)
	if err != nil {
		return client.Request{}, err
	}
	wanted, err := os.ReadFile(deployment)
	if err != nil {
		return client.Request{}, err
	}
	return client.ParseRequest(described, wanted)
}
