package wsdl

// Face is one of the two sets of standards in which the service speaks. Both
// stand before the same resources.
type Face uint8

// The faces.
const (
	// One is that of the Globus Toolkit 4: WS-Addressing of March 2004 and the
	// drafts of June 2004 of WSRF and WS-Notification.
	One Face = iota
	// Two is the standards as published: WS-Addressing 1.0, WSRF 1.2 and
	// WS-Notification 1.3.
	Two
)

// Path returns the path below the server's root under which the services of
// the face hang, with slashes around it.
func (f Face) Path() string {
	if f == Two {
		return "/ws/"
	}
	return "/wsrf/services/"
}

// String returns "face one" or "face two".
func (f Face) String() string {
	if f == Two {
		return "face two"
	}
	return "face one"
}
