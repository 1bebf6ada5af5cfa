// Package daemon runs the built workspaced as a child process for the tests
// of the whole: it starts, kills and weighs it, and speaks to it in recorded
// requests over plain keep-alive connections.
//
// It must not know what a test wants to prove. It takes no part of the service
// or of the client, so that what it measures and breaks is the daemon alone.
package daemon
