package main

import (
	"fmt"
	"io"
	"runtime"
)

// A versionCmd is the command version.
type versionCmd struct{}

// A versionView is the version as it is shown.
type versionView struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// names returns the version alone.
func (v versionView) names() []string { return []string{v.Version} }

// write prints one line.
func (v versionView) write(w io.Writer, _ *printer) error {
	_, err := fmt.Fprintf(w, "workspace %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	return err
}

// Run prints the version.
func (versionCmd) Run(a *app) error {
	return a.print(versionView{version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
}
