// Package leak finds goroutines that go on after the tests of a package.
//
// What is looked for never ends, so those that are ending have all the time in the
// world: on a busy machine the last steps of a connection take longer than the half
// second that goleak alone waits.
package leak

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// limit is how long goroutines may take to end.
const limit = 2 * time.Minute

// Main runs the tests of a package and ends the process, with an error when goroutines
// go on.
func Main(m *testing.M, options ...goleak.Option) {
	goleak.VerifyTestMain(patient{m}, options...)
}

// patient gives goroutines time to end before it is looked which have not.
type patient struct{ *testing.M }

// Run implements goleak.TestingM.
func (p patient) Run() int {
	code := p.M.Run()
	await()
	return code
}

// None fails the test when goroutines go on.
func None(t *testing.T) {
	t.Helper()
	await()
	goleak.VerifyNone(t)
}

// await waits until no goroutine is left that anybody would look for.
func await() {
	for end := time.Now().Add(limit); goleak.Find() != nil && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}
