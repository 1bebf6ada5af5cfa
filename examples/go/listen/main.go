// Listen tells of each change of a workspace until it is gone. The service posts
// notifications to a port of this machine, which it must be able to reach; pull
// does without.
//
//	listen http://127.0.0.1:8080 7
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: listen SERVICE NUMBER")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
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
	// Listen: "0.0.0.0:0" and Advertise: "my.host.name" let another machine reach it.
	consumer, err := notify.Listen(notify.ConsumerOptions{Listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() { stopped <- consumer.Run(serving) }()
	defer func() {
		stop()
		<-stopped
	}()
	watcher := notify.New(c, notify.Options{Receiver: consumer})
	if err := watcher.Add(ctx, "", c.Workspace(number)); err != nil {
		return err
	}
	return watcher.Run(ctx, func(e notify.Event) bool {
		fmt.Printf("workspace %s: %s, known by a %s\n", e.Workspace, e.State, e.Source)
		return true
	})
}
