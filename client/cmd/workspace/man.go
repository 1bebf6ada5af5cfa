package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// A manCmd is the hidden command man.
type manCmd struct{}

// Run prints the man page, made from the command table, the table of settings
// and the table of exit codes.
func (manCmd) Run(a *app) error {
	var grammar cli
	_, err := io.WriteString(a.out, manPage(newParser(&grammar, io.Discard).Model))
	return err
}

// manPage returns the man page in troff.
func manPage(model *kong.Application) string {
	var b strings.Builder
	b.WriteString(`.\" Generated from the command table: workspace man
.TH WORKSPACE 1 "" philoxenia "User Commands"
.SH NAME
workspace \- lease virtual machines from a workspace service
.SH SYNOPSIS
.B workspace
.I COMMAND
[\fIOPTION\fR...] [\fIARGUMENT\fR...]
.SH DESCRIPTION
A workspace is named by its EPR file, as deploy and the original client write
it, or by its number at the service; a group by its EPR file or its identifier.
Data goes to standard output, everything else to standard error.
.SH COMMANDS
`)
	for _, n := range model.Leaves(true) {
		manCommand(&b, n)
	}
	b.WriteString(".SH OPTIONS\nEvery command takes these.\n")
	for _, f := range flagsOf(model.Node) {
		manOption(&b, f)
	}
	manSettings(&b)
	manExits(&b)
	b.WriteString(manEnd)
	return b.String()
}

// manEnd closes the page.
const manEnd = `.SH OUTPUT
JSON and YAML keep their keys from version to version; keys are only added.
A command over several workspaces prints a list, also when it is empty. Times
are RFC 3339 in UTC. With \-o xml the elements that the service answered are
printed. With \-o json an error is a JSON document on standard error.
.SH EXAMPLES
.EX
workspace deploy metadata.xml request.xml \-\-epr\-file ws.epr \-\-wait
workspace status ws.epr
workspace extend ws.epr \-\-for 1h
workspace list \-o json
workspace wait gone 7 \-\-timeout 5m
workspace destroy ws.epr
workspace simulate log.swf \-\-inject 10%,3h,medium \-\-gantt
.EE
`

// manCommand writes one command.
func manCommand(b *strings.Builder, n *kong.Node) {
	fmt.Fprintf(b, ".TP\n\\fB%s\\fR", troff(strings.TrimPrefix(n.FullPath(), "workspace ")))
	for _, p := range n.Positional {
		format := " \\fI%s\\fR"
		if p.IsSlice() {
			format = " [\\fI%s\\fR...]"
		} else if !p.Required {
			format = " [\\fI%s\\fR]"
		}
		fmt.Fprintf(b, format, troff(strings.ToUpper(p.Name)))
	}
	fmt.Fprintf(b, "\n%s\n", troff(n.Help))
	if len(flagsOf(n)) == 0 {
		return
	}
	b.WriteString(".RS\n")
	for _, f := range flagsOf(n) {
		manOption(b, f)
	}
	b.WriteString(".RE\n")
}

// manOption writes one option.
func manOption(b *strings.Builder, f *kong.Flag) {
	b.WriteString(".TP\n")
	if f.Short != 0 {
		fmt.Fprintf(b, "\\fB\\-%c\\fR, ", f.Short)
	}
	fmt.Fprintf(b, "\\fB\\-\\-%s\\fR", troff(f.Name))
	switch {
	case f.Name == "wait":
		b.WriteString("[=\\fISTATE\\fR]")
	case !f.IsBool():
		fmt.Fprintf(b, " \\fI%s\\fR", troff(f.FormatPlaceHolder()))
	}
	fmt.Fprintf(b, "\n%s\n", troff(f.Help))
}

// manSettings writes the table of settings.
func manSettings(b *strings.Builder) {
	b.WriteString(`.SH CONFIGURATION
A value is taken from the option, else the environment, else the file
.IR $XDG_CONFIG_HOME/workspace/config.toml ,
there first from the profile that \-\-profile, WORKSPACE_PROFILE or the key
.B profile
names (table [profiles.NAME]), else the default. WORKSPACE_CONFIG names another file, which must
be there. Unknown keys are refused.
`)
	for _, s := range knownSettings {
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR (%s", troff(s.key), troff(s.env))
		if s.fallback != "" {
			fmt.Fprintf(b, ", default %s", troff(s.fallback))
		}
		fmt.Fprintf(b, ")\n%s\n", troff(s.help))
	}
}

// manExits writes the table of exit codes.
func manExits(b *strings.Builder) {
	b.WriteString(".SH EXIT STATUS\n")
	for _, e := range exits {
		fmt.Fprintf(b, ".TP\n.B %d\n%s\n", e.code, troff(e.text))
	}
}

// troff writes text so that troff shows it as it is.
func troff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		return `\&` + text
	}
	return text
}
