package wsa

import (
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Fault is one of the faults that WS-Addressing 1.0 names (SOAP Binding, 6.4).
type Fault struct {
	// Codes are the subcode and, behind it, what it is refined to.
	Codes []xmlstrict.Name
	// Err says what is wrong.
	Err error
	// Receiver tells that it is not the sender's mistake.
	Receiver bool
	// Detail writes the one element that shows the cause; nil writes none.
	Detail func(*xmlstrict.Encoder)
}

// Error returns what is wrong, for people.
func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap returns what is wrong.
func (f *Fault) Unwrap() error { return f.Err }

// Code returns the most special of the codes, which is all that SOAP 1.1 has
// room for.
func (f *Fault) Code() xmlstrict.Name { return f.Codes[len(f.Codes)-1] }

// FaultDetail is the header block that carries the detail in SOAP 1.1, where
// the fault's own detail is for the body alone (SOAP Binding, 6.2).
var FaultDetail = V200508.name("FaultDetail")

// The names of faults and of what shows their causes (SOAP Binding, 6.4).
var (
	invalidHeader = V200508.name("InvalidAddressingHeader")
	problemHeader = V200508.name("ProblemHeaderQName")
	problemAction = V200508.name("ProblemAction")
	problemIRI    = V200508.name("ProblemIRI")
	soapAction    = V200508.name("SoapAction")
)

// Why an addressing header is not valid (SOAP Binding, 6.4.1).
const (
	InvalidAddress       = "InvalidAddress"
	InvalidEPR           = "InvalidEPR"
	InvalidCardinality   = "InvalidCardinality"
	MissingAddressInEPR  = "MissingAddressInEPR"
	DuplicateMessageID   = "DuplicateMessageID"
	ActionMismatch       = "ActionMismatch"
	OnlyAnonymousAddress = "OnlyAnonymousAddressSupported"
)

// InvalidHeader returns the fault that a header block is not valid, one of the
// constants saying why (SOAP Binding, 6.4.1). Header is the block's local name.
func InvalidHeader(why, header string, err error) *Fault {
	return &Fault{
		Codes: []xmlstrict.Name{invalidHeader, V200508.name(why)},
		Err:   err, Detail: problemQName(header),
	}
}

// HeaderRequired returns the fault that a header block is missing (SOAP
// Binding, 6.4.2).
func HeaderRequired(header string, err error) *Fault {
	return &Fault{
		Codes: []xmlstrict.Name{V200508.name("MessageAddressingHeaderRequired")},
		Err:   err, Detail: problemQName(header),
	}
}

// problemQName returns what writes the name of the header block at fault.
func problemQName(header string) func(*xmlstrict.Encoder) {
	return func(enc *xmlstrict.Encoder) {
		enc.Start(problemHeader)
		enc.QName(V200508.name(header))
		enc.End()
	}
}

// MismatchedAction returns the fault that the actions of the envelope and of
// the transport differ (SOAP Binding, 6.4.1.6).
func MismatchedAction(action, transport string, err error) *Fault {
	return &Fault{
		Codes: []xmlstrict.Name{invalidHeader, V200508.name(ActionMismatch)},
		Err:   err, Detail: problemActions(action, transport),
	}
}

// ActionNotSupported returns the fault that an action cannot be processed here
// (SOAP Binding, 6.4.4).
func ActionNotSupported(action string, err error) *Fault {
	return &Fault{
		Codes: []xmlstrict.Name{V200508.name("ActionNotSupported")},
		Err:   err, Detail: problemActions(action, ""),
	}
}

// problemActions returns what writes the actions at fault.
func problemActions(action, transport string) func(*xmlstrict.Encoder) {
	return func(enc *xmlstrict.Encoder) {
		enc.Start(problemAction)
		enc.Element(V200508.name("Action"), action)
		if transport != "" {
			enc.Element(soapAction, transport)
		}
		enc.End()
	}
}

// DestinationUnreachable returns the fault that nothing is at an address (SOAP
// Binding, 6.4.3).
func DestinationUnreachable(address string, err error) *Fault {
	return &Fault{
		Codes: []xmlstrict.Name{V200508.name("DestinationUnreachable")},
		Err:   err, Detail: problemAddress(address),
	}
}

// EndpointUnavailable returns the fault that an endpoint cannot take the
// message now (SOAP Binding, 6.4.5).
func EndpointUnavailable(address string, err error) *Fault {
	return &Fault{
		Codes: []xmlstrict.Name{V200508.name("EndpointUnavailable")},
		Err:   err, Receiver: true, Detail: problemAddress(address),
	}
}

// problemAddress returns what writes the address at fault.
func problemAddress(address string) func(*xmlstrict.Encoder) {
	return func(enc *xmlstrict.Encoder) { enc.Element(problemIRI, address) }
}

// SOAP returns the fault as a message of a version carries it: in SOAP 1.2 with
// the chain of codes and the cause in its Detail (SOAP Binding, 6.1); in SOAP
// 1.1 with the most special code, and the cause in the header block
// FaultDetail, since it is about headers (6.2). The action of such a message is
// AddressingFaultAction.
func (f *Fault) SOAP(v soap.Version) *soap.Fault {
	out := &soap.Fault{Code: soap.CodeClient, Subcodes: f.Codes, String: f.Error()}
	if f.Receiver {
		out.Code = soap.CodeServer
	}
	switch {
	case f.Detail == nil:
	case v == soap.V12:
		out.Detail = f.Detail
	default:
		out.Blocks = func(enc *xmlstrict.Encoder) {
			enc.Start(FaultDetail)
			f.Detail(enc)
			enc.End()
		}
	}
	return out
}
