package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/client"
)

// stateWords are the states that one may wait for: those of the schema, and
// Gone for a workspace that no longer exists.
var stateWords = append(append([]string(nil), client.States...), client.Gone)

// parseState reads a state in any case and returns it in the schema's.
func parseState(text string) (string, error) {
	for _, word := range stateWords {
		if strings.EqualFold(word, text) {
			return word, nil
		}
	}
	if _, err := strconv.ParseUint(text, 10, 64); err == nil {
		return "", fmt.Errorf("%q is a number and not a state; there are %s",
			text, strings.Join(stateWords, ", "))
	}
	return "", fmt.Errorf("%q is not a state; the nearest is %s, and there are %s",
		clip(text), nearest(text, stateWords), strings.Join(stateWords, ", "))
}
