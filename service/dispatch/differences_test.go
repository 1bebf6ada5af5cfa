package dispatch_test

import "regexp"

// A difference is one that we mean to have from the recorded original.
type difference struct {
	in     *regexp.Regexp // names of the exchanges
	is     *regexp.Regexp // what the comparison says
	reason string
}

func differs(in, is, reason string) difference {
	return difference{regexp.MustCompile(in), regexp.MustCompile(is), reason}
}

// differences is the one table of intended differences from the original.
var differences = []difference{}
