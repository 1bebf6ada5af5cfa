package soap

import "encoding/xml"

// Fault is a SOAP fault. What kind it is says Detail: the bindings have a type
// for each, such as binding.ResourceUnknownFault.
type Fault struct {
	Code   string // as it was sent, prefix and all
	String string // may be empty
	Detail []Any  // entries of the detail
}

var faultName = xml.Name{Space: envelopeSpace, Local: "Fault"}

// Error returns the fault's text or, without one, the description in the first
// entry of its detail.
func (f *Fault) Error() string {
	text := f.String
	for _, d := range f.Detail {
		var described struct {
			Description []string
		}
		if text == "" && d.Decode(&described) == nil && len(described.Description) > 0 {
			text = d.Name().Local + ": " + described.Description[0]
		}
	}
	if text == "" {
		text = f.Code
	}
	return text
}

// Has reports whether the detail has an entry of that name.
func (f *Fault) Has(space, local string) bool {
	for _, d := range f.Detail {
		if d.Name() == (xml.Name{Space: space, Local: local}) {
			return true
		}
	}
	return false
}

// faultOf reads the fault element.
func faultOf(element Any) error {
	var f struct {
		Code   string `xml:"faultcode"`
		String string `xml:"faultstring"`
		Detail struct {
			Content []Any `xml:",any"`
		} `xml:"detail"`
	}
	if err := element.Decode(&f); err != nil {
		return err
	}
	return &Fault{Code: f.Code, String: f.String, Detail: f.Detail.Content}
}
