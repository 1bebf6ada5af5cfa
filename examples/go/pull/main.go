// Pull tells of each change of all workspaces that the caller has, those to come
// included, until it is interrupted. The service keeps notifications in a pull
// point, from which they are fetched: nothing needs to reach this machine.
//
//	pull http://127.0.0.1:8080
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: pull SERVICE")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1]); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(ctx context.Context, service string) error {
	c, err := client.New(service, client.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	// client.ErrNoFace says that the server is too old; notify.Open finds another way then.
	pullPoint, err := notify.OpenPullPoint(ctx, c, nil)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan error, 1)
	go func() { stopped <- pullPoint.Run(serving) }()
	defer func() {
		stop()
		<-stopped
	}()
	watcher := notify.New(c, notify.Options{Receiver: pullPoint})
	if err := watcher.AddAll(ctx); err != nil {
		return err
	}
	defer func() {
		brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = watcher.Close(brief) // the subscription ends with its pull point in any case
	}()
	fmt.Println("watching")
	return watcher.Run(ctx, func(e notify.Event) bool {
		fmt.Printf("workspace %s: %s, known by a %s\n", e.Workspace, e.State, e.Source)
		return true
	})
}
