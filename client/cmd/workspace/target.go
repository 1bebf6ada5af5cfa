package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/epr"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// A target is a workspace or a group that the user named.
type target struct {
	epr   wsa.EPR
	named string // as the user named it
	file  string // the EPR file; empty when it was named in another way
}

// group reports whether the target is a group.
func (t target) group() bool { return client.IsGroup(t.epr) }

// String names the target for people.
func (t target) String() string { return client.Describe(t.epr) }

// targets reads the arguments: EPR files, and numbers of workspaces and
// identifiers of groups at --service. The file of --epr-file counts as one more.
func (a *app) targets(args []string) ([]target, error) {
	if a.globals.EPRFile != "" {
		args = append(slices.Clone(args), a.globals.EPRFile)
	}
	if len(args) == 0 {
		return nil, usagef("name it by its EPR file or its number, such as 7; `workspace list` "+
			"shows the numbers", "cannot tell which workspace is meant: none is named")
	}
	var all []target
	for _, arg := range args {
		t, err := a.target(arg)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// target reads one argument.
func (a *app) target(arg string) (target, error) {
	switch {
	case isNumber(arg):
		return target{epr: a.client.Workspace(arg), named: arg}, nil
	case isIdentifier(arg):
		return target{epr: a.client.Group(arg), named: arg}, nil
	}
	f, err := epr.Read(arg)
	if err != nil {
		return target{}, usagef("a workspace is named by its EPR file or its number, a group by "+
			"its EPR file or its identifier", "%w", err)
	}
	return target{epr: f.EPR, named: arg, file: arg}, nil
}

// isNumber reports whether the argument is a workspace's number.
func isNumber(arg string) bool {
	return arg != "" && len(arg) < 20 && strings.Trim(arg, "0123456789") == ""
}

// isIdentifier reports whether the argument is a group's identifier, as deploy
// shows it.
func isIdentifier(arg string) bool { return len(arg) == 36 && uuid.Validate(arg) == nil }

// workspaces reads the arguments and resolves them to single workspaces.
func (a *app) workspaces(args []string) ([]target, error) {
	targets, err := a.targets(args)
	if err != nil {
		return nil, err
	}
	return workspaces(targets)
}

// workspaces resolves targets to single workspaces. A group cannot be asked
// for its members, so they are found by the EPR files that were written with
// the group's: F-008.epr beside F.
func workspaces(targets []target) ([]target, error) {
	var all []target
	for _, t := range targets {
		if !t.group() {
			all = append(all, t)
			continue
		}
		members, err := t.members()
		if err != nil {
			return nil, err
		}
		all = append(all, members...)
	}
	return all, nil
}

// members reads the EPR files of a group's members.
func (t target) members() ([]target, error) {
	if t.file == "" {
		return nil, usagef("name the EPR file of the group, or its members",
			"cannot find the members of %s by its identifier", t)
	}
	names, err := filepath.Glob(escapeGlob(t.file) + "-*.epr")
	if err != nil || len(names) == 0 {
		return nil, usagef("name the members instead", "cannot find the members of %s: "+
			"no file is named %s-NUMBER.epr", t, t.file)
	}
	var all []target
	for _, name := range names {
		f, err := epr.Read(name)
		if err != nil {
			return nil, usagef("", "%w", err)
		}
		all = append(all, target{epr: f.EPR, named: name, file: name})
	}
	return all, nil
}

// escapeGlob makes a path match only itself in a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// eprs returns the references of targets.
func eprs(targets []target) []wsa.EPR {
	var all []wsa.EPR
	for _, t := range targets {
		all = append(all, t.epr)
	}
	return all
}

// memberFile returns the name of the EPR file of one member of a group whose
// own file is named file, as the original client names it.
func memberFile(file, key string) string {
	return file + "-" + strings.Repeat("0", max(0, 3-len(key))) + key + ".epr"
}

// namesOf returns the targets as the user named them.
func namesOf(targets []target) string {
	var names []string
	for _, t := range targets {
		names = append(names, t.named)
	}
	return strings.Join(names, " ")
}

// standings reads how each workspace stands on face two, and prints the views of it.
func standings[L list[V], V any](
	ctx context.Context, a *app, args []string,
	view func(key string, p *report.ServiceProperties) V,
) error {
	targets, err := a.workspaces(args)
	if err != nil {
		return err
	}
	return showEach[L](a, targets, func(t target) (v V, err error) {
		p, err := a.client.Standing(ctx, t.epr)
		if err != nil {
			return v, err
		}
		return view(client.Key(t.epr), p), nil
	})
}
