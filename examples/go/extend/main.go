// Extend moves the end of a workspace's lease by an hour, and lets the guest run
// an hour longer: both at once or none, by renegotiating the lease.
//
//	extend http://127.0.0.1:8080 7
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/philoxenia/philoxenia/client"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: extend SERVICE NUMBER")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, service, number string) error {
	c, err := client.New(service, client.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	workspace := c.Workspace(number)
	before, err := c.Properties(ctx, workspace)
	if err != nil {
		return err
	}
	err = c.Renegotiate(ctx, workspace, client.Terms{
		Until:    before.TerminationTime.Add(time.Hour),
		Duration: before.Schedule.Duration + time.Hour,
	})
	switch {
	case errors.Is(err, client.ErrDenied):
		return fmt.Errorf("the service's policy forbids it: %w", err)
	case errors.Is(err, client.ErrNoFace):
		// An old server: the end alone can be moved.
		_, err = c.SetTerminationTime(ctx, workspace, before.TerminationTime.Add(time.Hour))
	}
	if err != nil {
		return err
	}
	after, err := c.Properties(ctx, workspace)
	if err != nil {
		return err
	}
	fmt.Println("the lease ends", after.TerminationTime.Sub(before.TerminationTime), "later,",
		"the guest runs", after.Schedule.Duration-before.Schedule.Duration, "longer")
	return nil
}
