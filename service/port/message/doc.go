// Package message writes what consumers of notifications receive, in the formats
// of both faces, and decides which events a subscription's conditions let pass.
// It has the one table of what the topics are called on each face.
//
// It must not know how a message travels, when it is sent, or what a
// subscription is made with; of envelopes it knows how to write them.
package message
