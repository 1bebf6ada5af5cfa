package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// theOne is the key of a table that has one row.
type theOne struct{}

// Bookings implements workspace.BookingReader.
func (s *Store) Bookings(context.Context) ([]*workspace.Booking, error) {
	s.mu.RLock()
	all := make([]*workspace.Booking, 0, len(s.state.bookings.base))
	for _, b := range s.state.bookings.base {
		all = append(all, b)
	}
	s.mu.RUnlock()
	slices.SortFunc(all, byLease)
	return all, nil
}

// byLease orders bookings by rising ID.
func byLease(a, b *workspace.Booking) int { return cmp.Compare(a.ID, b.ID) }

// Booking implements workspace.BookingReader.
func (s *Store) Booking(_ context.Context, id workspace.LeaseID) (*workspace.Booking, error) {
	s.mu.RLock()
	b := s.state.bookings.base[id]
	s.mu.RUnlock()
	if b == nil {
		return nil, missing("booking", fmt.Sprint(id))
	}
	return b, nil
}

// HostModes implements workspace.BookingReader.
func (s *Store) HostModes(context.Context) ([]workspace.HostMode, error) {
	s.mu.RLock()
	all := make([]workspace.HostMode, 0, len(s.state.modes.base))
	for _, m := range s.state.modes.base {
		all = append(all, *m)
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(a, b workspace.HostMode) int { return cmp.Compare(a.Host, b.Host) })
	return all, nil
}

// Learned implements workspace.BookingReader.
func (s *Store) Learned(context.Context) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.learned.base[theOne{}], nil
}

// Booking implements workspace.BookingTx.
func (t *tx) Booking(id workspace.LeaseID) (*workspace.Booking, error) {
	if b, ok := t.bookings.get(id); ok {
		return b, nil
	}
	return nil, missing("booking", fmt.Sprint(id))
}

// PutBooking implements workspace.BookingTx. It keeps b.
func (t *tx) PutBooking(b *workspace.Booking) error {
	const op = "put the booking"
	if b.ID <= 0 || workspace.ID(b.ID) > t.last.workspace {
		return wrong(op, fmt.Sprint(b.ID), "its ID is not that of a workspace")
	}
	if was, _ := t.bookings.get(b.ID); was == b {
		return wrong(op, fmt.Sprint(b.ID), "it was changed in place, not copied")
	}
	t.bookings.put(b.ID, b)
	return nil
}

// RemoveBooking implements workspace.BookingTx.
func (t *tx) RemoveBooking(id workspace.LeaseID) error {
	if _, err := t.Booking(id); err != nil {
		return err
	}
	t.bookings.remove(id)
	return nil
}

// AllBookings implements workspace.BookingTx.
func (t *tx) AllBookings() []*workspace.Booking {
	all := make([]*workspace.Booking, 0, len(t.bookings.base))
	t.bookings.all(func(_ workspace.LeaseID, b *workspace.Booking) { all = append(all, b) })
	slices.SortFunc(all, byLease)
	return all
}

// HostModes implements workspace.HostTx.
func (t *tx) HostModes() []workspace.HostMode {
	all := make([]workspace.HostMode, 0, len(t.modes.base))
	t.modes.all(func(_ workspace.HostID, m *workspace.HostMode) { all = append(all, *m) })
	slices.SortFunc(all, func(a, b workspace.HostMode) int { return cmp.Compare(a.Host, b.Host) })
	return all
}

// PutHostMode implements workspace.HostTx. A mode that asks for nothing
// leaves no row.
func (t *tx) PutHostMode(m workspace.HostMode) error {
	if m.Host == "" {
		return wrong("put the mode of a host", "", "it names no host")
	}
	if !m.Drained && m.Comment == "" && len(m.Windows) == 0 {
		t.modes.remove(m.Host)
		return nil
	}
	m.Windows = slices.Clone(m.Windows)
	t.modes.put(m.Host, &m)
	return nil
}

// PutLearned implements workspace.BookingTx. It keeps a copy.
func (t *tx) PutLearned(data []byte) error {
	t.learned.put(theOne{}, slices.Clone(data))
	return nil
}

// OnUndone implements workspace.BookingTx.
func (t *tx) OnUndone(f func()) { t.undone = append(t.undone, f) }

func (r *rows) bookings(s *state) error {
	for id, e := range s.bookings.batch {
		var err error
		if e.there {
			err = r.document(putBooking, int64(id), (*booking)(e.value))
		} else if s.bookings.base[id] != nil {
			err = r.run(deleteBooking, int64(id))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) modes(s *state) error {
	for host, e := range s.modes.batch {
		var err error
		if e.there {
			err = r.document(putMode, string(host), e.value)
		} else {
			err = r.run(deleteMode, string(host))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) learned(s *state) error {
	for _, e := range s.learned.batch {
		if err := r.run(putLearned, blob(e.value)); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) bookings(ctx context.Context) error {
	return l.each(ctx, `SELECT id, booking FROM booking ORDER BY id`, func(s scan) error {
		var id workspace.LeaseID
		b := new(booking)
		err := scanDocument(s, &id, b)
		if err != nil {
			return bad("booking", id, err)
		}
		b.ID = id
		l.state.bookings.base[id] = (*workspace.Booking)(b)
		return nil
	})
}

func (l *loader) modes(ctx context.Context) error {
	return l.each(ctx, `SELECT host, mode FROM host_mode ORDER BY host`, func(s scan) error {
		var host workspace.HostID
		m := new(workspace.HostMode)
		if err := scanDocument(s, &host, m); err != nil {
			return bad("the mode of host", host, err)
		}
		l.state.modes.base[host] = m
		return nil
	})
}

func (l *loader) learned(ctx context.Context) error {
	return l.each(ctx, `SELECT data FROM learned`, func(s scan) error {
		var data []byte
		err := s(&data)
		if len(data) > 0 {
			l.state.learned.base[theOne{}] = data
		}
		return err
	})
}

// A booking is a workspace.Booking as it is stored: what it does not say is left
// out.
type booking struct {
	ID        workspace.LeaseID `json:"-"`
	Owner     workspace.Owner
	Members   []workspace.ID
	Terms     workspace.LeaseTerms
	Parts     []workspace.Part
	Duration  time.Duration
	Submitted time.Time

	Status workspace.LeaseStatus
	Hosts  []workspace.HostID `json:",omitempty"`
	From   time.Time          `json:",omitzero"`
	Runs   time.Time          `json:",omitzero"`
	Until  time.Time          `json:",omitzero"`
	Cut    time.Time          `json:",omitzero"`
	Ran    time.Duration      `json:",omitzero"`
	Since  time.Time          `json:",omitzero"`
	Saved  bool               `json:",omitzero"`
	Home   []workspace.HostID `json:",omitempty"`

	Leaving []workspace.HostID `json:",omitempty"`
	Arrived time.Time          `json:",omitzero"`

	Failed int       `json:",omitzero"`
	Again  time.Time `json:",omitzero"`

	Bound  []workspace.ID `json:",omitempty"`
	Asleep []workspace.ID `json:",omitempty"`

	Phase    workspace.BarPhase `json:",omitzero"`
	Left     []bool             `json:",omitempty"`
	Warned   []time.Time        `json:",omitempty"`
	Image    string             `json:",omitzero"`
	ImageMB  int64              `json:",omitzero"`
	Boot     time.Duration      `json:",omitzero"`
	Shutdown time.Duration      `json:",omitzero"`
}

// document runs a statement on a key and a document, which is stored as JSON.
func (r *rows) document(q query, key driver.Value, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	return r.run(q, key, string(text))
}

// scanDocument reads a key and a document.
func scanDocument(s scan, key, document any) error {
	var text []byte
	if err := s(key, &text); err != nil {
		return err
	}
	return json.Unmarshal(text, document)
}
