// Package notify tells consumers what became of workspaces: it checks where a
// subscription wants its messages, takes messages from the durable outbox, and
// delivers each at least once, in order per subscription, to consumers that may
// be slow, dead or hostile.
//
// It must not know why an event happened nor who may hear of it: a message
// that lies in the outbox is meant for its subscription. It never calls up.
package notify
