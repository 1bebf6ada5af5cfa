package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// A completionCmd is the command completion.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the script, made from the command table.
func (c *completionCmd) Run(a *app) error {
	var grammar cli
	root := newParser(&grammar, io.Discard).Model.Node
	var b strings.Builder
	switch c.Shell {
	case "bash":
		completeBash(&b, root)
	case "zsh":
		b.WriteString("#compdef workspace\nautoload -U +X bashcompinit && bashcompinit\n")
		completeBash(&b, root)
	case "fish":
		completeFish(&b, root)
	}
	_, err := io.WriteString(a.out, b.String())
	return err
}

// visible returns the commands under a node that users are shown.
func visible(n *kong.Node) []*kong.Node {
	var all []*kong.Node
	for _, child := range n.Children {
		if !child.Hidden && child.Type == kong.CommandNode {
			all = append(all, child)
		}
	}
	return all
}

// flagsOf returns the options of a command alone.
func flagsOf(n *kong.Node) []*kong.Flag {
	var all []*kong.Flag
	for _, f := range n.Flags {
		if !f.Hidden {
			all = append(all, f)
		}
	}
	return all
}

// optionWords lists options as they are typed.
func optionWords(flags []*kong.Flag) string {
	var words []string
	for _, f := range flags {
		words = append(words, "--"+f.Name)
	}
	return strings.Join(words, " ")
}

// choices returns the words that a command's first argument or an option may
// be, by the table of states and of output forms.
func choices(name string) string {
	switch name {
	case "wait", "state":
		return strings.Join(stateWords, " ")
	case "output":
		return strings.Join(outputForms, " ")
	case "color":
		return "auto always never"
	case "completion":
		return "bash zsh fish"
	}
	return ""
}

// takesWorkspaces reports whether the arguments of a command name workspaces.
func takesWorkspaces(n *kong.Node) bool {
	for _, p := range n.Positional {
		if p.Name == "workspace" {
			return true
		}
	}
	return false
}

// completeBash writes the script for bash: options after a dash, states and
// forms where they belong, else EPR files and the numbers of workspaces.
func completeBash(b *strings.Builder, root *kong.Node) {
	var commands, cases strings.Builder
	for _, n := range visible(root) {
		commands.WriteString(n.Name + " ")
		words := choices(n.Name)
		for _, sub := range visible(n) {
			words += " " + sub.Name
		}
		live := ""
		if takesWorkspaces(n) {
			live = " live=1"
		}
		fmt.Fprintf(&cases, "    %s) options=%q words=%q%s ;;\n", n.Name,
			optionWords(flagsOf(n)), strings.TrimSpace(words), live)
	}
	fmt.Fprintf(b, `# Completion of the command workspace. Load it with:
#   source <(workspace completion bash)
_workspace() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command="" options="" words="" live="" i
  local commands=%q
  local globals=%q
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ " $commands" == *" ${COMP_WORDS[i]} "* ]]; then command=${COMP_WORDS[i]}; break; fi
  done
  case $previous in
    -o|--output) COMPREPLY=($(compgen -W %q -- "$current")); return ;;
    --state) COMPREPLY=($(compgen -W %q -- "$current")); return ;;
    --color) COMPREPLY=($(compgen -W %q -- "$current")); return ;;
  esac
  case $command in
    "") words=$commands ;;
%s  esac
  if [[ -n $live && $current =~ ^[0-9]*$ ]]; then
    words+=" $(workspace list -o name 2>/dev/null)"
  fi
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options $globals" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    [[ -n $command ]] && COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _workspace workspace
`, commands.String(), optionWords(flagsOf(root)), choices("output"), choices("state"),
		choices("color"), cases.String())
}

// completeFish writes the script for fish.
func completeFish(b *strings.Builder, root *kong.Node) {
	b.WriteString("# Completion of the command workspace\n")
	for _, f := range flagsOf(root) {
		fishOption(b, "", f)
	}
	for _, n := range visible(root) {
		fmt.Fprintf(b, "complete -c workspace -n __fish_use_subcommand -f -a %s -d %q\n",
			n.Name, n.Help)
		under := "-n '__fish_seen_subcommand_from " + n.Name + "' "
		for _, f := range flagsOf(n) {
			fishOption(b, under, f)
		}
		if takesWorkspaces(n) {
			fmt.Fprintf(b, "complete -c workspace %s-a '(workspace list -o name 2>/dev/null)'\n",
				under)
		}
		words := choices(n.Name)
		for _, sub := range visible(n) {
			words += " " + sub.Name
		}
		if words = strings.TrimSpace(words); words != "" {
			fmt.Fprintf(b, "complete -c workspace %s-a %q\n", under, words)
		}
	}
}

// fishOption writes one option.
func fishOption(b *strings.Builder, under string, f *kong.Flag) {
	fmt.Fprintf(b, "complete -c workspace %s-l %s", under, f.Name)
	if f.Short != 0 {
		fmt.Fprintf(b, " -s %c", f.Short)
	}
	if words := choices(f.Name); words != "" && !f.IsBool() {
		fmt.Fprintf(b, " -x -a %q", words)
	} else if !f.IsBool() {
		b.WriteString(" -r")
	}
	fmt.Fprintf(b, " -d %q\n", f.Help)
}
