package notify_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// demo is the service that the examples ask.
var demo daemon.Demo

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(
		"github.com/philoxenia/philoxenia/tests/daemon.(*Process).attend"),
		goleak.Cleanup(func(code int) {
			if err := demo.Stop(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
			os.Exit(code)
		}))
}
