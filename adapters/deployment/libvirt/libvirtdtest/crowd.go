package libvirtdtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// stranger is a domain that is nobody's whom the adapter serves.
type stranger struct {
	name     string
	metadata string
	runs     bool
}

// mark is the adapter's element in the metadata of its domains.
const mark = `<p:workspace xmlns:p="urn:philoxenia:libvirt:1" pool="%s" id="%s"/>`

// strangers look as much like the adapter's own domains as they can.
var strangers = []stranger{
	{name: "somebody", runs: true},
	{name: "workspace-7777"}, // our name, without our mark
	{name: "workspace-7778", runs: true,
		metadata: fmt.Sprintf(mark, "another pool", "7778")},
	{name: "workspace-7779", // our name and our mark, but not our UUID
		metadata: fmt.Sprintf(mark, "test pool", "7779")},
	{name: "workspace-7780-clone", metadata: fmt.Sprintf(mark, "test pool", "7780")},
	{name: "paused", runs: true},
}

// Crowd fills the host with domains of others, some of which run, and returns what
// describes them, byte for byte, as definitions and as they are.
func (d *Daemon) Crowd(driver string) func() string {
	d.t.Helper()
	virsh := func(args ...string) string {
		d.t.Helper()
		out, err := d.virshTo(driver, args...)
		if err != nil {
			d.t.Fatalf("virsh %q: %v: %s", args, err, out)
		}
		return out
	}
	for _, s := range strangers {
		path := filepath.Join(d.Dir, s.name+".xml")
		if err := os.WriteFile(path, []byte(s.define(driver)), 0o644); err != nil {
			d.t.Fatal(err)
		}
		virsh("define", path)
		if s.runs {
			virsh("start", s.name)
		}
	}
	virsh("suspend", "paused")
	return func() string {
		var all []string
		for _, s := range strangers {
			all = append(all, "domstate --reason "+s.name, "dumpxml --inactive "+s.name,
				"dumpxml "+s.name)
		}
		return virsh(strings.Join(all, "; "))
	}
}

// define writes the domain. What runs has nothing to boot, and waits for ever.
func (s stranger) define(driver string) string {
	return fmt.Sprintf(`<domain type='%s'><name>%s</name><metadata>%s</metadata>
<memory unit='MiB'>16</memory><currentMemory unit='MiB'>16</currentMemory>
<os><type arch='x86_64'>hvm</type><boot dev='hd'/></os>
<devices><memballoon model='none'/></devices></domain>
`, driver, s.name, s.metadata)
}
