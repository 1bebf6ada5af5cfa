// Group leases several machines with one request, waits until all run, and
// handles them as one: pause, start, destroy.
//
//	group http://127.0.0.1:8080 ../../metadata.xml ../../group.xml
package main

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

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: group SERVICE METADATA.xml REQUEST.xml")
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
	described, err := os.ReadFile(metadata)
	if err != nil {
		return err
	}
	wanted, err := os.ReadFile(deployment)
	if err != nil {
		return err
	}
	request, err := client.ParseRequest(described, wanted)
	if err != nil {
		return err
	}
	created, err := c.Create(ctx, request)
	if err != nil {
		return err
	}
	var members []wsa.EPR
	for _, w := range created.Workspaces {
		members = append(members, w.EPR)
	}
	group := *created.Group
	if err := wait(ctx, c, members, client.Running); err != nil {
		return err
	}
	fmt.Println(len(members), "machines run")
	if err := c.Shutdown(ctx, group, client.Pause, ""); err != nil {
		return err
	}
	if err := wait(ctx, c, members, client.Paused); err != nil {
		return err
	}
	fmt.Println(len(members), "machines are paused")
	return c.Destroy(ctx, group)
}

// wait waits until every workspace is in the state.
func wait(ctx context.Context, c *client.Client, all []wsa.EPR, state string) error {
	watcher := notify.New(c, notify.Options{Poll: 200 * time.Millisecond})
	if err := watcher.Add(ctx, "", all...); err != nil {
		return err
	}
	there := map[string]bool{}
	return watcher.Run(ctx, func(e notify.Event) bool {
		there[e.Workspace] = e.State == state
		for _, epr := range all {
			if !there[client.Key(epr)] {
				return true
			}
		}
		return false
	})
}
