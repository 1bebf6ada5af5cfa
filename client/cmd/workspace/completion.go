package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/philoxenia/philoxenia/service/simulate"
	"github.com/philoxenia/philoxenia/service/simulate/workload"
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

// wordsOf returns what the first argument of a command may be: the commands
// below it, or the words of a table.
func wordsOf(n *kong.Node) string {
	words := strings.Fields(choices(n.Name))
	for _, sub := range visible(n) {
		words = append(words, sub.Name)
	}
	return strings.Join(words, " ")
}

// optionsWith lists, as a pattern of bash, the options whose value has the
// placeholder, or any when it is empty.
func optionsWith(root *kong.Node, placeholder string) string {
	var words []string
	for _, n := range append([]*kong.Node{root}, root.Leaves(true)...) {
		for _, f := range flagsOf(n) {
			if f.IsBool() || placeholder != "" && !strings.Contains(f.PlaceHolder, placeholder) {
				continue
			}
			words = append(words, "--"+f.Name)
			if f.Short != 0 {
				words = append(words, "-"+string(f.Short))
			}
		}
	}
	slices.Sort(words)
	return strings.Join(slices.Compact(words), "|")
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
// be, by the tables that the words are from.
func choices(name string) string {
	switch name {
	case "wait", "state":
		return strings.Join(stateWords, " ")
	case "output":
		return strings.Join(outputForms, " ")
	case "color":
		return "auto always never"
	case "via":
		return strings.Join(viaWords(), " ")
	case "completion":
		return "bash zsh fish"
	case "then":
		return strings.Join(thenWords, " ")
	case "every":
		return strings.Join(sortedKeys(recurrences), " ")
	case "generate":
		return strings.Join(workload.Shapes(), " ")
	case "backfill":
		return strings.Join(simulate.Backfills(), " ")
	case "choice":
		return strings.Join(simulate.Choices(), " ")
	case "preemption":
		return strings.Join(simulate.Preemptions(), " ")
	}
	return ""
}

// takes reports whether a command, or one below it, has an argument of one of
// these names.
func takes(n *kong.Node, names ...string) bool {
	return slices.ContainsFunc(n.Positional, func(p *kong.Positional) bool {
		return slices.Contains(names, p.Name)
	}) || slices.ContainsFunc(visible(n), func(sub *kong.Node) bool {
		return takes(sub, names...)
	})
}

// optionsUnder returns the options of a command and of those below it.
func optionsUnder(n *kong.Node) []*kong.Flag {
	all := flagsOf(n)
	for _, sub := range visible(n) {
		for _, f := range optionsUnder(sub) {
			known := func(other *kong.Flag) bool { return other.Name == f.Name }
			if !slices.ContainsFunc(all, known) {
				all = append(all, f)
			}
		}
	}
	return all
}

// completeBash writes the script for bash: options after a dash, the words and
// files that belong to an option, else the words of the command, EPR files and
// the numbers of workspaces.
func completeBash(b *strings.Builder, root *kong.Node) {
	var names, cases strings.Builder
	for _, n := range visible(root) {
		names.WriteString(n.Name + " ")
		live, files := "", ""
		if takes(n, "workspace") {
			live = " live=1"
		}
		if takes(n, "workspace", "metadata", "file") {
			files = " files=1"
		}
		if takes(n, "host") {
			files += " hosts=1"
		}
		fmt.Fprintf(&cases, "      %s) options=%q words=%q%s%s%s ;;\n",
			strings.Join(append([]string{n.Name}, n.Aliases...), "|"),
			optionWords(optionsUnder(n)), wordsOf(n), live, files, bashNamed(n))
	}
	b.WriteString(strings.NewReplacer(
		"@NAMES@", names.String(), "@GLOBALS@", optionWords(flagsOf(root)),
		"@FORMS@", choices("output"), "@STATES@", choices("state"), "@COLORS@", choices("color"),
		"@WAYS@", choices("via"), "@CHOICES@", bashChoices(root),
		"@FILED@", optionsWith(root, "FILE")+"|"+optionsWith(root, "LOCAL"),
		"@VALUED@", optionsWith(root, ""), "@CASES@", cases.String(),
	).Replace(bashScript))
}

// kinds are what the command candidates knows the names of.
var kinds = []string{"images", "networks", "snapshots"}

// naming returns the commands below one whose arguments are such names. Those that
// make something new name what is not there yet.
func naming(n *kong.Node, kind string) []string {
	arguments := map[string]string{"images": "image", "networks": "network", "snapshots": "name"}
	var subs []string
	for _, sub := range visible(n) {
		if takes(sub, arguments[kind]) && sub.Name != "add" && sub.Name != "create" {
			subs = append(subs, sub.Name)
		}
	}
	return subs
}

// bashNamed says in variables of the script which commands take names.
func bashNamed(n *kong.Node) string {
	text := ""
	for _, kind := range kinds {
		if subs := naming(n, kind); len(subs) > 0 {
			text += fmt.Sprintf(" %s=%q", kind, strings.Join(subs, " "))
		}
	}
	return text
}

// bashChoices writes the cases of options of single commands whose values are
// words of a table.
func bashChoices(root *kong.Node) string {
	var b strings.Builder
	for _, n := range root.Leaves(true) {
		for _, f := range flagsOf(n) {
			if words := choices(f.Name); words != "" && f.Name != "state" && !f.IsBool() {
				fmt.Fprintf(&b, "    --%s) COMPREPLY=($(compgen -W %q -- \"$current\"))\n"+
					"      return ;;\n", f.Name, words)
			}
		}
	}
	return b.String()
}

// bashScript is the script without what comes from the table.
const bashScript = `# Completion of the command workspace. Load it with:
#   source <(workspace completion bash)
_workspace() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command="" options="" words="" live="" files="" hosts="" word
  local images="" networks="" snapshots="" sub="-" first="" typed shown
  local globals="@GLOBALS@"
  COMPREPLY=()
  # Bash takes --option=value for three words.
  if [[ $current == = ]]; then current=""
  elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}
  elif [[ $previous == --wait ]]; then previous=""
  fi
  case $previous in
    -o|--output) COMPREPLY=($(compgen -W "@FORMS@" -- "$current")); return ;;
    --wait|--state) COMPREPLY=($(compgen -W "@STATES@" -- "$current")); return ;;
    --via) COMPREPLY=($(compgen -W "@WAYS@" -- "$current")); return ;;
    --color) COMPREPLY=($(compgen -W "@COLORS@" -- "$current")); return ;;
@CHOICES@    @FILED@) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --network) words=$("${COMP_WORDS[0]}" candidates networks 2>/dev/null)
      COMPREPLY=($(compgen -W "$words" -- "$current")); return ;;
    @VALUED@) return ;;
  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n $command ]]; then
      if [[ " $words " == *" $word "* ]]; then words="" sub=$word # it is there already
      elif [[ -z $first && $word != -* ]]; then first=$word
      fi
      continue
    fi
    command=$word
    case $word in
@CASES@      *) command="" ;;
    esac
  done
  [[ -n $command ]] || words="@NAMES@"
  if [[ $current == -* ]]; then words="$options $globals"
  elif [[ " $images " == *" $sub "* ]]; then
    # Bash takes NAME:VERSION for three words, of which the last is completed.
    typed=${COMP_LINE:0:COMP_POINT} typed=${typed##* } shown=""
    [[ $COMP_WORDBREAKS != *:* ]] || shown=${typed%"${typed##*:}"}
    words=$("${COMP_WORDS[0]}" candidates images 2>/dev/null)
    COMPREPLY=($(compgen -W "$words" -- "$typed"))
    COMPREPLY=("${COMPREPLY[@]#"$shown"}")
    return
  elif [[ " $networks " == *" $sub "* ]]; then
    words=$("${COMP_WORDS[0]}" candidates networks 2>/dev/null)
  elif [[ -n $first && " $snapshots " == *" $sub "* ]]; then
    words=$("${COMP_WORDS[0]}" candidates snapshots "$first" 2>/dev/null)
  elif [[ -z $words ]]; then
    [[ -z $live || ! $current =~ ^[0-9]*$ ]] || words=$("${COMP_WORDS[0]}" list -o name 2>/dev/null)
    [[ -z $hosts ]] || words=$("${COMP_WORDS[0]}" hosts -o name 2>/dev/null)
    [[ -z $files ]] || COMPREPLY=($(compgen -f -- "$current"))
  fi
  COMPREPLY+=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -F _workspace workspace
`

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
		for _, f := range optionsUnder(n) {
			fishOption(b, under, f)
		}
		if takes(n, "workspace") {
			fmt.Fprintf(b, "complete -c workspace %s-a '(workspace list -o name 2>/dev/null)'\n",
				under)
		}
		if takes(n, "host") {
			fmt.Fprintf(b, "complete -c workspace %s-a '(workspace hosts -o name 2>/dev/null)'\n",
				under)
		}
		fishNamed(b, n)
		if words := wordsOf(n); words != "" {
			fmt.Fprintf(b, "complete -c workspace %s-a %q\n", under, words)
		}
	}
}

// fishNamed writes the arguments that are names. That of a snapshot follows the
// workspace's.
func fishNamed(b *strings.Builder, n *kong.Node) {
	for _, kind := range kinds {
		of := ""
		if kind == "snapshots" {
			of = " (commandline -opc)[4]"
		}
		if subs := naming(n, kind); len(subs) > 0 {
			fmt.Fprintf(b, "complete -c workspace -n '__fish_seen_subcommand_from %s; and "+
				"__fish_seen_subcommand_from %s' -f -a '(workspace candidates %s%s 2>/dev/null)'\n",
				n.Name, strings.Join(subs, " "), kind, of)
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
	} else if f.Name == "network" {
		b.WriteString(" -x -a '(workspace candidates networks 2>/dev/null)'")
	} else if !f.IsBool() {
		b.WriteString(" -r")
	}
	fmt.Fprintf(b, " -d %q\n", f.Help)
}
