// Package message writes the messages that tell consumers of events: one format
// for each dialect that a subscription can be made in.
//
// It must not know how messages are delivered, nor who may hear of what.
package message
