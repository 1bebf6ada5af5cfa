package transfer

import (
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// sayings are the words of the operating system's errors as programs repeat
// them (strerror(3), in the C locale).
var sayings = []struct {
	words string
	kind  workspace.Kind
}{
	{"No space left on device", workspace.NoResource},
	{"Disk quota exceeded", workspace.NoResource},
	{"File too large", workspace.NoResource},
	{"No such file or directory", workspace.NotFound},
	{"Permission denied", workspace.Denied},
	{"Operation not permitted", workspace.Denied},
	{"Read-only file system", workspace.Denied},
	{"Is a directory", workspace.Invalid},
	{"Too many levels of symbolic links", workspace.Invalid},
	{"File name too long", workspace.Invalid},
	{"File exists", workspace.Conflict},
	{"Directory not empty", workspace.Conflict},
	{"Not a directory", workspace.NotFound},
	{"Input/output error", workspace.Transient},
	{"Cannot allocate memory", workspace.Transient},
}

// Said returns what sort of failure the complaint of a program tells of,
// Internal when it has none of the words that we know. The last words count:
// programs put the cause there.
func Said(complaint string) workspace.Kind {
	kind, at := workspace.Internal, -1
	for _, s := range sayings {
		if i := strings.LastIndex(complaint, s.words); i > at {
			kind, at = s.kind, i
		}
	}
	return kind
}
