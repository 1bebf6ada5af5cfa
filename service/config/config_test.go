package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
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
		{"libvirt without uri", "[[host]]\nid = \"a\"\nadapter = \"libvirt\"\n", "uri is needed"},
		{"sim without size", "[[host]]\nid = \"a\"\nadapter = \"sim\"\n", "needs cpus"},
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
		{"sftp without known hosts",
			"[[repository.sftp]]\naddress = \"a:22\"\nuser = \"u\"\n", "known_hosts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestParseCompletes(t *testing.T) {
	c, err := Parse([]byte("data = \"/srv/w\"\n[[network]]\nname = \"public\"\n" +
		"first = \"10.0.0.1\"\nlast = \"10.0.0.9\"\n"))
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

func TestLoadTakesDataFromBesideTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.toml")
	if err := os.WriteFile(path, []byte("data = \"here\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(filepath.Dir(path), "here"); c.Data != want {
		t.Errorf("data = %q, want %q", c.Data, want)
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
