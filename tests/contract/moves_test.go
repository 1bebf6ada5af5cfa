package contract

// moves asks for what concerns the hosts of a workspace, and its states there.
func (c *caller) moves(key string) {
	c.t.Helper()
	c.untilRunning(key)
	c.ask(request{"Workspace", "Snapshot", `<Action>create</Action><Name>a</Name>`, key})
	c.ask(request{"Workspace", "QuerySnapshots", ``, key})
	c.refuse(request{"Workspace", "Snapshot", `<Action>create</Action><Name>../a</Name>`, key})
	c.refuse(request{"Workspace", "Migrate", ``, key})
	c.ask(request{"Workspace", "Snapshot", `<Action>delete</Action><Name>a</Name>`, key})
	c.refuse(request{"Workspace", "Migrate", `<Host>nowhere</Host>`, key})
	c.ask(request{"Workspace", "Migrate", ``, key})
}
