// Package notify follows workspaces: a Consumer receives the service's
// notifications, and a Watcher joins them with reads of the state property
// into one stream of events.
//
// Notifications are fast but may be late, repeated or missing; the state
// property is authoritative. A Watcher therefore reads the state after it has
// subscribed, again every now and then, and only polls when no notification
// can reach it. The package knows nothing of terminals and formats.
package notify
