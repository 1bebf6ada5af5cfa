package main

import "slices"

// What the commands can do with options that every command takes.
var (
	waiting = []string{"deploy", "start", "pause", "shutdown", "reboot", "save", "destroy",
		"migrate", "drain"}
	eprless = []string{
		"list", "factory", "hosts", "schedule", "show", "drain", "undrain", "window", "simulate",
		"view", "path", "completion", "version", "man",
		"add", "find", "verify", "remove", "tag", "sign", "keygen",
	}
	xmlless = []string{
		"wait", "watch", "events", "simulate", "view", "path", "completion", "version", "man",
	}
)

// checkGlobals refuses options that the command cannot honour: ignoring them
// would let users believe in what does not happen.
func checkGlobals(command string, g *Globals, form string) error {
	switch {
	case g.Wait.On && !slices.Contains(waiting, command):
		return usagef("leave out --wait", "cannot wait with %s: it changes nothing", command)
	case g.EPRFile != "" && slices.Contains(eprless, command):
		return usagef("leave out --epr-file",
			"cannot use --epr-file with %s: it acts on no workspace", command)
	case form == "xml" && slices.Contains(xmlless, command):
		return usagef("choose another form with -o",
			"cannot print %s as XML: the service has no document for it", command)
	}
	return nil
}
