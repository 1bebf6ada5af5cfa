package interop

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// The steps of a client that knows events and nothing else. The judge makes the
// workspace for it, and pauses it when both ways of hearing of that are open.
var eventSteps = []string{"subscribe", "pull point", "notification", "pulled", "renewed",
	"unsubscribed"}

// checkEvents is check for the steps that are only in eventSteps.
func (j *judge) checkEvents(s step) (string, error) {
	switch s.name {
	case "pull point":
		return "made", j.pullPoint(s.values)
	case "pulled":
		return "Paused", same(s.values, map[string]string{"state": "Paused", "key": j.key})
	case "renewed":
		return s.values["seconds"] + " s", j.renewed(s.values)
	case "unsubscribed":
		return "gone", j.unsubscribed(s.values)
	}
	return "", fmt.Errorf("there is no step %q", s.name)
}

// pullPoint looks for the pull point, which face two alone has, then makes a
// workspace and pauses it.
func (j *judge) pullPoint(got map[string]string) error {
	j.point = got["key"]
	if _, err := j.readPoint(); err != nil {
		return err
	}
	_, reply, err := j.caller.Send(daemon.Create, daemon.Values{})
	keys := daemon.Keys(reply)
	if err != nil || len(keys) != 1 {
		return fmt.Errorf("the judge cannot create a workspace: %v, %s", err, reply)
	}
	j.key, j.word = keys[0], keys[0]
	if err := j.awaitState("Running"); err != nil {
		return err
	}
	status, reply, err := j.caller.Send(daemon.Pause, daemon.Values{Key: j.key})
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("the judge cannot pause the workspace: %v, %s", err, reply)
	}
	return nil
}

// awaitState waits until the judge's workspace is in a state.
func (j *judge) awaitState(state string) error {
	for limit := time.Now().Add(runLimit); time.Now().Before(limit); {
		_, reply, err := j.caller.Send(daemon.State, daemon.Values{Key: j.key})
		if err != nil || daemon.StateOf(reply) == state {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("the judge's workspace does not become %s", state)
}

func (j *judge) readPoint() (time.Time, error) {
	two := *j
	two.own = readings["two"]
	header := fmt.Sprintf(`<p:PullPointKey xmlns:p="urn:philoxenia:2026:workspace">%s`+
		`</p:PullPointKey>`, j.point)
	reply, err := two.query("pull point", header)
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, text(reply, "TerminationTime"))
}

// renewed holds the time that a client was given against the pull point's end.
func (j *judge) renewed(got map[string]string) error {
	told, err := strconv.ParseFloat(got["seconds"], 64)
	if err != nil {
		return err
	}
	end, err := j.readPoint()
	if err != nil {
		return err
	}
	if left := time.Until(end).Seconds(); math.Abs(left-told) > 30 {
		return fmt.Errorf("the pull point ends in %.0f s, the client was told %.0f", left, told)
	}
	return nil
}

func (j *judge) unsubscribed(got map[string]string) error {
	_, err := j.readPoint()
	if err == nil || !strings.Contains(err.Error(), "ResourceUnknownFault") {
		return fmt.Errorf("the pull point is not gone: %v", err)
	}
	if words := got["description"]; !strings.Contains(words, `"`+j.point+`"`) {
		return fmt.Errorf("the fault says %q, want the pull point's key in it", words)
	}
	return nil
}
