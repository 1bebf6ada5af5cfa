package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// good is a document that lacks nothing.
const good = "[listen]\ncaller = \"/CN=me\"\n" + sim
const sim = "[[host]]\nid = \"s\"\nadapter = \"sim\"\ncpus = 1\nmemory_mb = 1\n"
const lib = "[[host]]\nid = \"l\"\nadapter = \"libvirt\"\nuri = \"qemu:///system\"\n"

// network returns a network's table.
func network(name, first, last, rest string) string {
	return fmt.Sprintf("[[network]]\nname = %q\nfirst = %q\nlast = %q\n%s", name, first, last, rest)
}

// window returns a host's window.
func window(start, end, rule string) string {
	return fmt.Sprintf("[[host.window]]\nstart = %s\nend = %q\nrule = %q\n", start, end, rule)
}

// load loads the document from a file of its own directory, which it returns.
func load(t *testing.T, text string, o Overrides) (*Config, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, o)
	return c, filepath.Dir(path), err
}

// mistakes are documents and what is said of them.
var mistakes = []struct{ name, text, want string }{
	{"unknown key, near one", "[site]\nmaximum_durations = \"1h\"\n",
		`unknown key "site.maximum_durations", did you mean "maximum_duration"?`},
	{"unknown key, none near", "zzz = 1\n", `unknown key "zzz"`},
	{"not TOML", "[site\n", "toml: line"},
	{"negative duration", "[site]\ngrace = \"-1s\"\n", "-1s is negative"},
	{"public address", "[listen]\naddress = \"0.0.0.0:80\"\n", "not a loopback address"},
	{"bad prefix", "[notify]\nallow = [\"ten\"]\n", "not a CIDR prefix"},
	{"no port", "[listen]\naddress = \"localhost\"\n", "not HOST:PORT"},
	{"unknown adapter", "[[host]]\nid = \"a\"\nadapter = \"esx\"\n",
		`host 1 ("a"): adapter "esx" is neither libvirt nor sim`},
	{"libvirt without uri", "[[host]]\nid = \"a\"\nadapter = \"libvirt\"\n",
		"uri \"\" is needed"},
	{"files of tls for another uri", lib + "[host.tls]\nca_file = \"x\"\n",
		"tls is for a uri with"},
	{"half of a key", strings.Replace(lib, "qemu:", "qemu+tls:", 1) +
		"[host.tls]\ncert_file = \"x\"\n", "both, or neither"},
	{"sim without size", "[[host]]\nid = \"a\"\nadapter = \"sim\"\n", "needs cpus"},
	{"no caller", sim, "listen.caller is needed"},
	{"port too high", "[listen]\naddress = \"127.0.0.1:99999\"\n", "not HOST:PORT"},
	{"public URL", "[listen]\npublic_url = \"me\"\n", "listen.public_url"},
	{"not a list", "[host]\nid = \"a\"\n", "a table of a list is written [[NAME]]"},
	{"negative number", "[site]\nconcurrency = -1\n", "site.concurrency is negative"},
	{"negative log", "[site]\nconsole_log_mb = -1\n", "site.console_log_mb is negative"},
	{"huge log", "[site]\nconsole_log_mb = 99999999\n", "site.console_log_mb is 99999999, more"},
	{"no log", "[site]\nconsole_log_mb = 0\n", "site.console_log_mb is 0"},
	{"negative memory", sim + "max_image_mb = -1\n", "cannot be negative"},
	{"unknown VMM", sim + "vmm = \"Zen\"\n", `vmm "Zen" is none of`},
	{"accepts unknown VMM", "[site]\naccepts = {Xen = [\"kvm\"]}\n", `site.accepts: "kvm"`},
	{"unknown acceleration", lib + "acceleration = \"hvf\"\n", "none of auto, kvm, tcg"},
	{"expanded host twice", sim + "count = 2\n" + strings.Replace(sim, `"s"`, `"s-001"`, 1),
		`host 2 ("s-001"): id "s-001" is used twice`},
	{"unknown association", sim + "associations = [\"x\"]\n", `there is no network "x"`},
	{"network without a way", lib + network("n", "10.0.0.1", "10.0.0.2", ""),
		"networks.n is needed"},
	{"gateway is no address", network("n", "10.0.0.1", "10.0.0.2", "gateway = \"g\"\n"),
		`gateway "g" is not`},
	{"gateway leased", network("n", "10.0.0.1", "10.0.0.2", "gateway = \"10.0.0.1\"\n"),
		"gateway 10.0.0.1 is among"},
	{"same MAC", network("a", "10.0.0.1", "10.0.0.9", "") +
		network("b", "11.0.0.9", "11.0.0.20", ""), "same MAC as some of network \"a\""},
	{"kernel twice", "[[kernel]]\nname = \"k\"\nimage = \"k\"\n[[kernel]]\nname = \"k\"\n",
		`kernel 2 ("k"): name "k" is used twice`},
	{"kernel without image", "[[kernel]]\nname = \"k\"\n", "image is needed"},
	{"sftp without a key", "[[repository.sftp]]\naddress = \"a:22\"\n",
		"key_file or password_file"},
	{"host twice", "[[host]]\nid = \"a\"\nadapter = \"sim\"\ncpus = 1\nmemory_mb = 1\n" +
		"[[host]]\nid = \"a\"\nadapter = \"sim\"\ncpus = 1\nmemory_mb = 1\n", "used twice"},
	{"bad network target", "[[host]]\nid = \"a\"\nadapter = \"libvirt\"\nuri = \"x\"\n" +
		"networks = {public = \"br0\"}\n", "neither network:NAME nor bridge:NAME"},
	{"addresses out of order",
		"[[network]]\nname = \"n\"\nfirst = \"10.0.0.9\"\nlast = \"10.0.0.1\"\n", "in order"},
	{"multicast MAC prefix", "[[network]]\nname = \"n\"\nfirst = \"10.0.0.1\"\n" +
		"last = \"10.0.0.2\"\nmac_prefix = \"A3:00:00\"\n", "three octets"},
	{"default over maximum",
		"[site]\ndefault_duration = \"2h\"\nmaximum_duration = \"1h\"\n", "longer than"},
	{"web without a port", "[[repository.web]]\naddress = \"\"\n", "HOST:PORT"},
	{"web with two secrets", "[[repository.web]]\naddress = \"a:1\"\nuser = \"u\"\n" +
		"password_file = \"p\"\ntoken_file = \"t\"\n", "exclude each other"},
	{"web without a password", "[[repository.web]]\naddress = \"a:1\"\nuser = \"u\"\n",
		"belong together"},
	{"unknown backfill", "[scheduler]\nbackfill = \"greedy\"\n",
		`scheduler.backfill: "greedy" is none of none, easy, conservative`},
	{"unknown means", "[scheduler]\npreemption = [\"suspend\", \"shoot\"]\n",
		`scheduler.preemption: "shoot" is none of suspend, migrate, kill`},
	{"means twice", "[scheduler]\npreemption = [\"kill\", \"kill\"]\n", `"kill" is used twice`},
	{"unknown choice", "[scheduler]\nchoice = \"bestfit\"\n", "none of best-fit, spread, pack"},
	{"negative rate", "[scheduler]\nsuspend_rate = -1\n",
		"scheduler.suspend_rate is -1, expected 0 to 1048576"},
	{"absurd margin", "[scheduler]\nmargin = 5000\n", "expected 0 to 1000"},
	{"absurd link", "[scheduler]\nrepository_kbps = 99999999999\n", "scheduler.repository_kbps is"},
	{"absurd host link", sim + "net_in_kbps = 99999999999\n", "net_in_kbps and net_out_kbps are"},
	{"negative limit", sim + "disk_iops = -1\n", "disk_mbps and disk_iops are"},
	{"peer without a transport", sim + "peer = \"qemu:///system\"\n", "qemu+tls://HOST/system"},
	{"overlay of a simulated host", sim + "overlay = \"10.0.0.1\"\n", "with libvirt and KVM"},
	{"overlay that is none", lib + "overlay = \"node1\"\n", "needed as an IP address"},
	{"overlay of this machine alone", lib + "overlay = \"127.0.0.1\"\n", "other hosts reach"},
	{"overlay twice", lib + "overlay = \"10.0.0.1\"\n" +
		strings.Replace(lib, `"l"`, `"m"`, 1) + "overlay = \"10.0.0.1\"\n", "is used twice"},
	{"overlay's port", "[overlay]\nport = 65536\n", "not a UDP port"},
	{"overlay's MTU", "[overlay]\nmtu = 1000\n", "overlay.mtu 1000"},
	{"overlay's numbers", "[overlay]\nfirst_vni = 9\nlast_vni = 8\n", "in order from 1"},
	{"negative disk", sim + "disk_mb = -1\n", "cannot be negative"},
	{"quota of nobody", "[[quota]]\ncpus = 1\n", "either owner or group is needed"},
	{"quota of both", "[[quota]]\nowner = \"a\"\ngroup = \"b\"\ncpus = 1\n",
		`quota 1 ("a"): either owner or group is needed`},
	{"quota of nothing", "[[quota]]\nowner = \"*\"\n", `quota 1 ("*"): it limits nothing`},
	{"negative quota", "[[quota]]\nowner = \"*\"\ncpus = -1\n", "cpus is negative"},
	{"share of nobody", "[[fair_share.share]]\nweight = 1\n", "owner is needed"},
	{"share of nothing", "[[fair_share.share]]\nowner = \"a\"\n",
		`fair_share.share 1 ("a"): weight is 0, expected 1 to 1000000`},
	{"half-life", "[fair_share]\nhalf_life = \"1s\"\n", "shorter than a minute"},
	{"nameless operator", "[site]\noperators = [\"\"]\n", "an operator has no name"},
	{"window without an end", sim + "[[host.window]]\nstart = 2026-12-24T18:00:00Z\n",
		`host 1 ("s"): window 1 (""): a window needs a start and an end`},
	{"window without an offset", sim + "[[host.window]]\nstart = \"2026-12-24T18:00:00\"\n",
		"is not a time such as"},
	{"window backwards", sim + window("2026-12-24T18:00:00Z", "2026-12-24T17:00:00Z", ""),
		"is not after its start"},
	{"window that never is", sim + window("2026-12-24T18:00:00Z", "2026-12-24T19:00:00Z",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "never fires"},
	{"attestations of nobody", "[site]\nrequire_attestation = true\n",
		"there is no [[image.signer]]: every image would be refused; name a signer"},
	{"one host twice", lib + strings.Replace(lib, `"l"`, `"m"`, 1),
		`host 2 ("m"): its uri is that of the host "l" too`},
	{"host for nobody", sim + "[site]\naccepts = { Xen = [\"Xen\"] }\n",
		`host 1 ("s"): site.accepts lets no request have its vmm, KVM`},
	{"default for no host", sim + "[site]\ndefault_cpus = 2\n",
		"site.default_cpus is 2, and no host has more than 1"},
	{"one wire, one address, twice", lib + "networks = { a = \"bridge:b\", b = \"bridge:b\" }\n" +
		network("a", "10.0.0.1", "10.0.0.9", "") +
		network("b", "10.0.0.9", "10.0.0.20", "mac_prefix = \"A2:00:00\"\n"),
		`network 2 ("b"): some of its addresses are those of network "a" too, and on host "l"`},
	{"record among images", "data = \"/srv/w\"\n[repository.file]\ndir = \"/srv\"\n",
		"and data, /srv/w, lies in it: every caller could have what is there as an image"},
	{"disks among images", sim + "dir = \"/srv/i/d\"\n[repository.file]\ndir = \"/srv/i\"\n",
		"and dir of host s, /srv/i/d, lies in it"},
	{"netmask with holes", network("n", "10.0.0.1", "10.0.0.9", "netmask = \"255.0.255.0\"\n"),
		"its ones are not all in front"},
	{"broadcast elsewhere", network("n", "10.0.0.1", "10.0.0.9",
		"netmask = \"255.255.255.0\"\nbroadcast = \"10.0.1.255\"\n"),
		"broadcast 10.0.1.255 is not in the network of first, 10.0.0.1 with netmask 255.255.255.0"},
	{"no margin", "[scheduler]\nmargin = 0\n",
		"scheduler.margin is 0, which stands for the default, 20: leave it out"},
	{"no grace", "[site]\ngrace = \"0s\"\n",
		"site.grace is 0, which stands for the default, 10m: leave it out"},
	{"sftp without known hosts",
		"[[repository.sftp]]\naddress = \"a:22\"\nuser = \"u\"\n", "known_hosts"},
}

func TestLoadRefuses(t *testing.T) {
	for _, tt := range mistakes {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := load(t, tt.text, Overrides{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Load = %v, want %q", err, tt.want)
			}
		})
	}
}

// What looks like a contradiction and is none.
func TestLoadTakes(t *testing.T) {
	for name, text := range map[string]string{
		"two of libvirt's test pools": good + strings.ReplaceAll(lib+
			strings.Replace(lib, `"l"`, `"m"`, 1), "qemu:///system", "test:///default"),
		"private networks alike": good + lib + "networks = { b = \"bridge:b\" }\n" +
			network("a", "10.0.0.1", "10.0.0.9", "private = true\n") +
			network("b", "10.0.0.9", "10.0.0.20", "mac_prefix = \"A2:00:00\"\n"),
		"zero that means zero": good + "[scheduler]\ncache_mb = 0\n[site]\nmaximum_nodes = 0\n",
		"a gateway on the link alone": good + network("n", "10.0.0.1", "10.0.0.9",
			"netmask = \"255.255.255.0\"\ngateway = \"10.0.1.1\"\n"),
		"images beside disks": "data = \"/srv/w\"\n" + good +
			"[repository.file]\ndir = \"/srv/w/i\"\n",
	} {
		if _, _, err := load(t, text, Overrides{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadTellsEverythingAtOnce(t *testing.T) {
	_, _, err := load(t, sim+"vmm = \"Zen\"\nacceleration = \"hvf\"\ndrayned = true\n"+
		"[site]\ngraze = \"1h\"\n[other]\nkey = 1\n", Overrides{})
	for _, want := range []string{"caller is needed", `vmm "Zen"`, `acceleration "hvf"`,
		`"host.drayned", did you mean "drained"?`, `"site.graze"`, `unknown key "other"`} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("Load = %v, which lacks %q", err, want)
		}
	}
	if strings.Contains(fmt.Sprint(err), "other.key") {
		t.Errorf("Load = %v, which tells of what is in an unknown table", err)
	}
}

func TestLoadCompletes(t *testing.T) {
	c, _, err := load(t, "data = \"/srv/w\"\n"+good+network("public", "10.0.0.1", "10.0.0.9", ""),
		Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if got := time.Duration(c.Site.MaximumDuration); got != 336*time.Hour {
		t.Errorf("maximum_duration = %v", got)
	}
	if got := c.Networks[0].Hostname; got != "public-%d" {
		t.Errorf("hostname = %q", got)
	}
	if got := c.Repositories.File.Dir; got != "/srv/w/images" {
		t.Errorf("repository.file.dir = %q", got)
	}
}

func TestLoadTakesPathsFromBesideTheFile(t *testing.T) {
	c, dir, err := load(t, "data = \"here\"\n"+good+
		"[[kernel]]\nname = \"k\"\nimage = \"boot/k\"\n", Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		c.Data: "here", c.Hosts[0].Dir: "here/disks/s", c.Kernels[0].Image: "boot/k",
		c.Repositories.File.Dir: "here/images",
	} {
		if want = filepath.Join(dir, want); got != want {
			t.Errorf("path is %q, want %q", got, want)
		}
	}
}

func TestOverridesComeBeforeDefaults(t *testing.T) {
	c, _, err := load(t, "data = \"/srv/w\"\n"+good, Overrides{Data: "/d", Address: "[::1]:0"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Hosts[0].Dir != "/d/disks/s" || c.Repositories.File.Dir != "/d/images" ||
		c.Listen.Address != "[::1]:0" {
		t.Errorf("Load = %+v", c)
	}
}

func TestExampleIsGood(t *testing.T) {
	c, err := Load("../../examples/workspaced.toml", Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Hosts) == 0 || len(c.Networks) == 0 || len(c.Kernels) == 0 {
		t.Errorf("the example shows no pool: %+v", c)
	}
}

func TestDemoIsGood(t *testing.T) {
	c := Demo("/tmp/demo")
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	var memory int64
	for _, h := range c.Hosts {
		memory += h.MemoryMB * int64(h.Count)
	}
	if memory < 20_000*256 {
		t.Errorf("room for %d workspaces of 256 MB, want 20,000", memory/256)
	}
}

func TestLoadReadsPolicies(t *testing.T) {
	c, _, err := load(t, good+window("2026-12-24T18:00:00+01:00", "2026-12-24T19:00:00Z",
		"FREQ=WEEKLY")+"cpus = 2\n"+"[[quota]]\ngroup = \"/O=x/*\"\nworkspaces = 0\n"+
		"[scheduler]\npreemption = []\n", Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	w := c.Hosts[0].Windows[0].Window()
	if want := time.Date(2026, 12, 24, 17, 0, 0, 0, time.UTC); !w.Start.Equal(want) ||
		w.End.Sub(w.Start) != 2*time.Hour || w.Rule != "FREQ=WEEKLY" || w.Left.CPUs != 2 {
		t.Errorf("the window is %+v", w)
	}
	if q := c.Quotas[0]; q.Workspaces == nil || *q.Workspaces != 0 || q.CPUs != nil {
		t.Errorf("the quota is %+v", q)
	}
	if s := c.Scheduler; len(s.Preemption) > 0 || s.Backfill != "easy" || s.Margin != 20 {
		t.Errorf("the scheduler is %+v", s)
	}
	if o := c.Site.Operators; len(o) != 1 || o[0] != "/CN=me" {
		t.Errorf("the operators are %v", o)
	}
}
