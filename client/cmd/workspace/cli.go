package main

import (
	"github.com/alecthomas/kong"
)

// A cli is the command table: arguments, help, man page and completion all
// come from it.
type cli struct {
	Globals

	Deploy     deployCmd     `cmd:"" help:"Lease machines: send workspace metadata and a deployment request."`
	Status     statusCmd     `cmd:"" help:"Show workspaces in detail: state, addresses, lease."`
	Stats      statsCmd      `cmd:"" help:"Show what workspaces use: processors, memory, disks, networks."`
	List       listCmd       `cmd:"" aliases:"ls" help:"List my workspaces."`
	Wait       waitCmd       `cmd:"" help:"Wait until workspaces are in a state."`
	Watch      watchCmd      `cmd:"" help:"Print each change of workspaces until they end."`
	Start      startCmd      `cmd:"" help:"Start workspaces: boot, or go on after a pause."`
	Pause      pauseCmd      `cmd:"" help:"Pause workspaces, keeping them in memory."`
	Shutdown   shutdownCmd   `cmd:"" help:"Shut workspaces down; they can be started again."`
	Reboot     rebootCmd     `cmd:"" help:"Reboot workspaces."`
	Save       saveCmd       `cmd:"" help:"Shut workspaces down and return their images to the repository."`
	Destroy    destroyCmd    `cmd:"" help:"Destroy workspaces and end their leases."`
	Extend     extendCmd     `cmd:"" help:"Move the end of leases."`
	Resize     resizeCmd     `cmd:"" help:"Give workspaces that run more or less memory, CPUs or bandwidth."`
	Migrate    migrateCmd    `cmd:"" help:"Move workspaces to other hosts while they run. For operators."`
	Snapshot   snapshotCmd   `cmd:"" help:"Keep states of workspaces on their hosts, and go back to them."`
	Console    consoleCmd    `cmd:"" help:"Connect to a workspace's serial console, or print what it said."`
	VNC        vncCmd        `cmd:"" name:"vnc" help:"Offer a workspace's screen to a VNC viewer."`
	SSH        sshCmd        `cmd:"" name:"ssh" help:"Log in to a workspace with ssh, through the service."`
	Forward    forwardCmd    `cmd:"" help:"Connect to a TCP port of a workspace, through the service."`
	Explain    explainCmd    `cmd:"" help:"Say how leases stand: when they run, why they wait, and what would help."`
	Schedule   scheduleCmd   `cmd:"" help:"Draw what the hosts do, and are to do, against time."`
	Factory    factoryCmd    `cmd:"" help:"Show what the service offers."`
	Image      imageCmd      `cmd:"" help:"The library of images: add, find, verify, sign and tag them."`
	Host       hostCmd       `cmd:"" help:"The hosts of the pool: list, test, add, drain and remove them."`
	Hosts      hostsCmd      `cmd:"" help:"List the hosts of the pool, as host list does."`
	Network    networkCmd    `cmd:"" help:"List and show networks; hold and release their addresses."`
	Events     eventsCmd     `cmd:"" help:"Print what happens to my workspaces, new ones too, until interrupted."`
	Simulate   simulateCmd   `cmd:"" help:"Run the scheduler on a workload in virtual time, and measure what comes of it."`
	Config     configCmd     `cmd:"" help:"Show the configuration."`
	Completion completionCmd `cmd:"" help:"Print the completion script of a shell."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Candidates candidatesCmd `cmd:"" hidden:"" help:"Print names, for completion."`
	Man        manCmd        `cmd:"" hidden:"" help:"Print the man page workspace.1."`
}

// Globals are the options of every command. Empty means: not given here.
type Globals struct {
	Service   string   `placeholder:"URL" help:"URL of the service: its base or its factory."`
	Output    string   `short:"o" placeholder:"FORM" help:"Output form: table, wide, json, yaml, xml or name."`
	Wait      waitFlag `placeholder:"STATE" help:"Wait until it is done; with --wait=STATE, until that state."`
	Timeout   string   `placeholder:"TIME" help:"Longest wait, such as 90s or 10m."`
	Via       string   `placeholder:"WAY" help:"Way on which notifications come: auto, pull, listener or poll."`
	Profile   string   `short:"p" placeholder:"NAME" help:"Profile of the configuration file."`
	EPRFile   string   `name:"epr-file" short:"e" placeholder:"FILE" help:"EPR file: deploy writes it, the other commands act on it."`
	NoHeaders bool     `help:"Leave out the header line of tables."`
	Yes       bool     `short:"y" help:"Answer yes to every question."`
	Color     string   `placeholder:"WHEN" help:"Colour: auto, always or never."`
	Quiet     bool     `short:"q" help:"Say nothing beside the output: no progress, no changes on the way."`
	Verbose   bool     `short:"v" help:"Show each exchange with the service."`
}

// flags returns what was given on the command line, by key of the settings.
func (g *Globals) flags() map[string]string {
	return map[string]string{
		"service": g.Service, "output": g.Output, "timeout": g.Timeout, "color": g.Color,
		"via": g.Via,
	}
}

// A waitFlag is --wait or --wait=STATE.
type waitFlag struct {
	On    bool
	State string
}

// IsBool tells kong that the flag needs no value.
func (w *waitFlag) IsBool() bool { return true }

// Decode takes the state when one is attached with an equals sign.
func (w *waitFlag) Decode(ctx *kong.DecodeContext) error {
	w.On = true
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	token, err := ctx.Scan.PopValue("STATE")
	if err != nil {
		return err
	}
	w.State, err = parseState(token.String())
	return err
}
