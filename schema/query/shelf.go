package query

import (
	"sync"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Shelf keeps the documents of things for as long as these do not change, up to
// a size, so that asking many things does not mean reading all of them anew.
// It may be used by several goroutines at once.
type Shelf[K comparable] struct {
	names Names

	mu   sync.Mutex
	docs map[K]shelved
	size int // of all documents, in bytes
}

// shelved is a document, and the version of its thing that it tells of.
type shelved struct {
	doc     *Document
	version int64
}

// maxShelf is how much a shelf keeps, in bytes: some fifteen thousand
// workspaces.
const maxShelf = 64 << 20

// Read returns the document of a thing in a version: the one that is kept, or
// else what write writes.
func (s *Shelf[K]) Read(
	key K, version int64, write func(*xmlstrict.Encoder),
) (*Document, error) {
	s.mu.Lock()
	kept, ok := s.docs[key]
	s.mu.Unlock()
	if ok && kept.version == version {
		return kept.doc, nil
	}
	enc := xmlstrict.Borrow()
	defer enc.Release()
	write(enc)
	if err := enc.Err(); err != nil {
		return nil, err
	}
	d, err := s.names.Read(enc.Bytes())
	if err == nil {
		s.keep(key, shelved{d, version})
	}
	return d, err
}

// ReadAll returns the documents that write writes one behind the other; they
// are not kept.
func (s *Shelf[K]) ReadAll(write func(*xmlstrict.Encoder)) ([]*Document, error) {
	enc := xmlstrict.Borrow()
	defer enc.Release()
	write(enc)
	if err := enc.Err(); err != nil {
		return nil, err
	}
	return s.names.ReadAll(enc.Bytes())
}

// keep puts a document on the shelf, and takes others off when it is full: any,
// since who asks for all of a group has all of them read.
func (s *Shelf[K]) keep(key K, d shelved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.docs == nil {
		s.docs = map[K]shelved{}
	}
	s.drop(key)
	s.docs[key] = d
	s.size += d.doc.size()
	for other := range s.docs {
		if s.size <= maxShelf {
			break
		}
		if other != key {
			s.drop(other)
		}
	}
}

// drop takes a document off the shelf.
func (s *Shelf[K]) drop(key K) {
	if d, ok := s.docs[key]; ok {
		s.size -= d.doc.size()
		delete(s.docs, key)
	}
}

// size returns about how much memory the document takes, in bytes.
func (d *Document) size() int {
	const perNode, perAttr, perDecl, rest = 32, 20, 32, 256
	return len(d.src) + len(d.extra) + perNode*cap(d.nodes) + perAttr*cap(d.attrs) +
		perDecl*cap(d.decls) + rest
}
