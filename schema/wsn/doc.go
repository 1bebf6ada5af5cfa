// Package wsn holds the messages of Web Services Base Notification and the
// documents of Web Services Topics, in two editions: the draft of June 2004
// that GT4 speaks, and version 1.3 as published. It is for producer,
// subscriber, consumer and pull point alike.
//
// It must not know which topics exist, nor who subscribed to them.
package wsn
