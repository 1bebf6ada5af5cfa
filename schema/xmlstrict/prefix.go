package xmlstrict

import "github.com/philoxenia/philoxenia/schema"

// prefixes are the prefixes that the encoder prefers, so that the same
// document always looks the same. They carry no meaning.
var prefixes = map[string]string{
	XSISpace: "xsi",
	XSDSpace: "xsd",

	"http://schemas.xmlsoap.org/soap/envelope/": "soapenv",
	"http://www.w3.org/2003/05/soap-envelope":   "soapenv",
	schema.Addressing:                           "wsa",
	"http://www.w3.org/2005/08/addressing":      "wsa",
	"http://xml.apache.org/axis/":               "axis",
	schema.Core:                                 "core",
	schema.CoreNotification:                     "corenotif",
	schema.JSDL:                                 "jsdl",
	"http://docs.oasis-open.org/wsrf/rp-2":      "wsrp",
	"http://docs.oasis-open.org/wsrf/rl-2":      "wsrl",
	"http://docs.oasis-open.org/wsrf/bf-2":      "wsbf",
	"http://docs.oasis-open.org/wsrf/r-2":       "wsr",
	"http://docs.oasis-open.org/wsn/b-2":        "wsnt",
	"http://docs.oasis-open.org/wsn/t-1":        "wstop",
	schema.Properties:                           "wsrp",
	schema.Lifetime:                             "wsrl",
	schema.BaseFaults:                           "wsbf",
	schema.BaseNotification:                     "wsnt",
	schema.Lease:                                "p",
	schema.Workspace:                            "w",
	schema.Types:                                "t",
	schema.Metadata:                             "m",
	schema.Logistics:                            "l",
	schema.Definition:                           "d",
	schema.Negotiable:                           "n",
	schema.Group:                                "g",
	schema.Ensemble:                             "e",
	schema.Status:                               "s",
	schema.Workspace + "/contextualization":     "octx",
	"http://www.globus.org/2008/12/nimbus/contextualization": "nctx",
	"http://www.globus.org/2008/12/nimbus/ctxtypes":          "nct",
	"http://www.globus.org/2008/12/nimbus/ctxdescription":    "ncd",
}
