// Package wsrf holds the messages of the Web Services Resource Framework as
// GT4 speaks it, the drafts of June 2004: resource properties, lifetimes and
// base faults, for both sides of a conversation. It also holds the XML Schema
// values those messages are made of (dateTime, duration) and the evaluation of
// query expressions, bounded so that nobody can burn the server's time.
//
// It must not know which resources or properties exist.
package wsrf
