//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
)

// beginning is how the configuration of a site of real hosts begins: data, images,
// kernel, initrd. It ends within the part of the site itself.
const beginning = `
data = %q
[listen]
caller = "/O=Philoxenia/OU=Test/CN=Guest"
[repository.file]
dir = %q
[[kernel]]
name = "tiny"
image = %q
initrd = %q
cmdline = "quiet mitigations=off no_timer_check clocksource=acpi_pm"
[site]
operators = ["/O=Philoxenia/OU=Test/CN=Guest"]
accepts = { Xen = ["KVM"], KVM = ["KVM"] }
`

// open makes a directory for a site of real hosts, the guest's disk among its images,
// and returns it with the beginning of its configuration.
func open(t *testing.T) (dir, opening string) {
	t.Helper()
	dir = t.TempDir()
	guest := libvirtdtest.BuildGuest(t)
	images := filepath.Join(dir, "images")
	if err := os.Mkdir(images, 0o755); err != nil {
		t.Fatal(err)
	}
	guest.Disk(t, filepath.Join(images, "disk"))
	return dir, fmt.Sprintf(beginning, filepath.Join(dir, "data"), images, guest.Boot.Kernel,
		guest.Boot.Initrd)
}

// bare is metadata of a guest that needs no network.
const bare = `<VirtualWorkspace xmlns="http://www.globus.org/2008/06/workspace/metadata"
    xmlns:def="http://www.globus.org/2008/06/workspace/metadata/definition"
    xmlns:jsdl="http://schemas.ggf.org/jsdl/2005/11/jsdl">
  <name>urn:test:bare</name>
  <def:definition>
    <def:requirements>
      <jsdl:CPUArchitecture><jsdl:CPUArchitectureName>x86_64</jsdl:CPUArchitectureName>
      </jsdl:CPUArchitecture>
      <def:VMM><def:type>KVM</def:type></def:VMM>
    </def:requirements>
    <def:diskCollection><def:rootVBD><def:location>file://disk</def:location>
      <def:mountAs>sda1</def:mountAs></def:rootVBD></def:diskCollection>
  </def:definition>
</VirtualWorkspace>
`

// addressed is metadata of a guest with an address of a network.
func addressed(network string) string {
	return strings.Replace(bare, "<def:definition>", `<log:logistics
      xmlns:log="http://www.globus.org/2008/06/workspace/metadata/logistics">
    <log:networking><log:nic><log:name>eth0</log:name>
      <log:ipConfig><log:acquisitionMethod>AllocateAndConfigure</log:acquisitionMethod>
      </log:ipConfig><log:association>`+network+`</log:association></log:nic></log:networking>
  </log:logistics>
  <def:definition>`, 1)
}

// written writes metadata into a file of its own.
func written(t *testing.T, metadata string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "metadata.xml")
	if err := os.WriteFile(path, []byte(metadata), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
