package config

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// checkTogether finds what cannot be right of tables that are right each by
// itself.
func (c *Config) checkTogether() error {
	return errors.Join(c.checkTrust(), c.checkTwins(), c.checkReach(), c.checkWires(),
		c.checkPrivacy())
}

// checkTrust refuses to ask for attestations that nobody could give: every request
// would be refused.
func (c *Config) checkTrust() error {
	if !c.Site.RequireAttestation || len(c.Images.Signers) > 0 {
		return nil
	}
	return errors.New("site.require_attestation is true, and there is no [[image.signer]]: every " +
		"image would be refused; name a signer (`workspace image keygen` makes a key), or leave " +
		"require_attestation out")
}

// checkTwins refuses two hosts that are one: what it has would be leased twice.
func (c *Config) checkTwins() error {
	var all []error
	for i := range c.Hosts {
		h := &c.Hosts[i]
		if other := c.twin(h, c.Hosts[:i]); other != "" {
			all = append(all, entry("host", i, h.ID, twins(other)))
		}
	}
	return errors.Join(all...)
}

// Twin returns the configured host that is reached as h is, empty when none is.
func (c *Config) Twin(h *Host) string { return c.twin(h, c.Hosts) }

// twin looks among others. Libvirt's test driver makes a pool of its own for each
// connection.
func (c *Config) twin(h *Host, others []Host) string {
	if h.Adapter != "libvirt" || strings.HasPrefix(h.URI, "test") {
		return ""
	}
	for i := range others {
		if o := &others[i]; o.Adapter == h.Adapter && o.URI == h.URI && o.login() == h.login() {
			return o.ID
		}
	}
	return ""
}

// login is where the host is logged on to.
func (h *Host) login() string {
	if h.SSH == nil {
		return ""
	}
	return h.SSH.Address
}

func twins(other string) error {
	return fmt.Errorf("its uri is that of the host %q too: what it has would be leased twice; "+
		"leave one of them out", other)
}

// checkReach refuses a site whose hosts no request could come to.
func (c *Config) checkReach() error {
	var all []error
	most := int64(0) // CPUs of the largest; -1: somebody has to be asked
	for i := range c.Hosts {
		h := &c.Hosts[i]
		if !c.accepted(h.VMM) {
			err := fmt.Errorf("site.accepts lets no request have its vmm, %s: add it there, such "+
				"as accepts = { %s = [%q] }", h.VMM, h.VMM, h.VMM)
			all = append(all, entry("host", i, h.ID, err))
		}
		if h.CPUs == 0 || most < 0 {
			most = -1
		} else {
			most = max(most, h.CPUs)
		}
	}
	if most > 0 && c.Site.DefaultCPUs > most {
		all = append(all, fmt.Errorf("site.default_cpus is %d, and no host has more than %d: what "+
			"does not say how many it wants would be refused", c.Site.DefaultCPUs, most))
	}
	return errors.Join(all...)
}

// accepted reports whether some request may have the VMM.
func (c *Config) accepted(vmm string) bool {
	for _, hosts := range c.Site.Accepts {
		if slices.Contains(hosts, vmm) {
			return true
		}
	}
	return false
}

// checkWires refuses two networks that lease the same address on the same wire.
func (c *Config) checkWires() error {
	var all []error
	for i := range c.Networks {
		n := &c.Networks[i]
		for j := range c.Networks[:i] {
			other := &c.Networks[j]
			if host := c.share(n, other); host != "" && n.overlaps(other) {
				err := fmt.Errorf("some of its addresses are those of network %q too, and on host "+
					"%q both are %s: two guests would get one address", other.Name, host,
					c.onHost(host, n.Name))
				all = append(all, entry("network", i, n.Name, err))
			}
		}
	}
	return errors.Join(all...)
}

// share returns a host on which both networks are one wire, empty when none is.
func (c *Config) share(a, b *Network) string {
	if a.Private || b.Private {
		return ""
	}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		if target := h.Networks[a.Name]; target != "" && target == h.Networks[b.Name] {
			return h.ID
		}
	}
	return ""
}

// onHost returns what a network is on a host.
func (c *Config) onHost(host, network string) string {
	for i := range c.Hosts {
		if c.Hosts[i].ID == host {
			return c.Hosts[i].Networks[network]
		}
	}
	return ""
}

// overlaps reports whether both lease some address. Networks whose ends are wrong
// are told of elsewhere.
func (n *Network) overlaps(other *Network) bool {
	first, last, err := n.ends()
	from, to, wrong := other.ends()
	return err == nil && wrong == nil && !last.Less(from) && !to.Less(first)
}

// checkPrivacy refuses a repository in which more lies than images: whoever may
// name a file of it would be handed the record, keys, or the disks of others.
func (c *Config) checkPrivacy() error {
	if c.Repositories.File == nil || c.Repositories.File.Dir == "" {
		return nil
	}
	open := c.Repositories.File.Dir
	secret := []struct{ key, path string }{
		{"data", c.Data}, {"site.credentials", c.Site.Credentials},
		{"site.host_dir", c.Site.HostDir},
	}
	for i := range c.Hosts {
		if h := &c.Hosts[i]; h.SSH == nil {
			secret = append(secret, struct{ key, path string }{"dir of host " + h.ID, h.Dir})
		}
	}
	var all []error
	for _, s := range secret {
		rest, err := filepath.Rel(open, s.path)
		if s.path != "" && err == nil && filepath.IsLocal(rest) {
			all = append(all, fmt.Errorf("repository.file.dir is %s, and %s, %s, lies in it: "+
				"every caller could have what is there as an image; give images a directory of "+
				"their own", open, s.key, s.path))
		}
	}
	return errors.Join(all...)
}

// checkPlace refuses a network whose parts are not of one network.
func (n *Network) checkPlace(first, last netip.Addr) error {
	if n.Netmask == "" {
		return nil
	}
	mask, err := netip.ParseAddr(n.Netmask)
	if err != nil || !mask.Is4() {
		return nil // told of already
	}
	bits := number(mask)
	if host := ^bits; host&(host+1) != 0 {
		return fmt.Errorf("netmask %s is none: its ones are not all in front", mask)
	}
	var all []error
	// A gateway may be elsewhere: those of routed addresses are on the link alone.
	for _, at := range []struct{ key, text string }{
		{"last", last.String()}, {"broadcast", n.Broadcast},
	} {
		ip, err := netip.ParseAddr(at.text)
		if err == nil && ip.Is4() && number(ip)&bits != number(first)&bits {
			all = append(all, fmt.Errorf("%s %s is not in the network of first, %s with netmask %s",
				at.key, ip, first, mask))
		}
	}
	return errors.Join(all...)
}

// A nought finds keys of the document that are zero where zero stands for a
// default: whoever wrote 0 means something else.
type nought struct {
	meta   *toml.MetaData
	wrong  []error
	before reflect.Value
	after  reflect.Value
}

// checkNoughts compares the document as it was read with the one that is complete.
func checkNoughts(meta *toml.MetaData, before, after *Config) error {
	n := nought{meta: meta, before: reflect.ValueOf(before).Elem(),
		after: reflect.ValueOf(after).Elem()}
	n.walk(n.before, n.after, nil)
	return errors.Join(n.wrong...)
}

// walk compares two tables, and those below them that are not lists.
func (n *nought) walk(before, after reflect.Value, path []string) {
	for i := range before.NumField() {
		key, was, is := before.Type().Field(i).Tag.Get("toml"), before.Field(i), after.Field(i)
		at := append(slices.Clone(path), key)
		switch {
		case was.Kind() == reflect.Struct:
			n.walk(was, is, at)
		case was.Kind() == reflect.Int || was.Kind() == reflect.Int64:
			if was.IsZero() && !is.IsZero() && n.meta.IsDefined(at...) {
				n.wrong = append(n.wrong, fmt.Errorf("%s is 0, which stands for the default, "+
					"%v: leave it out, or say how much", strings.Join(at, "."),
					shown(is)))
			}
		}
	}
}

// shown is a value as it is written.
func shown(v reflect.Value) any {
	if d, ok := v.Interface().(Duration); ok {
		return d.String()
	}
	return v.Interface()
}
