package workspace

import "time"

// Move applies a trigger to the workspace in the transaction: the new state
// and, when owners see a difference, the event for its
// subscribers, all at once. fault is kept as the reason; empty clears it. It
// returns the workspace as written, or an error of kind Conflict or NotFound. A
// failure is always told, even where the word for the state stays the same.
func Move(tx Tx, id ID, on Trigger, fault string) (*Workspace, error) {
	old, err := tx.Workspace(id)
	if err != nil {
		return nil, err
	}
	state, err := old.State.Next(on)
	if err != nil {
		return nil, err
	}
	w, at := *old, time.Now().UTC().Truncate(time.Millisecond)
	w.State, w.Fault, w.Changed = state, fault, at
	if err := tx.PutWorkspace(&w); err != nil {
		return nil, err
	}
	if fault == "" && !tells(old.State, state) {
		return &w, nil
	}
	return &w, tx.Emit(Event{Workspace: id, Topic: TopicState, State: state, Fault: fault, At: at})
}

// Queue puts a change of the workspace behind those that have not ended, to be
// begun at once where there are none. The ID, the status and the time are filled in.
func Queue(tx Tx, c Change) (ChangeID, error) {
	c.ID, c.Status = tx.NextChangeID(), ChangeDoing
	if len(tx.ChangesOf(c.Workspace)) > 0 {
		c.Status = ChangeQueued
	}
	c.Created = time.Now().UTC().Truncate(time.Millisecond)
	return c.ID, tx.PutChange(&c)
}

// tells reports whether subscribers hear of the step. A guest that is up
// again after a reboot is news, although the word for it has not changed.
func tells(from, to State) bool {
	return from.Wire() != to.Wire() || from == Rebooting
}
