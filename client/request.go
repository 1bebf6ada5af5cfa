package client

import (
	"path"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

// A request is one operation to be carried out.
type request struct {
	op        string // for errors, as an infinitive: "start workspace 7"
	operation string // as the WSDL documents name it, in any case
	target    wsa.EPR
	messageID string // made up when empty
	body      func(*xmlstrict.Encoder)
	wait      time.Duration // that the service was asked to take its time, at most
	once      bool          // not to be sent again, though others of the operation may be

	action string         // by the WSDL documents
	reply  xmlstrict.Name // of the body element of the answer, by the WSDL documents
}

// face returns the face in which the request is sent.
func (r request) face() wsdl.Face { return FaceOf(r.target) }

// edition returns the edition of WSRF that a reference's face speaks.
func edition(epr wsa.EPR) wsrf.Edition {
	if FaceOf(epr) == wsdl.Two {
		return wsrf.Final
	}
	return wsrf.Draft
}

// version returns the version of SOAP and of WS-Addressing of a face. Servers
// take either SOAP; of the second face's we send what its standards were
// written for.
func version(face wsdl.Face) (soap.Version, wsa.Version) {
	if face == wsdl.Two {
		return soap.V12, wsa.V200508
	}
	return soap.V11, wsa.V200403
}

// An entry names an operation in the table of the WSDL documents.
type entry struct {
	face      wsdl.Face
	service   string // empty: any of the face that has it
	operation string // in lower case
}

// table is the WSDL documents' table by service and operation.
var table = sync.OnceValue(func() map[entry]wsdl.Operation {
	all := map[entry]wsdl.Operation{}
	for _, o := range wsdl.Operations() {
		name := strings.ToLower(o.Name)
		all[entry{o.Face, o.Service, name}] = o
		if _, taken := all[entry{o.Face, "", name}]; !taken {
			all[entry{o.Face, "", name}] = o
		}
	}
	return all
})

// publish fills in what the WSDL documents say of the operation. A service
// behind an address that ends otherwise is known by its resource's key.
func (r *request) publish() error {
	face, name := r.face(), strings.ToLower(r.operation)
	base, service := split(r.target.Address)
	if service == "" {
		service = path.Base(base)
	}
	for _, s := range []string{service, serviceOf(r.target), ""} {
		if o, ok := table()[entry{face, s, name}]; ok {
			r.action, r.reply = o.Action, xmlstrict.Name(o.Out)
			return nil
		}
	}
	return ErrNoFace
}

// serviceOf returns the service that a reference's key belongs to.
func serviceOf(epr wsa.EPR) string {
	for _, s := range []struct {
		key      xmlstrict.Name
		services [2]string
	}{
		{workspaceKey, twins[1]}, {groupKey, twins[2]}, {subscriptionKey, twins[4]},
	} {
		if has(epr, s.key) {
			return s.services[FaceOf(epr)]
		}
	}
	return ""
}
