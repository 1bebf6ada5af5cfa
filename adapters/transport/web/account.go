package web

import "github.com/philoxenia/philoxenia/adapters/transport/transfer"

// stateSuffix is what the account of a half-made transfer has after the name
// of the file on the host.
const stateSuffix = ".part.state"

// account says which pieces of an image have come. It is kept beside the file
// on the host, and believed only as far as it can be checked.
type account struct {
	Location string
	Mark     string // of the image's version
	Size     int64
	Pieces   []piece
}

type piece struct {
	There  bool
	CRC32C uint32
}

func newAccount(location string, s *source) *account {
	a := &account{Location: location, Mark: s.mark(), Size: s.size}
	a.Pieces = make([]piece, (s.size+a.length()-1)/a.length())
	return a
}

// length is that of a piece. They are larger where they would be too many: a server may
// say any size, and the account is memory of ours.
func (a *account) length() int64 {
	return max(pieceBytes, (a.Size+mostPieces-1)/mostPieces)
}

// of tells whether the account is of this image, unchanged.
func (a *account) of(location string, s *source) bool {
	return a != nil && a.Location == location && a.Mark == s.mark() && a.Size == s.size &&
		len(a.Pieces) == len(newAccount(location, s).Pieces)
}

// span returns where a piece begins and ends.
func (a *account) span(i int) (start, end int64) {
	return int64(i) * a.length(), min(int64(i+1)*a.length(), a.Size)
}

func (a *account) missing() []int {
	var all []int
	for i, p := range a.Pieces {
		if !p.There {
			all = append(all, i)
		}
	}
	return all
}

// bytes returns how much has come.
func (a *account) bytes() (n int64) {
	for i, p := range a.Pieces {
		if p.There {
			start, end := a.span(i)
			n += end - start
		}
	}
	return n
}

// loadAccount reads an account; nil, when there is none.
func loadAccount(path string) *account {
	a := new(account)
	if !transfer.LoadAccount(path, a) {
		return nil
	}
	return a
}

func (a *account) save(path string) error { return transfer.SaveAccount(path, a) }
