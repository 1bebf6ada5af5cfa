package client

import "time"

// Ask is a question for the messages of a pull point.
type Ask struct {
	Most int           // messages at once; 0: as many as the service likes to give
	Wait time.Duration // that the service may hold the question open while there is none, 0 to 60 s
	// MessageID identifies the question; made up when empty. The service answers one
	// that it has seen with the messages that it gave the first time: to repeat one whose
	// answer was lost, give its MessageID.
	MessageID string
}
