package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// read makes the request from the files and what the command line overrides.
func (c *deployCmd) read(a *app) (client.Request, error) {
	r := client.Request{MessageID: c.MessageID}
	c.sources = sources{}
	var err error
	if r.Metadata, err = c.readMetadata(a); err != nil {
		return r, err
	}
	if r.Deployment, err = c.readDeployment(a); err != nil {
		return r, err
	}
	if err := c.putChecksums(&r); err != nil {
		return r, err
	}
	r.Optional, err = c.readOptional(a)
	return r, err
}

// readMetadata reads the workspace metadata, which no argument can replace.
func (c *deployCmd) readMetadata(a *app) (*metadata.VirtualWorkspace, error) {
	name, err := oneFile("workspace metadata", c.MetadataArg, c.Metadata)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, usagef("workspace deploy METADATA.xml [REQUEST.xml]",
			"cannot deploy: no file with workspace metadata is named")
	}
	v, err := readDocument(c.sources, "metadata", name, metadata.Decode)
	if err != nil {
		return nil, err
	}
	if c.Name != "" {
		if err := checkURI("--name", c.Name); err != nil {
			return nil, usagef("", "cannot deploy: %w", err)
		}
		v.Name = c.Name
	}
	a.tell("Read metadata file: %q", name)
	return v, nil
}

// readDeployment reads the deployment request, or makes one from arguments.
func (c *deployCmd) readDeployment(a *app) (*deployment.WorkspaceDeployment, error) {
	name, err := oneFile("deployment request", c.RequestArg, c.Request)
	if err != nil {
		return nil, err
	}
	v := &deployment.WorkspaceDeployment{InitialState: deployment.Running, Nodes: 1}
	if name != "" {
		v, err = readDocument(c.sources, "resourceRequest", name, deployment.Decode)
		if err != nil {
			return nil, err
		}
		a.tell("Read deployment request file: %q", name)
	}
	if err := c.override(v); err != nil {
		return nil, err
	}
	if v.Allocation.Memory == nil {
		return nil, usagef("name a deployment request, or say how much with --memory",
			"cannot deploy: no amount of memory is given")
	}
	if name == "" {
		a.tell("Created deployment request solely from arguments.")
	}
	return v, nil
}

// override puts what the command line says over the request.
func (c *deployCmd) override(v *deployment.WorkspaceDeployment) error {
	if err := c.leaseFlags.put(v, c.For, time.Now()); err != nil {
		return err
	}
	if c.Nodes != 0 {
		v.Nodes = c.Nodes
	}
	if err := c.sizeFlags.put(v); err != nil {
		return err
	}
	if len(c.Part) > 0 && c.Nodes != 0 && c.Nodes != v.Nodes {
		return usagef("leave out --nodes", "cannot deploy: --nodes says %d, and the parts have "+
			"%d nodes together", c.Nodes, v.Nodes)
	}
	if v.Nodes < 1 || v.Nodes > deployment.MaxNodes {
		return usagef("", "cannot deploy: --nodes and --cpus are numbers above zero, "+
			"--nodes up to %d", deployment.MaxNodes)
	}
	if c.SaveTo != "" {
		if err := checkURI("--save-to", c.SaveTo); err != nil {
			return usagef("", "cannot deploy: %w", err)
		}
		v.PostShutdown = &deployment.PostShutdown{Target: c.SaveTo}
	}
	if c.Trash && c.Then != "" && c.Then != thenDestroy {
		return usagef("leave out one of them", "cannot deploy: --trash and --then %s are two ends",
			clip(c.Then))
	}
	if c.Trash {
		v.Mechanism = deployment.Trash
	}
	if err := c.leaseFlags.end(v, c.SaveTo); err != nil {
		return err
	}
	return c.overrideState(v)
}

// putChecksums puts what images must be over the request's terms.
func (c *deployCmd) putChecksums(r *client.Request) error {
	for _, text := range c.Checksum {
		disk, sum, named := strings.Cut(text, "=")
		if !named {
			disk, sum = r.Metadata.Definition.Root.MountAs, text
		}
		sum = strings.ToLower(strings.TrimPrefix(sum, "sha256:"))
		if raw, err := hex.DecodeString(sum); err != nil || len(raw) != sha256.Size || disk == "" {
			return usagef("sha256sum IMAGE prints it", "cannot deploy: --checksum: %q is not "+
				"[DISK=]sha256:HEX with 64 digits", clip(text))
		}
		if r.Deployment.Terms == nil {
			r.Deployment.Terms = new(deployment.LeaseTerms)
		}
		all := &r.Deployment.Terms.Images
		*all = slices.DeleteFunc(*all, func(i deployment.Image) bool { return i.MountAs == disk })
		*all = append(*all, deployment.Image{MountAs: disk, SHA256: sum})
	}
	return nil
}

// overrideState puts --state over the request.
func (c *deployCmd) overrideState(v *deployment.WorkspaceDeployment) error {
	if c.State == "" {
		return nil
	}
	state, err := parseState(c.State)
	if err != nil {
		return usagef("", "cannot deploy: --state: %w", err)
	}
	initial := []string{
		deployment.Unpropagated, deployment.Propagated, deployment.Running, deployment.Paused,
	}
	if !slices.Contains(initial, state) {
		return usagef("", "cannot deploy: --state: %s is not one of %s", state,
			strings.Join(initial, ", "))
	}
	v.InitialState = state
	return nil
}

// keysPath is where the guest looks for keys that may log in as root.
const keysPath = "/root/.ssh/authorized_keys"

// readOptional reads the optional parameters and adds files to write.
func (c *deployCmd) readOptional(a *app) (*deployment.OptionalParameters, error) {
	v := new(deployment.OptionalParameters)
	if c.Optional != "" {
		var err error
		v, err = readDocument(c.sources, "optionalParameters", c.Optional,
			deployment.DecodeOptional)
		if err != nil {
			return nil, err
		}
		a.tell("Read optional parameters file: %q", c.Optional)
	}
	for _, pair := range c.File {
		local, remote, ok := strings.Cut(pair, "=")
		if !ok || local == "" || !strings.HasPrefix(remote, "/") {
			return nil, usagef("", "cannot deploy: --file: %q is not LOCAL=/REMOTE", clip(pair))
		}
		if plain := path.Clean(remote); remote != plain {
			return nil, usagef("write it as "+clip(plain),
				"cannot deploy: --file: %q is not a plain path", clip(remote))
		}
		if err := addFile(v, local, remote); err != nil {
			return nil, err
		}
	}
	if c.SSHKey != "" {
		if err := addFile(v, c.SSHKey, keysPath); err != nil {
			return nil, err
		}
		a.tell("Read SSH key: %q", c.SSHKey)
	}
	if c.UserData != "" {
		text, err := readText(c.UserData)
		if err != nil {
			return nil, err
		}
		v.UserData = &text
		a.tell("Read user data: %q", c.UserData)
	}
	return v, nil
}

// addFile adds a local file to those that are written into the guest.
func addFile(v *deployment.OptionalParameters, local, remote string) error {
	text, err := readText(local)
	if err != nil {
		return err
	}
	v.Files = append(v.Files, deployment.File{Content: text, Path: remote})
	return nil
}

// readText reads a file that travels inside an XML document.
func readText(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", usagef("", "cannot read the file %q: %w", name, bare(err))
	}
	text := string(data)
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, isForbidden):
		return "", usagef("put binary files into the image",
			"cannot send the file %q: it is not text", name)
	case utf8.RuneCountInString(text) > deployment.MaxContent:
		return "", usagef("put large files into the image", "cannot send the file %q: it has %d "+
			"characters, at most %d are written into a guest", name, utf8.RuneCountInString(text),
			deployment.MaxContent)
	}
	return text, nil
}

// isForbidden reports whether XML cannot carry the character as it is: a
// control character, or a carriage return, which a parser turns into a line feed.
func isForbidden(c rune) bool {
	return c < ' ' && c != '\t' && c != '\n' || c == 0xFFFE || c == 0xFFFF
}

// bare drops what the error of a file operation repeats.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// oneFile returns the file named by an argument or by an option, not both.
func oneFile(what, argument, option string) (string, error) {
	if argument != "" && option != "" && argument != option {
		return "", usagef("leave out one of them", "cannot deploy: the %s is named twice, as %q "+
			"and %q", what, argument, option)
	}
	if argument != "" {
		return argument, nil
	}
	return option, nil
}

// readDocument reads and decodes the XML file that a part of the message is
// made from. Its errors name the file, the line, what was expected and what to do.
func readDocument[T any](
	all sources, part, name string, decode func(*xmlstrict.Document, *etree.Element) (*T, error),
) (*T, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("", "cannot read the file %q: %w", name, bare(err))
	}
	doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		return nil, usagef("", "cannot read the file %q: %w", name, err)
	}
	v, err := decode(doc, doc.Root)
	if err != nil {
		return nil, unreadable(name, err)
	}
	all[part] = source{name, doc}
	return v, nil
}

// unreadable is the failure of a file whose content is wrong.
func unreadable(name string, err error) error {
	hint := ""
	var content *xmlstrict.ContentError
	if errors.As(err, &content) {
		hint, content.Hint = content.Hint, "" // it is said on a line of its own
	}
	return usagef(hint, "cannot read the file %q: %w", name, err)
}
