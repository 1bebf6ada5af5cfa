package client_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
)

// Lease a machine, wait until it runs, and give it back.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	c, err := client.New("http://127.0.0.1:8080", client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	created, err := c.Create(ctx, client.Request{
		Metadata: &metadata.VirtualWorkspace{
			Name: "urn:example:worker",
			NICs: []metadata.NIC{
				{Name: "eth0", Method: metadata.AllocateAndConfigure, Association: "public"},
			},
			Definition: metadata.Definition{
				Architecture: "x86_64",
				Root:         metadata.Disk{Location: "file://worker.img", MountAs: "sda1"},
			},
		},
		Deployment: &deployment.WorkspaceDeployment{
			MinDuration: time.Hour, InitialState: deployment.Running, Nodes: 1,
			Allocation: deployment.ResourceAllocation{Memory: deployment.Exactly(512)},
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
	err = watcher.Run(ctx, func(e notify.Event) bool {
		fmt.Println(client.Describe(machine), "is", e.State)
		return e.State != client.Running
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := c.Destroy(ctx, machine); err != nil {
		log.Fatal(err)
	}
}
