package manager_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestStrangersLearnNothing: every operation about something of somebody's answers a
// stranger word for word as if there were no such thing.
func TestStrangersLearnNothing(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	nodes, err := r.manager.Create(t.Context(), request(2))
	r.check(err)
	w := nodes.Workspaces[0]
	r.reach(w.ID, workspace.Running)
	point, err := r.manager.CreatePullPoint(t.Context(), ada, time.Time{})
	r.check(err)
	theirs := map[reflect.Type][2]any{ // what is there, and what is not
		reflect.TypeFor[workspace.ID]():          {w.ID, workspace.ID(999)},
		reflect.TypeFor[workspace.GroupID]():     {w.Group, workspace.GroupID("none")},
		reflect.TypeFor[workspace.PullPointID](): {point.ID, workspace.PullPointID("none")},
		reflect.TypeFor[workspace.SubscriptionID](): {r.subscribe(wish(w.ID)),
			workspace.SubscriptionID("none")},
	}
	asked := 0
	manager := reflect.ValueOf(r.manager)
	for i := range manager.NumMethod() {
		name, method := manager.Type().Method(i).Name, manager.Method(i)
		if method.Type().NumIn() < 3 || method.Type().In(1) != reflect.TypeFor[workspace.Owner]() {
			continue
		}
		things, about := theirs[method.Type().In(2)]
		if !about {
			continue
		}
		asked++
		there, not := ask(t, method, name, things[0]), ask(t, method, name, things[1])
		if there != not {
			t.Errorf("%s: another's is %s, and none is %s", name, there, not)
		}
	}
	if asked < 20 {
		t.Errorf("only %d operations are about something", asked)
	}
}

// ask calls a method as Eve, with what it needs to be taken seriously, and returns its
// error without the name of the thing.
func ask(t *testing.T, method reflect.Value, name string, about any) string {
	t.Helper()
	given := map[string][]any{
		"Keep": {vmm.KeepCreate, "a"}, "Snapshot": {vmm.Keep{Action: vmm.KeepCreate, Name: "a"}},
		"SetTermination": {time.Now().Add(time.Hour)}, "Renew": {time.Now().Add(time.Hour)},
		"RenewPullPoint": {time.Now().Add(time.Hour)},
		"Renegotiate":    {workspace.Terms{End: time.Now().Add(time.Hour)}},
		"Resize":         {workspace.Resize{Shape: workspace.Shape{MemoryMB: 512}}},
		"CheckConsole":   {workspace.ConsoleAsk{Kind: workspace.ConsoleSerial}},
		"Connect":        {workspace.ConsoleAsk{Kind: workspace.ConsoleSerial}, ""},
		"Shutdown":       {workspace.ShutdownNormal, ""},
		"ShutdownGroup":  {workspace.ShutdownNormal, ""},
	}[name]
	in := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(eve),
		reflect.ValueOf(about)}
	for i := len(in); i < method.Type().NumIn(); i++ {
		in = append(in, reflect.Zero(method.Type().In(i)))
		if i-3 < len(given) {
			in[i] = reflect.ValueOf(given[i-3])
		}
	}
	out := method.Call(in)
	err, _ := out[len(out)-1].Interface().(error)
	if kind := workspace.KindOf(err); kind != workspace.NotFound && kind != workspace.Denied {
		t.Errorf("%s: Eve is told %v", name, err)
	}
	return strings.ReplaceAll(fmt.Sprint(err), fmt.Sprint(about), "IT")
}
