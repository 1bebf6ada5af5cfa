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
	schema.Addressing2005:                       "wsa",
	"http://xml.apache.org/axis/":               "axis",
	schema.Core:                                 "core",
	schema.CoreNotification:                     "corenotif",
	schema.JSDL:                                 "jsdl",
	schema.Properties2:                          "wsrp",
	schema.Lifetime2:                            "wsrl",
	schema.BaseFaults2:                          "wsbf",
	schema.Resource2:                            "wsr",
	schema.ServiceGroup2:                        "wssg",
	schema.BaseNotification2:                    "wsnt",
	schema.Topics1:                              "wstop",
	schema.ONVIFEvents:                          "tev",
	schema.Properties:                           "wsrp",
	schema.Lifetime:                             "wsrl",
	schema.BaseFaults:                           "wsbf",
	schema.BaseNotification:                     "wsnt",
	schema.Lease:                                "p",
	schema.Terms:                                "q",
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
