package dispatch_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"strings"
)

const (
	soap11   = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12   = "http://www.w3.org/2003/05/soap-envelope"
	wsa2004  = "http://schemas.xmlsoap.org/ws/2004/03/addressing"
	wsa2005  = "http://www.w3.org/2005/08/addressing"
	spaceT   = "http://www.globus.org/2008/06/workspace/types"
	wsrf2004 = "http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-"
	spaceRP  = wsrf2004 + "ResourceProperties-1.2-draft-01.xsd"
	spaceRL  = wsrf2004 + "ResourceLifetime-1.2-draft-01.xsd"
	spaceNT  = "http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification-1.2-draft-01.xsd"
	simple   = "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple"
	xpath10  = "http://www.w3.org/TR/1999/REC-xpath-19991116"
)

// goodBody is a poll that would be answered.
const goodBody = `<s:Envelope xmlns:s="` + soap11 + `"><s:Header>` + key + `</s:Header><s:Body>` +
	poll + `</s:Body></s:Envelope>`

const (
	key  = `<w:WorkspaceKey xmlns:w="http://www.globus.org/2008/06/workspace">1</w:WorkspaceKey>`
	poll = `<p:GetResourceProperty xmlns:p="` + spaceRP + `" xmlns:t="` + spaceT + `">` +
		`t:currentState</p:GetResourceProperty>`
	destroy = `<l:Destroy xmlns:l="` + spaceRL + `"/>`
)

// with puts other text in the place of part of a good request.
func with(old, replacement string) string { return strings.Replace(goodBody, old, replacement, 1) }

// block adds a header block to a good request.
func block(text string) string { return with(`<s:Header>`, `<s:Header>`+text) }

// payload is a good request with another element in the body.
func payload(element string) string { return with(poll, element) }

// keyed is a good request with another key.
func keyed(text string) string { return with("1</w", text+"</w") }

// addressed is an addressing header block.
func addressed(space, local, text string) string {
	return `<a:` + local + ` xmlns:a="` + space + `">` + text + `</a:` + local + `>`
}

func query(expression string) string {
	return `<p:QueryResourceProperties xmlns:p="` + spaceRP + `"><p:QueryExpression Dialect="` +
		xpath10 + `">` + expression + `</p:QueryExpression></p:QueryResourceProperties>`
}

func subscribe(consumer string) string {
	return `<n:Subscribe xmlns:n="` + spaceNT + `"><n:ConsumerReference xmlns:a="` + wsa2004 +
		`"><a:Address>` + consumer + `</a:Address></n:ConsumerReference><n:TopicExpression ` +
		`Dialect="` + simple + `" xmlns:t="` + spaceT + `">t:currentState</n:TopicExpression>` +
		`</n:Subscribe>`
}

func repeat(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func gzipped(s string) string {
	var b strings.Builder
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

// faulted is a body that gets a fault which says so.
func faulted(fault, body string) hostile { return hostile{body: body, status: 500, fault: fault} }

// client is a body whose sender is told that it is wrong.
func client(body string) hostile { return faulted("soapenv:Client", body) }

var hostileDocuments = map[string]hostile{
	"malformed":     faulted("line 1", `<a><b>`),
	"nothing":       client(``),
	"no XML":        client(`GET / HTTP/1.1`),
	"no envelope":   faulted("no SOAP envelope", `<a/>`),
	"document type": client(`<!DOCTYPE s>` + goodBody),
	"external entity": client(
		`<!DOCTYPE s [<!ENTITY x SYSTEM "file:///x">]>` + keyed("&x;")),
	"entity bomb": client(
		`<!DOCTYPE s [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>` + goodBody),
	"undefined entity":       client(keyed("&x;")),
	"processing instruction": client(block(`<?php x ?>`)),
	"style sheet":            client(`<?xml-stylesheet href="x"?>` + goodBody),
	"two roots":              client(goodBody + goodBody),
	"text behind":            client(goodBody + "x"),
	"duplicate attribute":    client(with(`<s:Body>`, `<s:Body a="1" a="2">`)),
	"two prefixes, same attribute": client(
		with(`<s:Body>`, `<s:Body xmlns:a="u:x" xmlns:b="u:x" a:i="1" b:i="2">`)),
	"undeclared prefix": client(payload(`<u:x/>`)),
	"undeclared in text": faulted("InvalidResourcePropertyQNameFault",
		payload(strings.Replace(poll, ">t:", ">q:", 1))),
	"depth of 100,000":     client(payload(strings.Repeat("<a>", 100_000))),
	"10,000 attributes":    client(payload(`<a ` + repeat(10_000, `a%d="" `) + `/>`)),
	"10,000 namespaces":    client(payload(`<a ` + repeat(10_000, `xmlns:a%d="u:x" `) + `/>`)),
	"100,000 siblings":     client(payload(`<a>` + strings.Repeat("<b/>", 100_001) + `</a>`)),
	"a long name":          client(payload(`<` + strings.Repeat("a", 10_000) + `/>`)),
	"a long attribute":     client(payload(`<a b="` + strings.Repeat("x", 500_000) + `"/>`)),
	"UTF-16":               client("\xfe\xff\x00<\x00a\x00/\x00>"),
	"UTF-7":                client(`<?xml version="1.0" encoding="UTF-7"?>` + goodBody),
	"broken UTF-8":         client(keyed("\xff")),
	"a NUL":                client(keyed("\x00")),
	"XML 1.1":              client(`<?xml version="1.1"?>` + goodBody),
	"comment inside a key": client(keyed("1<!-- -->9")),
	"a reference to a file": client(payload(
		`<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="file:///etc/passwd"/>`)),
}

var hostileEnvelopes = map[string]hostile{
	"unknown version": faulted("VersionMismatch", with(soap11, "http://example.org/soap/")),
	"mixed versions":  client(with(`<s:Body>`, `<s:Body xmlns:s="`+soap12+`">`)),
	"1.2 as text/xml": {body: with(soap11, soap12), status: 415},
	"1.1 as soap+xml": {
		header: "Content-Type: application/soap+xml\r\n", body: goodBody, status: 415,
	},
	"empty body":       faulted("Body is empty", payload("")),
	"two operations":   faulted("several", payload(poll+destroy)),
	"text in the body": client(payload("x" + poll)),
	"body before header": client(`<s:Envelope xmlns:s="` + soap11 + `"><s:Body>` + poll +
		`</s:Body><s:Header>` + key + `</s:Header></s:Envelope>`),
	"must be understood": faulted("MustUnderstand",
		block(`<x:y xmlns:x="u:x" s:mustUnderstand="1"/>`)),
	"a signature": faulted("MustUnderstand",
		block(`<e:Security xmlns:e="u:wss" s:mustUnderstand="1"/>`)),
	"must perhaps be understood": client(block(`<x:y xmlns:x="u:x" s:mustUnderstand="maybe"/>`)),
	"two actions": faulted("a second Action",
		block(strings.Repeat(addressed(wsa2004, "Action", "x"), 2))),
	"addressing mixed": faulted("two versions",
		block(addressed(wsa2004, "To", "x")+addressed(wsa2005, "To", "x"))),
	"reference without address": faulted("no address", block(addressed(wsa2004, "ReplyTo", ""))),
	"content in Destroy": faulted("/Envelope/Body/Destroy/keep: ",
		payload(`<l:Destroy xmlns:l="`+spaceRL+`"><keep/></l:Destroy>`)),
	"text in Destroy": faulted("nothing inside Destroy",
		payload(`<l:Destroy xmlns:l="`+spaceRL+`">no</l:Destroy>`)),
	"action of the content type": {
		header: "Content-Type: application/soap+xml; action=\"urn:other\"\r\n",
		body:   with(soap11, soap12), status: 400, fault: "contradicts",
	},
	"unknown operation":         faulted("No such operation 'Foo'", payload(`<Foo xmlns="u:x"/>`)),
	"operation of no namespace": faulted("No such operation", payload(`<Destroy/>`)),
	"operation of another service": faulted("No such operation", payload(
		`<startWorkspaces xmlns="http://www.globus.org/2008/06/workspace/group"/>`)),
	"SOAPAction against the body": {
		header: xmlType + "SOAPAction: \"" + wsrf2004 +
			"ResourceProperties/GetResourceProperty\"\r\n",
		body: payload(destroy), status: 500, fault: "contradicts",
	},
	"wsa:Action against the body": faulted("contradicts",
		block(addressed(wsa2004, "Action", "urn:other"))),
}

var hostileKeys = map[string]hostile{
	"no key": faulted("resource key is missing", with(key, "")),
	"no header": faulted("resource key is missing",
		with(`<s:Header>`+key+`</s:Header>`, "")),
	"empty key":          faulted("resource key is missing", keyed(" ")),
	"another's name":     faulted("key is missing", with(key, "<WorkspaceKey>1</WorkspaceKey>")),
	"key of letters":     faulted("not integer based", keyed("abc")),
	"negative key":       faulted("not integer based", keyed("-1")),
	"key with a sign":    faulted("not integer based", keyed("+1")),
	"key with zeros":     faulted("not integer based", keyed("001")),
	"huge key":           faulted("not integer based", keyed(strings.Repeat("9", 100))),
	"unknown key":        faulted("ResourceUnknownFault", keyed("99999")),
	"another's key":      faulted("ResourceUnknownFault", keyed("2")),
	"a key of 300 bytes": faulted("at most 256 bytes", keyed(strings.Repeat("9", 300))),
	"two keys": faulted("/Envelope/Header/WorkspaceKey[2]: there is a second WorkspaceKey",
		with(key, key+key)),
	"keys that contradict": faulted("a second WorkspaceKey",
		with(key, key+strings.Replace(key, "1</w", "2</w", 1))),
	"a key in the address that contradicts": {
		path: workspacePath + "?key=2", body: payload(destroy), status: 500,
		fault: "holds another resource key",
	},
	"two keys in the address": {
		path: workspacePath + "?key=1&key=1", body: with(key, ""), status: 500,
		fault: "or several",
	},
	"an element in a key": faulted("the key alone", keyed("1<x/>")),
	"destroy another's": faulted("ResourceUnknownFault",
		strings.Replace(payload(destroy), "1</w", "2</w", 1)),
}

var hostileQueries = map[string]hostile{
	"parentheses": faulted("InvalidQueryExpressionFault",
		payload(query(strings.Repeat("(", 2000)))),
	"no query":     faulted("InvalidQueryExpressionFault", payload(query(""))),
	"unclosed":     faulted("InvalidQueryExpressionFault", payload(query("//*["))),
	"costly":       faulted("QueryEvaluationErrorFault", payload(query(costly))),
	"other prefix": faulted("InvalidQueryExpressionFault", payload(query("//q:state"))),
	"a function of files": faulted("InvalidQueryExpressionFault",
		payload(query("document('file:///etc/passwd')"))),
	"other dialect": faulted("UnknownQueryExpressionDialectFault",
		payload(strings.Replace(query("/"), "REC-xpath", "xquery", 1))),
	"unknown property": faulted("InvalidResourcePropertyQNameFault",
		payload(strings.Replace(poll, "currentState", "secret", 1))),
	"no property": faulted("Fault", payload(
		`<p:GetMultipleResourceProperties xmlns:p="`+spaceRP+`"/>`)),
	"a time that is none": faulted("TerminationTimeChangeRejectedFault", payload(
		`<l:SetTerminationTime xmlns:l="`+spaceRL+`"><l:RequestedTerminationTime>soon`+
			`</l:RequestedTerminationTime></l:SetTerminationTime>`)),
	"no lease is endless": faulted("TerminationTimeChangeRejectedFault", payload(
		`<l:SetTerminationTime xmlns:l="`+spaceRL+`"><l:RequestedTerminationTime `+
			`xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="1"/>`+
			`</l:SetTerminationTime>`)),
}

// costly walks the document once for each pair, triple, ... of its nodes.
var costly = strings.Repeat("//*[count(", 8) + "//*" + strings.Repeat(") > 0]", 8)

var hostileConsumers = map[string]hostile{
	"link-local": faulted("SubscribeCreationFailedFault",
		payload(subscribe("http://169.254.169.254/"))),
	"the server itself": faulted("the consumer is this server itself",
		payload(subscribe("http://127.0.0.1:8080/wsrf/services/WorkspaceService"))),
	"a file": faulted("SubscribeCreationFailedFault", payload(subscribe("file:///etc/passwd"))),
	"NAT64": faulted("SubscribeCreationFailedFault",
		payload(subscribe("http://[64:ff9b::7f00:1]/"))),
	"huge": faulted("SubscribeCreationFailedFault", payload(strings.Replace(
		subscribe("http://127.0.0.1:1/"), "</a:Address>", "</a:Address><a:ReferenceProperties><k>"+
			strings.Repeat("x", 20_000)+"</k></a:ReferenceProperties>", 1))),
	"nobody": faulted("SubscribeCreationFailedFault", payload(subscribe(""))),
	"unknown topic": faulted("TopicNotSupportedFault", payload(strings.Replace(
		subscribe("http://127.0.0.1:1/"), "t:currentState", "t:secrets", 1))),
	"unknown dialect": faulted("TopicPathDialectUnknownFault", payload(strings.Replace(
		subscribe("http://127.0.0.1:1/"), "/Simple", "/Fullest", 1))),
	"a selector": faulted("SubscribeCreationFailedFault", payload(strings.Replace(
		subscribe("http://127.0.0.1:1/"), "</n:Subscribe>", "<n:Selector/></n:Subscribe>", 1))),
}

// postStart begins a raw request.
const postStart = "POST /wsrf/services/WorkspaceService HTTP/1.1\r\nHost: x\r\n" + xmlType

var hostileHTTP = map[string]hostile{
	"unknown service":    {path: "/wsrf/services/NoSuchService", body: goodBody, status: 404},
	"unknown path":       {path: "/", body: goodBody, status: 404},
	"a path that climbs": {path: "/wsrf/schema/../../etc/passwd", method: "GET", status: 404},
	"climbing, encoded":  {path: "/wsrf/schema/..%2f..%2fetc%2fx", method: "GET", status: 404},
	"GET":                {method: "GET", status: 404},
	"PUT":                {method: "PUT", body: goodBody, status: 405},
	"DELETE":             {method: "DELETE", status: 405},
	"TRACE":              {method: "TRACE", status: 405},
	"an unknown method":  {method: "FOO", status: 405},
	"gzip": {
		header: xmlType + "Content-Encoding: gzip\r\n",
		body:   gzipped(strings.Repeat(" ", 1<<20)), status: 415,
	},
	"two encodings": {
		header: xmlType + "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n",
		body:   goodBody, status: 400,
	},
	"two content types": {
		header: xmlType + "Content-Type: application/json\r\n", body: goodBody, status: 400,
	},
	"two SOAPActions": {
		header: xmlType + "SOAPAction: \"\"\r\nSOAPAction: \"urn:other\"\r\n",
		body:   goodBody, status: 400,
	},
	"other content": {header: "Content-Type: application/json\r\n", body: `{}`, status: 415},
	"multipart": {
		header: "Content-Type: multipart/related; type=\"application/xop+xml\"\r\n",
		body:   goodBody, status: 415, fault: "attachments (MTOM",
	},
	"other charset": {
		header: "Content-Type: text/xml; charset=utf-16\r\n", body: goodBody, status: 415,
	},
	"bad content type": {
		header: "Content-Type: text/xml; charset\r\n", body: goodBody, status: 415,
	},
	"too large":           {body: payload(strings.Repeat(" ", 1<<20)), status: 413},
	"announced too large": {raw: postStart + "Content-Length: 1073741824\r\n\r\n<", status: 413},
	"too large in chunks": {
		raw: postStart + "Transfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("10000\r\n"+strings.Repeat(" ", 1<<16)+"\r\n", 17) + "0\r\n\r\n",
		status: 413,
	},
	"chunks that lie": {raw: postStart + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", status: 400},
	"two lengths": {
		raw: postStart + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n<a/>xx", status: 400,
	},
	"negative length":  {raw: postStart + "Content-Length: -1\r\n\r\n", status: 400},
	"unknown transfer": {raw: postStart + "Transfer-Encoding: gzip\r\n\r\n", status: 501},
	"huge HTTP header": {
		header: xmlType + "X: " + strings.Repeat("x", 128<<10) + "\r\n",
		body:   goodBody, status: 431,
	},
	"no Host": {
		raw:    "POST /wsrf/services/WorkspaceService HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
		status: 400,
	},
	"no HTTP": {raw: "<a/>\r\n\r\n", status: 400},
	"HTTP/3":  {raw: "POST / HTTP/3.0\r\nHost: x\r\n\r\n", status: 505},
}
