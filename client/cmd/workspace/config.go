package main

import (
	"fmt"
	"io"
)

// A configCmd is the command config.
type configCmd struct {
	View configViewCmd `cmd:"" default:"withargs" help:"Show the settings in force."`
	Path configPathCmd `cmd:"" help:"Print where the configuration file is looked for."`
}

// A configViewCmd is the command config view.
type configViewCmd struct {
	Origin bool `help:"Show where each value comes from."`
}

// A settingView is one setting as it is shown.
type settingView struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin,omitempty"`
}

// settingsView are the settings as they are shown.
type settingsView []settingView

// names returns the keys.
func (s settingsView) names() []string {
	var names []string
	for _, one := range s {
		names = append(names, one.Key)
	}
	return names
}

// write prints a table.
func (s settingsView) write(w io.Writer, p *printer) error {
	t := table{headers: []string{"SETTING", "VALUE"}}
	origins := len(s) > 0 && s[0].Origin != ""
	if origins {
		t.headers = append(t.headers, "ORIGIN")
	}
	for _, one := range s {
		cells := []string{one.Key, one.Value}
		if origins {
			cells = append(cells, one.Origin)
		}
		t.add(cells...)
	}
	return t.write(w, p.headers)
}

// Run prints the settings.
func (c *configViewCmd) Run(a *app) error {
	view := settingsView{}
	for _, s := range knownSettings {
		v := a.settings[s.key]
		one := settingView{Key: s.key, Value: v.text}
		if c.Origin {
			one.Origin = v.origin
		}
		view = append(view, one)
	}
	return a.print(view)
}

// A configPathCmd is the command config path.
type configPathCmd struct{}

// Run prints the path.
func (configPathCmd) Run(a *app) error {
	_, err := fmt.Fprintln(a.out, configPath())
	return err
}
