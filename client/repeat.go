package client

import "strings"

// A Repeat says whether a request may be sent again when the answer to the
// first was lost on the way: whether a second copy does harm.
type Repeat struct {
	Operation string // as the WSDL documents name it, in any case
	Safe      bool
	Why       string
}

// repeats is the table. A request that never reached the service, or that the
// service says it has not served (HTTP 503), is sent again whatever it asks for.
var repeats = []Repeat{
	{"Create", true, "it carries a MessageID, which the service answers as it did the first time"},
	{"Start", true, "what is started already stays as it is"},
	{"Shutdown", true, "what is shut down already stays as it is"},
	{"Reboot", false, "two reboots are one more than was asked for"},
	{"Destroy", true, "what a repeated one no longer finds was destroyed by the first"},
	{"SetTerminationTime", true, "it sets a time, whatever was set before"},
	{"SetResourceProperties", true, "it sets values, whatever was set before"},
	{"UpdateResourceProperties", true, "it sets values, whatever was set before"},
	{"PutResourcePropertyDocument", true, "it sets values, whatever was set before"},
	{"InsertResourceProperties", false, "a second one would insert twice"},
	{"DeleteResourceProperties", true, "what is deleted already stays so"},
	{"GetResourceProperty", true, reading},
	{"GetMultipleResourceProperties", true, reading},
	{"QueryResourceProperties", true, reading},
	{"GetResourcePropertyDocument", true, reading},
	{"queryCurrentWorkspaces", true, reading},
	{"queryUsedAndReservedTime", true, reading},
	{"QueryUsage", true, reading},
	{"QuerySnapshots", true, reading},
	{"Migrate", false, "where no host is named a second one would move it on"},
	{"Snapshot", false, "what went on since the first would be thrown away by a second"},
	{"Plan", true, reading},
	{"QuerySchedule", true, reading},
	{"AddHost", false, "a second one would be told that the host is there already"},
	{"ProbeHost", true, "a test leaves the host as it was"},
	{"Probe", true, "a test leaves the host as it was"},
	{"Forget", false, "what was given up by the first would not be told"},
	{"Evacuate", true, "a second one tells of those that are there still"},
	{"QueryNetworks", true, reading},
	{"HoldAddresses", false, "what is on hold already is refused"},
	{"ReleaseAddress", false, "what is no longer on hold is refused"},
	{"AddImage", false, "the second one would be told that the entry is there already"},
	{"RemoveImage", true, "what a repeated one no longer finds was removed by the first"},
	{"ChangeImage", true, "it sets tags, and an attestation is there once"},
	{"QueryImages", true, reading},
	{"GetImage", true, reading},
	{"VerifyImage", true, reading},
	{"OpenConsole", true, "a second pass does no harm: it ends by itself when nobody uses it"},
	{"ReadConsole", true, reading},
	{"GetCurrentMessage", true, reading},
	{"Subscribe", false, "a second subscription would tell everything twice"},
	{"Renew", true, "it sets a time; a length counts from now, and now is later"},
	{"Unsubscribe", true, "what a repeated one no longer finds was ended by the first"},
	{"PauseSubscription", true, "what is paused already stays so"},
	{"ResumeSubscription", true, "what is resumed already stays so"},
	{"CreatePullPoint", false, "the first would be left behind and fill up"},
	{"CreatePullPointSubscription", false, "the first would be left behind and fill up"},
	{"GetMessages", true, "under the same MessageID the service gives the same messages"},
	{"PullMessages", true, "under the same MessageID the service gives the same messages"},
	{"DestroyPullPoint", true, "what a repeated one no longer finds was destroyed by the first"},
}

// reading is why a read may be repeated.
const reading = "reading changes nothing"

// Repeats returns the table of the operations that may be sent again, and of
// those that may not, with the reasons.
func Repeats() []Repeat { return append([]Repeat(nil), repeats...) }

// repeatable looks an operation up; one that is not in the table is not sent
// again.
func repeatable(operation string) bool {
	for _, r := range repeats {
		if strings.EqualFold(r.Operation, operation) {
			return r.Safe
		}
	}
	return false
}
