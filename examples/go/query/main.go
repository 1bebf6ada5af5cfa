// Query asks for what is wanted alone, by XPath: of one workspace, of all that
// the caller has, and of the hosts of the pool.
//
//	query http://127.0.0.1:8080 7
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: query SERVICE NUMBER")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

// spaces are the namespaces of the expressions' prefixes.
var spaces = map[string]string{
	"t": schema.Types, "l": schema.Logistics, "p": schema.Lease, "g": schema.ServiceGroup2,
}

func run(ctx context.Context, service, number string) error {
	c, err := client.New(service, client.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	address, err := c.QueryValue(ctx, c.Workspace(number), "string(//l:ipAddress)", spaces)
	if err != nil {
		return err
	}
	fmt.Println("its address is", address)
	running, err := c.QueryValue(ctx, c.AllWorkspaces(),
		`count(//t:currentState[t:state = "Running"])`, spaces)
	if err != nil {
		return err
	}
	fmt.Println(running, "of my workspaces run")
	idle, err := c.Query(ctx, c.AllHosts(), "//g:Content[p:CPUsUsed = 0]/p:HostKey", spaces)
	if err != nil {
		return err
	}
	for _, host := range idle {
		fmt.Println("idle:", host.Text())
	}
	return nil
}
