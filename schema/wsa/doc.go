// Package wsa reads and writes WS-Addressing: endpoint references and message
// headers, in the submission of March 2004 that GT4 speaks (face one) and in
// the recommendation of August 2005 (face two).
//
// It must not know which services exist or what their keys mean.
package wsa
