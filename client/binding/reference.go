package binding

import "github.com/philoxenia/philoxenia/client/binding/soap"

// At returns a client for the resource that a reference names: its messages go
// to the reference's address and carry its parameters (WS-Addressing 1.0, SOAP
// Binding, section 3.3).
func At(client *soap.Client, reference *EndpointReferenceType) *soap.Client {
	c := *client
	c.Headers = nil
	if reference == nil {
		return &c
	}
	if reference.Address != nil {
		c.URL = string(reference.Address.Value)
	}
	if reference.ReferenceParameters != nil {
		for _, p := range reference.ReferenceParameters.Items {
			c.Headers = append(c.Headers, p.Parameter())
		}
	}
	return &c
}
