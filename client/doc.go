// Package client is the typed Go client of the workspace service in its first
// face: SOAP 1.1, WS-Addressing 2004/03 and the 2004/06 drafts of WSRF and
// WS-BaseNotification, with the documents of 2008/06.
//
// It knows the wire (package schema and below) and nothing of the service's
// insides. What to show to people is the command's matter; following
// notifications is package notify's; files that hold references are package
// epr's.
package client
