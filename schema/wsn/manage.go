package wsn

import (
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// ParseRenew reads the end that a Renew asks for (1.3, 6.1.1). It fails with a
// *wsrf.FaultError, UnacceptableTerminationTime, on a time that cannot be read,
// and else with a *xmlstrict.ContentError.
func (e Edition) ParseRenew(doc *xmlstrict.Document, body *etree.Element) (wsrf.End, error) {
	if err := doc.Fits(body, e.parts(names[e].TerminationTime)); err != nil {
		return wsrf.End{}, err
	}
	at := xmlstrict.Child(body, names[e].TerminationTime)
	if at == nil {
		return wsrf.End{}, doc.Errorf(body, "TerminationTime", "no time is asked for")
	}
	end, err := wsrf.ParseEnd(doc, at)
	if err != nil {
		return end, e.Unacceptable(names[e].UnacceptableTerminationTime, err)
	}
	return end, nil
}

// WriteRenew writes the request to end a subscription at another time.
func (e Edition) WriteRenew(enc *xmlstrict.Encoder, end wsrf.End) {
	if end.Kind == wsrf.Unsaid {
		end.Kind = wsrf.Never
	}
	enc.Start(names[e].Renew)
	end.Write(enc, names[e].TerminationTime)
	enc.End()
}

// WriteRenewResponse writes when the subscription now ends, zero for never, and
// the server's clock.
func (e Edition) WriteRenewResponse(enc *xmlstrict.Encoder, end, now time.Time) {
	enc.Start(names[e].RenewResponse)
	wsrf.WriteTimeOrNil(enc, names[e].TerminationTime, end)
	enc.Element(names[e].CurrentTime, wsrf.FormatTime(now))
	enc.End()
}

// ParseRenewResponse reads when the subscription now ends and, if it was said,
// the server's clock. It fails with a *xmlstrict.ContentError.
func (e Edition) ParseRenewResponse(
	doc *xmlstrict.Document, body *etree.Element,
) (end, now time.Time, err error) {
	if !xmlstrict.Is(body, names[e].RenewResponse) ||
		xmlstrict.Child(body, names[e].TerminationTime) == nil {
		return end, now, doc.Errorf(body, "a RenewResponse with a TerminationTime",
			"the answer is incomplete")
	}
	n := names[e]
	if err = doc.Fits(body, e.parts(n.TerminationTime, n.CurrentTime)); err != nil {
		return end, now, err
	}
	now, end, err = times(doc, body)
	return end, now, err
}

// Unacceptable returns the error about a time, with the earliest one that would
// have done: a moment from now. The fault is UnacceptableTerminationTime or
// UnacceptableInitialTerminationTime, which both must name one (1.3, 4.2).
func (e Edition) Unacceptable(name xmlstrict.Name, err error) error {
	return UnacceptableTime(name, err, time.Now().Add(time.Second), time.Time{})
}

// UnacceptableTime returns the error about a time, with the earliest and the
// latest that would have done; a zero latest is not told.
func UnacceptableTime(name xmlstrict.Name, err error, earliest, latest time.Time) error {
	return &wsrf.FaultError{Fault: name, Err: err, More: func(enc *xmlstrict.Encoder) {
		enc.Element(names[Final].minimumTime, wsrf.FormatTime(earliest))
		if !latest.IsZero() {
			enc.Element(names[Final].maximumTime, wsrf.FormatTime(latest))
		}
	}}
}

// GetMessages is the content of a request to a pull point (1.3, 5.2).
type GetMessages struct {
	Most int  // zero: as many as the pull point likes
	None bool // none at all: the number given is 0
	// Wait is how long the pull point may wait for a message when it has none:
	// our extension, the element Wait of the namespace schema.Lease.
	Wait time.Duration
}

// wait is the element of the extension.
var wait = xmlstrict.Name{Space: schema.Lease, Local: "Wait"}

// maxMessages is what a larger number asks for.
const maxMessages = 1 << 20

// ParseGetMessages reads the request. Unknown extensions are passed over. It
// fails with a *xmlstrict.ContentError.
func (e Edition) ParseGetMessages(
	doc *xmlstrict.Document, body *etree.Element,
) (GetMessages, error) {
	var g GetMessages
	err := doc.Fits(body, e.pullParts(names[e].MaximumNumber))
	if err != nil {
		return g, err
	}
	if most := xmlstrict.Child(body, names[e].MaximumNumber); most != nil {
		if g.Most, err = nonNegative(doc, most); err != nil {
			return g, err
		}
		g.None = g.Most == 0
	}
	patience, err := doc.Only(body, wait)
	if err != nil || patience == nil {
		return g, err
	}
	if err = doc.Fits(patience, words); err != nil {
		return g, err
	}
	if g.Wait, err = wsrf.ParseDuration(xmlstrict.Text(patience)); err != nil {
		return g, doc.Errorf(patience, "", "%w", err)
	}
	return g, nil
}

// nonNegative reads an xs:nonNegativeInteger, which has no upper bound; ours is
// maxMessages.
func nonNegative(doc *xmlstrict.Document, e *etree.Element) (int, error) {
	if err := doc.Fits(e, words); err != nil {
		return 0, err
	}
	text := xmlstrict.Text(e)
	n, err := strconv.ParseInt(text, 10, 64)
	if text == "-0" || text == "+0" {
		n, err = 0, nil
	}
	switch numeric, _ := err.(*strconv.NumError); {
	case numeric != nil && numeric.Err == strconv.ErrRange && n > 0:
		return maxMessages, nil
	case err != nil || n < 0:
		return 0, doc.Errorf(e, "a number, 0 or more", "%q is no number of messages",
			xmlstrict.Clip(text))
	}
	return int(min(n, maxMessages)), nil
}

// Write writes the request of 1.3.
func (g GetMessages) Write(enc *xmlstrict.Encoder) {
	n := names[Final]
	enc.Start(n.GetMessages)
	if g.Most > 0 || g.None {
		enc.Element(n.MaximumNumber, strconv.Itoa(g.Most))
	}
	if g.Wait > 0 {
		enc.Element(wait, wsrf.FormatDuration(g.Wait))
	}
	enc.End()
}

// WriteCreatePullPointResponse writes where the new pull point is (1.3, 5.1).
func (e Edition) WriteCreatePullPointResponse(enc *xmlstrict.Encoder, pullPoint wsa.EPR) {
	enc.Start(names[e].CreatePullPointResponse)
	pullPoint.Write(enc, names[e].PullPoint, e.Addressing())
	enc.End()
}

// ParseCreatePullPointResponse reads where the new pull point is. It fails with
// a *xmlstrict.ContentError.
func (e Edition) ParseCreatePullPointResponse(
	doc *xmlstrict.Document, body *etree.Element,
) (wsa.EPR, error) {
	if err := doc.Fits(body, e.pullParts(names[e].PullPoint)); err != nil {
		return wsa.EPR{}, err
	}
	r, err := onlyEPR(doc, body, names[e].PullPoint)
	if err == nil && (r == nil || !xmlstrict.Is(body, names[e].CreatePullPointResponse)) {
		err = doc.Errorf(body, "a CreatePullPointResponse with a PullPoint",
			"there is no pull point")
	}
	if err != nil {
		return wsa.EPR{}, err
	}
	return *r, nil
}
