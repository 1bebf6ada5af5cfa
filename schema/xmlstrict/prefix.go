package xmlstrict

// prefixes are the prefixes that the encoder prefers, so that the same
// document always looks the same. They carry no meaning.
var prefixes = map[string]string{
	XSISpace: "xsi",
	XSDSpace: "xsd",

	"http://schemas.xmlsoap.org/soap/envelope/":        "soapenv",
	"http://www.w3.org/2003/05/soap-envelope":          "soapenv",
	"http://schemas.xmlsoap.org/ws/2004/03/addressing": "wsa",
	"http://www.w3.org/2005/08/addressing":             "wsa",
	"http://xml.apache.org/axis/":                      "axis",
	"http://www.globus.org/namespaces/2004/06/core":    "core",
	"http://wsrf.globus.org/core/notification":         "corenotif",
	"http://schemas.ggf.org/jsdl/2005/11/jsdl":         "jsdl",
	"http://docs.oasis-open.org/wsrf/rp-2":             "wsrp",
	"http://docs.oasis-open.org/wsrf/rl-2":             "wsrl",
	"http://docs.oasis-open.org/wsrf/bf-2":             "wsbf",
	"http://docs.oasis-open.org/wsrf/r-2":              "wsr",
	"http://docs.oasis-open.org/wsn/b-2":               "wsnt",
	"http://docs.oasis-open.org/wsn/t-1":               "wstop",
	wsrf2004 + "ResourceProperties-1.2-draft-01.xsd":   "wsrp",
	wsrf2004 + "ResourceLifetime-1.2-draft-01.xsd":     "wsrl",
	wsrf2004 + "BaseFaults-1.2-draft-01.xsd":           "wsbf",
	wsn2004 + "BaseNotification-1.2-draft-01.xsd":      "wsnt",
	workspace2008:                                            "w",
	workspace2008 + "/types":                                 "t",
	workspace2008 + "/metadata":                              "m",
	workspace2008 + "/metadata/logistics":                    "l",
	workspace2008 + "/metadata/definition":                   "d",
	workspace2008 + "/negotiable":                            "n",
	workspace2008 + "/group":                                 "g",
	workspace2008 + "/ensemble":                              "e",
	workspace2008 + "/status":                                "s",
	workspace2008 + "/contextualization":                     "octx",
	"http://www.globus.org/2008/12/nimbus/contextualization": "nctx",
	"http://www.globus.org/2008/12/nimbus/ctxtypes":          "nct",
	"http://www.globus.org/2008/12/nimbus/ctxdescription":    "ncd",
}

// The stems that several of those namespaces share.
const (
	wsrf2004      = "http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-"
	wsn2004       = "http://docs.oasis-open.org/wsn/2004/06/wsn-WS-"
	workspace2008 = "http://www.globus.org/2008/06/workspace"
)
