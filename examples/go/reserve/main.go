// Reserve reserves machines for a time to come: it asks first whether there will
// be room, takes a later time where that is what the service offers, waits until
// the machines run, and gives the first of them more memory while it does.
//
//	reserve http://127.0.0.1:8080 metadata.xml request.xml 10m
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
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 5 {
		log.Fatal("usage: reserve SERVICE METADATA REQUEST FROM-NOW")
	}
	ahead, err := time.ParseDuration(os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), ahead+5*time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2:4], time.Now().Add(ahead)); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, service string, files []string, start time.Time) error {
	c, err := client.New(service, client.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	request, err := read(files)
	if err != nil {
		return err
	}
	request.Deployment.Terms = &deployment.LeaseTerms{Start: start.UTC().Truncate(time.Millisecond)}
	if err := agree(ctx, c, request.Deployment.Terms, request); err != nil {
		return err
	}
	created, err := c.Create(ctx, request)
	if err != nil {
		return err
	}
	machine := created.Workspaces[0].EPR
	if err := await(ctx, c, machine); err != nil {
		return err
	}
	standing, err := c.Standing(ctx, machine)
	if err != nil {
		return err
	}
	fmt.Println(client.Describe(machine), "runs on", standing.Lease.Hosts[0])
	if err := grow(ctx, c, machine, 2*standing.Shape.MemoryMB); err != nil {
		return err
	}
	return c.Destroy(ctx, machine)
}

// agree asks what the request would get, and moves its start where the service
// offers a later one.
func agree(
	ctx context.Context, c *client.Client, terms *deployment.LeaseTerms, r client.Request,
) error {
	plan, err := c.Plan(ctx, r)
	var refused *client.Fault
	if errors.As(err, &refused) && refused.Explanation != nil {
		for _, offer := range refused.Explanation.Offers {
			if offer.Change == "later" {
				fmt.Println("not then, but from", offer.Begin)
				terms.Start = offer.Begin
				return nil
			}
		}
	}
	if err != nil {
		return err
	}
	fmt.Println("it would run from its start on, until",
		plan.End.Sub(plan.Begin), "later, on hosts:", len(plan.Hosts))
	return nil
}

// await waits until the machine runs, and tells how its lease stands meanwhile.
func await(ctx context.Context, c *client.Client, machine wsa.EPR) error {
	receiver, err := notify.OpenPullPoint(ctx, c, nil)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- receiver.Run(ctx) }()
	defer func() { stop(); <-ended }()
	watcher := notify.New(c, notify.Options{Receiver: receiver, Leases: true})
	if err := watcher.Add(ctx, client.Unstaged, machine); err != nil {
		return err
	}
	return watcher.Run(ctx, func(e notify.Event) bool {
		if e.Lease != "" {
			fmt.Println("the lease is", e.Lease)
		}
		return e.State != client.Running && e.State != client.Corrupted
	})
}

// grow gives the machine that runs so much memory, or as much of it as there is.
func grow(ctx context.Context, c *client.Client, machine wsa.EPR, memoryMB int64) error {
	err := c.Resize(ctx, machine, deployment.Amounts{MemoryMB: memoryMB})
	var refused *client.Fault
	if errors.As(err, &refused) && refused.Explanation != nil {
		for _, offer := range refused.Explanation.Offers {
			if offer.Change == "smaller" {
				memoryMB = offer.Demand.MemoryMB
				err = c.Resize(ctx, machine, deployment.Amounts{MemoryMB: memoryMB})
				break
			}
		}
	}
	if err == nil {
		fmt.Println("it has", memoryMB, "MB now")
	}
	return err
}

// read reads both documents.
func read(files []string) (client.Request, error) {
	described, err := os.ReadFile(files[0])
	if err != nil {
		return client.Request{}, err
	}
	wanted, err := os.ReadFile(files[1])
	if err != nil {
		return client.Request{}, err
	}
	return client.ParseRequest(described, wanted)
}
