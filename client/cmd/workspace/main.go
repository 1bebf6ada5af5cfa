package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// version is set when the binary is built.
var version = "devel"

func main() { os.Exit(run(os.Args[1:])) }

// run parses the arguments, runs the command and returns the exit code.
func run(args []string) int {
	var c cli
	help := os.Stdout
	if len(args) == 0 {
		help = os.Stderr // it was not asked for
	}
	return runParsed(&c, newParser(&c, help), args)
}

// newParser builds the command table's parser.
func newParser(c *cli, help io.Writer) *kong.Kong {
	return kong.Must(c,
		kong.Name("workspace"),
		kong.Description("Lease virtual machines from a workspace service."),
		kong.Writers(help, os.Stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ShortUsageOnError(),
	)
}

// runParsed runs the command that the arguments name.
func runParsed(c *cli, parser *kong.Kong, args []string) int {
	parsed, err := parser.Parse(args)
	var bad *kong.ParseError
	if len(args) == 0 && errors.As(err, &bad) { // who types the name alone asks what there is
		_ = bad.Context.PrintUsage(false)
		return exitUsage
	}
	if err != nil {
		return conclude(usagef(argumentHint(err), "cannot read the arguments: %w", err),
			&c.Globals, nil)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The second interrupt finds the default action again and ends us at once.
	context.AfterFunc(ctx, stop)
	a, err := newApp(&c.Globals)
	if err == nil {
		err = checkGlobals(parsed.Selected().Name, &c.Globals, a.form)
	}
	if err == nil {
		a.command = nameOf(parsed.Selected())
		parsed.BindTo(ctx, (*context.Context)(nil))
		err = parsed.Run(a)
	}
	return conclude(err, &c.Globals, a)
}

// argumentHint names the help that tells how it is written.
func argumentHint(err error) string {
	var bad *kong.ParseError
	if errors.As(err, &bad) {
		if command := bad.Context.Selected(); command != nil {
			return "`" + nameOf(command) + " --help` shows its arguments"
		}
	}
	return "`workspace --help` shows the commands, `workspace COMMAND --help` their arguments"
}

// nameOf returns a command as it is typed.
func nameOf(n *kong.Node) string {
	if n.Parent == nil {
		return n.Name
	}
	return nameOf(n.Parent) + " " + n.Name
}

// conclude prints an error, with its advice, in the form that the output has,
// and returns the exit code.
func conclude(err error, g *Globals, a *app) int {
	code := exitCode(err)
	var many *partial
	switch {
	case err == nil:
		return code
	case errors.As(err, &many):
		return code // each was told when it failed
	}
	form, service := g.Output, g.Service
	if a != nil {
		err, form, service = a.advise(err), a.form, a.settings.text("service")
	}
	printError(os.Stderr, err, form, service)
	return code
}

// printError writes one error for people, or as a JSON document.
func printError(w io.Writer, err error, form, service string) {
	hint := hintFor(err, service)
	if form == "json" {
		code := exitCode(err)
		said := map[string]any{
			"code": code, "kind": exitName(code), "message": err.Error(), "hint": hint,
		}
		var r *refusal
		if errors.As(err, &r) {
			said["explanation"] = r.view
		}
		_ = writeJSON(w, map[string]any{"error": said}, "  ")
		return
	}
	w = tamer{w}
	fmt.Fprintf(w, "workspace: %s\n", err)
	writeOffers(w, err, time.Now())
	if hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
}
