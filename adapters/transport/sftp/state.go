package sftp

import (
	"os"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// stateSuffix is what the account of a half-made transfer has after the name
// of the file on the host.
const stateSuffix = ".part.state"

// state is the account of a half-made transfer. It is kept beside the file on
// the host, and believed only as far as it can be checked.
type state struct {
	Location string
	Size     int64
	Modified int64  // the source's time of modification, nanoseconds
	Offset   int64  // so much is there, without gaps
	CRC32C   uint32 // of that much, of a fetch
}

// of tells whether the account is of this transfer and the source is unchanged.
func (s state) of(location string, info os.FileInfo) bool {
	return s.Location == location && s.Size == info.Size() &&
		s.Modified == info.ModTime().UnixNano()
}

func newState(location string, info os.FileInfo) state {
	return state{Location: location, Size: info.Size(), Modified: info.ModTime().UnixNano()}
}

// loadState reads an account. One that is missing or torn is no account.
func loadState(path string) state {
	var s state
	if !transfer.LoadAccount(path, &s) {
		return state{}
	}
	return s
}

func (s state) save(path string) error { return transfer.SaveAccount(path, s) }
