package daemon

import (
	"bytes"
	"regexp"
	"time"
)

var (
	workspaceKey = regexp.MustCompile(`<(?:\w+:)?WorkspaceKey[^>]*>(\d+)<`)
	leaseKey     = regexp.MustCompile(`<p:Workspace><p:Key>(\d+)<`)
	pullPointKey = regexp.MustCompile(`<(?:\w+:)?PullPointKey[^>]*>([^<]+)<`)
	groupKey     = regexp.MustCompile(`<(?:\w+:)?WorkspaceGroupKey[^>]*>([^<]+)<`)
	terminates   = regexp.MustCompile(`<(?:\w+:)?(?:New|Actual)TerminationTime[^>]*>([^<]+)<`)
	stateWord    = regexp.MustCompile(`<(?:\w+:)?state(?:>|\s[^>]*>)(\w+)<`)
)

// Keys returns the workspace keys in a reply's body, in order, without
// repetition.
func Keys(reply []byte) []string {
	var keys []string
	seen := map[string]bool{}
	for _, m := range workspaceKey.FindAllSubmatch(afterHeader(reply), -1) {
		if key := string(m[1]); !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys
}

// GroupKey returns the group's key in a reply's body, empty when there is none.
func GroupKey(reply []byte) string { return first(groupKey, reply) }

// PullPointKey returns the pull point's key in a reply's body.
func PullPointKey(reply []byte) string { return first(pullPointKey, reply) }

// StateOf returns the word of the first current state in a reply.
func StateOf(reply []byte) string { return first(stateWord, reply) }

// Termination returns the first termination time in a reply, zero when there
// is none.
func Termination(reply []byte) time.Time {
	t, err := time.Parse(time.RFC3339, first(terminates, reply))
	if err != nil {
		return time.Time{}
	}
	return t
}

func first(re *regexp.Regexp, reply []byte) string {
	m := re.FindSubmatch(afterHeader(reply))
	if m == nil {
		return ""
	}
	return string(m[1])
}

// afterHeader cuts the SOAP header off, in which keys are echoed.
func afterHeader(reply []byte) []byte {
	if _, body, ok := bytes.Cut(reply, []byte(":Body>")); ok {
		return body
	}
	return reply
}

// CountStates returns how many current states in a reply are the word.
func CountStates(reply []byte, word string) int {
	n := 0
	for _, m := range stateWord.FindAllSubmatch(afterHeader(reply), -1) {
		if string(m[1]) == word {
			n++
		}
	}
	return n
}

var oneWorkspace = regexp.MustCompile(
	`(?s)<(?:\w+:)?oneCurrentWorkspace[ >].*?</(?:\w+:)?oneCurrentWorkspace>`)

// Entries returns the workspaces of a list's reply, each by itself.
func Entries(reply []byte) [][]byte { return oneWorkspace.FindAll(reply, -1) }

// LeaseKeys returns the keys of the workspaces in the reply to a Lease, in order.
func LeaseKeys(reply []byte) []string {
	var keys []string
	for _, m := range leaseKey.FindAllSubmatch(afterHeader(reply), -1) {
		keys = append(keys, string(m[1]))
	}
	return keys
}
