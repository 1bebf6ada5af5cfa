package wsrf

import (
	"fmt"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// EndKind is the form in which an end is given.
type EndKind uint8

// The forms of an end.
const (
	Unsaid  EndKind = iota // nothing is said
	Never                  // xsi:nil: no end is asked for
	AtTime                 // a time
	Lasting                // a duration, counted from the receiver's clock
)

// End is when something is to end, as WSRF and WSN let requests say it:
// AbsoluteOrRelativeTimeType (WS-BaseNotification 1.3, 4.2), or the choice of
// WS-ResourceLifetime 1.2, 5.1.
type End struct {
	Kind   EndKind
	At     time.Time     // of AtTime
	Months int           // of Lasting, before the rest: their length is the calendar's
	For    time.Duration // of Lasting
}

// EndAt returns the end at a time; zero means never.
func EndAt(at time.Time) End {
	if at.IsZero() {
		return End{Kind: Never}
	}
	return End{Kind: AtTime, At: at}
}

// EndAfter returns the end after a duration.
func EndAfter(d time.Duration) End { return End{Kind: Lasting, For: d} }

// From returns the time of the end for who received it at the time now. It is
// zero for Never and Unsaid.
func (n End) From(now time.Time) time.Time {
	if n.Kind == Lasting {
		return now.AddDate(0, n.Months, 0).Add(n.For)
	}
	return n.At
}

// ParseEnd reads an element that is a dateTime, a duration or nil. It fails
// with a *xmlstrict.ContentError.
func ParseEnd(doc *xmlstrict.Document, e *element) (End, error) {
	if text := xmlstrict.Text(e); strings.HasPrefix(text, "P") || strings.HasPrefix(text, "-P") {
		return parseSpan(doc, e)
	}
	at, err := TimeOrNil(doc, e)
	return EndAt(at), err
}

// parseSpan reads an element that is a duration.
func parseSpan(doc *xmlstrict.Document, e *element) (End, error) {
	if err := doc.Fits(e, words); err != nil {
		return End{}, err
	}
	months, d, err := parseSpanText(xmlstrict.Text(e))
	if err != nil {
		return End{}, doc.Errorf(e, "", "%w", err)
	}
	return End{Kind: Lasting, Months: months, For: d}, nil
}

// Write writes the end as an element of that name; nothing when it is Unsaid.
func (n End) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	switch n.Kind {
	case Never:
		enc.Nil(name)
	case AtTime:
		enc.Element(name, FormatTime(n.At))
	case Lasting:
		enc.Element(name, n.span())
	}
}

// span returns the duration as text.
func (n End) span() string {
	rest := FormatDuration(n.For)
	if n.Months == 0 {
		return rest
	}
	return fmt.Sprintf("P%dM", n.Months) + strings.TrimPrefix(rest, "P")
}
