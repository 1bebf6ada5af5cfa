// Package change is the engine of durable operations: a change is what was
// asked of a workspace, made of tasks in a fixed order, each with an effect
// outside that can be done and undone. The engine records each task before its
// effect and after it, so that after a crash it is done, or undone, again.
//
// It must not know what the tasks do: it sees handlers and the record, and no
// machine, image, document or SQL.
package change
