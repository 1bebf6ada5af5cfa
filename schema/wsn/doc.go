// Package wsn holds the messages of Web Services Base Notification as GT4
// speaks it, the draft of June 2004: subscriptions, notifications and topic
// expressions, for producer, subscriber and consumer.
//
// It must not know which topics exist, nor who subscribed to them.
package wsn
