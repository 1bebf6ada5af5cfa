package strictness

// differences is the table. docs/strictness.md is made of it.
func differences() []*difference {
	return append(whatWeTake(), whatWeRefuse()...)
}

// whatWeTake lists what we read although the schemas refuse it.
func whatWeTake() []*difference {
	return []*difference{
		// Attributes.
		takes("", `attribute '(lang|base|space)': The attribute '\w+' is not allowed`,
			"editors and tools add the attributes of XML itself; they change nothing here"),
		takes("", `attribute 'type': |The type definition is absent`,
			"SOAP stacks write an xsi:type that suits them; here the place tells the type"),
		takes("", `The element is not 'nillable'`,
			"`xsi:nil=\"false\"` says nothing; the schemas admit it on nillable elements only"),

		// White space.
		takes("", `The value ' ?.* ?' is not an element of the set|The value '$|`+
			`differs from the allowed length of '17'`,
			"files are indented by people: white space around a word is no part of it"),
		takes("", `: '(\s.*|.*\s)' is not a valid value of the atomic type|: '$|`+
			`The QName value '( .*|$)`,
			"XML Schema part 2, 4.3.6, has white space around these values dropped; libxml2 "+
				"keeps it"),
		takes("", `(Character content|Neither character).* allowed`,
			"a CDATA section without content is no content (XML 1.0, 2.7); libxml2 counts it"),

		// Names.
		takes("", `: '(\x{661}|\x{feff}|\x{1f600}|mut:\x{661})' is not a valid value of the `+
			`atomic type 'xs:QName'`,
			"names are those of the fifth edition of XML 1.0, 2.3; libxml2 knows the fourth's"),
		takes("MaximumNumber", `'99999999999999999999999999' is not a valid value`,
			"xs:nonNegativeInteger has no bound (XML Schema part 2, 3.3.20); libxml2 has one"),

		// What is not ours to judge.
		takes(`(EPR|epr|Reference|PullPoint|Credential)/([^/]+/|Reference|Metadata|`+
			`ServiceName|policy|TerminationTime)`, ``,
			"what an endpoint reference holds for its own service is opaque to others"),
		takes(`/NotificationMessage/Message(/|$)`, ``,
			"what a message says is read by who asked for it, as far as it is understood"),
		takes(`/(Insert|Update)(/|$)|^PutResourcePropertyDocument`, ``,
			"the resource judges the values that it is asked to take"),
		takes(`/Content/RPDoc(/|$)`, ``, "a member's document is read as what it is, not here"),
		takes(`/SubscriptionPolicy(/|$)`, ``, "policies of the draft are refused as a whole"),
		takes(`/WorkspaceFault(/|$)`, ``,
			"faults are told to people: whatever can be read of one is told"),

		// Property documents.
		takes(`^(Factory|Service|Status|Workspace|Host)(RPSet|Properties)`,
			`This element is not expected`,
			"properties may stand in any order, and there may be more than we know "+
				"(WS-ResourceProperties 1.2, 4)"),
		takes(`^(Factory|Service|Status|Workspace|Host)(RPSet|Properties)/(FixedTopicSet|Topic|`+
			`TopicSet|(Topic|Query)Expression(Dialects?)?)(/|$)`, ``,
			"the client does not read these properties"),
	}
}

// whatWeRefuse lists what we refuse although the schemas admit it.
func whatWeRefuse() []*difference {
	return append([]*difference{
		// Text.
		refuses("", `is empty$`, "a word that is asked for must be given: a name, an address"),
		refuses("", `is not a word$|has \d+ bytes$`,
			"words are of one line without control characters, at most 4,096 bytes"),
		refuses("", `: a comment stands inside this text`,
			"what a word with a comment inside means depends on the reader; ours must not"),
		refuses("", `is not an absolute URI$`,
			"an image or a service cannot be found by a relative address"),
		refuses("", `/Address: .* is not a URI$`,
			"RFC 3986 has no control characters in addresses; xs:anyURI of libxml2 admits them"),
		refuses("", `has no address$`, "an endpoint reference without address leads nowhere"),
		refuses("", `attribute \{http://www.w3.org/2001/XMLSchema-instance\}color `,
			"XML Schema part 1, 2.6, has four attributes in that namespace; wildcards admit "+
				"more"),

		// Times and amounts.
		refuses("", `"(-0001|0001|9999-12-31T23:59:59-|10000|99999).*" is not a time`,
			"years 1 to 9999 in UTC are what Go, SQL and HTTP can say; the first moment of "+
				"year 1 stands for none"),
		refuses("", `" (is negative|holds (years|months), whose length is not fixed|is too long)`,
			"a lease lasts a number of seconds that the calendar does not change, at most 292 "+
				"years"),
		refuses("", `"PT(1\.|\.5)S" is not a duration`,
			"digits stand on both sides of the point (XML Schema part 2, 3.2.6.1); libxml2 does "+
				"not mind"),
		refuses("", `(minDuration|Warn): .* is no time at all$`,
			"a lease of no time is none, and a warning when it ends is no warning"),
		refuses("", `is not a finite number$`, "NaN and INF are no amounts"),
		refuses("", `is less than one$|is absurdly large$|has no amount$|nothing is in the range$`,
			"amounts are 1 to 2,147,483,647 as in the original, rates up to 10^15, and never "+
				"empty"),
		refuses("", `"-\d+" is out of range`, "what is counted is not negative"),
		refuses("", `chargeGranularity: "2147483647" is out of range`,
			"minutes are kept as a duration of at most 292 years"),
		refuses("", `(CPUArchitecture/\w+(\[\d\])?: element \w+|attribute `+
			`\{urn:example:mutant\}\w+) is unknown`,
			"JSDL's extensions: nothing here would honour them"),
	}, whatServicesRefuse()...)
}

// whatServicesRefuse lists what makes no sense to the services although it is of
// the right form, as it made none to the original.
func whatServicesRefuse() []*difference {
	return []*difference{
		refuses("", `(definition|CPUArchitecture|mountAs|nic) is missing$|memory must be given$`,
			"the original's service insists on them although its schema does not"),
		refuses("", `InitialState: unknown initial state "Unstaged"$`,
			"the original's service refuses the word that its schema has"),
		refuses("", `is not the name of a disk$|more than one disk is to appear as `,
			"each disk appears under a name of its own, without /dev"),
		refuses("", `pathOnVM: .* is not (absolute|a plain path)$`,
			"a file that is written has one absolute path without dots"),
		refuses("", `/content: the file has \d+ characters$|/parameters: th`,
			"files to write have 40,960 characters at most, a kernel's parameters one line of "+
				"2,048"),
		refuses("", `MAC: .* is not a MAC address$`, "17 characters are not yet an address"),
		refuses("", `there is more than one (NIC named|entry for|partition named) `,
			"names tell interfaces and disks apart"),
		refuses("", `NIC ".*" (both asks for an address and gives one|does not give its address)$`,
			"the acquisition method says who gives the address"),
		refuses("", `is only compatible with a ReadyForTransport request$`,
			"only then is there an image to save"),
		refuses("", `/LeaseTerms(/\S*)?: (the (deadline|lease|parts|warning)|`+
			`(of part \d+, )?(the lower bound|there is a least)|there are both|between Start|`+
			`a (reservation|deadline) |a lease of the kind|what is promised|bandwidth is given)`,
			"terms of a lease must not contradict each other or the request"),
		refuses("", `the (window|schedule) ends before it begins$`, "they have a length"),
		refuses("", `data has no name$`, "a datum without a name cannot be asked for"),
		refuses("", `the reference is not that of the key before it$`,
			"which of two keys counts must not depend on the reader"),
		refuses("", `(Topic|TopicExpression)(/\w+)?: `,
			"the schemas admit any text and any dialect as a topic expression"),
		refuses("", `/(QueryExpression|Precondition|Selector|MessageContent|ProducerProperties)`+
			`(/\w+)?: `, "the schemas admit any text and any dialect as a query"),
		refuses("", `: the (filter|policy) .* is unknown$|`+
			`^/\w+/Filter/\w+(\[\d\])?: a second `,
			"WS-BaseNotification 1.3, 4.2: what cannot be honoured is refused; of each filter "+
				"there is one"),
		refuses("", `MessageLimit: "(-\d+|0)" is no number of messages$`,
			"who pulls messages wants one at least"),
		refuses("", `: a second (Wait|NotificationMessage)$`, "our own extension is there once, "+
			"and messages stand before extensions; libxml2 takes them behind one too"),
		refuses(`^WorkspaceProperties/currentState/WorkspaceFault`, `/WorkspaceFault`,
			"on face two the schema says nothing of a fault's parts"),
	}
}
