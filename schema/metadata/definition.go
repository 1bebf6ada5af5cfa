package metadata

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
)

// architectures are the words that JSDL 1.0 (section 5.2.1) has for processor
// architectures.
var architectures = []string{"sparc", "powerpc", "x86", "x86_32", "x86_64", "parisc", "mips",
	"ia64", "arm", "other"}

// vmms are the words for types of hypervisor.
var vmms = []string{"Xen", "VMware", "KVM"}

func (r *reader) definition(e *etree.Element, v *Definition) {
	r.Sequence(e, []document.Field{
		document.One(d("requirements"), func(e *etree.Element) { r.requirements(e, v) }),
		document.One(d("diskCollection"), func(e *etree.Element) { r.disks(e, v) }),
	})
}

func (r *reader) requirements(e *etree.Element, v *Definition) {
	r.Sequence(e, []document.Field{
		document.One(j("CPUArchitecture"), Architecture(r.Reader, &v.Architecture)).
			Hint("an architecture must be given, such as x86_64"),
		document.Optional(d("VMM"), func(e *etree.Element) {
			v.VMM = new(VMM)
			r.vmm(e, v.VMM)
		}),
		document.Optional(d("kernel"), func(e *etree.Element) {
			v.Kernel = new(Kernel)
			r.kernel(e, v.Kernel)
		}),
	})
}

// Architecture returns what reads a jsdl:CPUArchitecture element. JSDL's
// extensions of it are refused, because nothing here would honour them.
func Architecture(r *document.Reader, to *string) func(*etree.Element) {
	return func(e *etree.Element) {
		r.Sequence(e, []document.Field{
			document.One(j("CPUArchitectureName"), ArchitectureName(r, to)),
		})
	}
}

// ArchitectureName returns what reads a jsdl:CPUArchitectureName element.
func ArchitectureName(r *document.Reader, to *string) func(*etree.Element) {
	return r.OneOf(to, "CPU architecture", architectures...)
}

func (r *reader) vmm(e *etree.Element, v *VMM) {
	r.Sequence(e, []document.Field{
		document.One(d("type"), r.OneOf(&v.Type, "VMM type", vmms...)),
		document.Many(0, d("version"), r.Words(&v.Versions)).Most(maxDevices),
	})
}

func (r *reader) kernel(e *etree.Element, k *Kernel) {
	r.Sequence(e, []document.Field{
		document.Optional(d("image"), r.URI(&k.Image)),
		document.Optional(d("version"), func(e *etree.Element) {
			if k.Image != "" {
				r.Fail(e, "an image or a version", "", "the kernel has both")
			}
			k.Version = new(KernelVersion)
			r.Sequence(e, []document.Field{
				document.Optional(d("min"), r.Word(&k.Version.Min)),
				document.Optional(d("max"), r.Word(&k.Version.Max)),
			})
		}),
		document.Optional(d("parameters"), r.parameters(&k.Parameters)),
	})
}

// maxParameters is how long the command line of a kernel may be, in bytes: what
// Linux takes on x86 before it cuts it off.
const maxParameters = 2048

// parameters reads a kernel's command line. It is one line.
func (r *reader) parameters(to *string) func(*etree.Element) {
	return func(e *etree.Element) {
		r.Text(to)(e)
		switch {
		case r.Failed():
		case len(*to) > maxParameters:
			r.Fail(e, "at most 2048 bytes", "", "the parameters have %d bytes", len(*to))
		case strings.ContainsFunc(*to, unicode.IsControl):
			r.Fail(e, "one line", "leave out line ends and other control characters",
				"there is a control character in the parameters")
		}
	}
}

func (r *reader) disks(e *etree.Element, v *Definition) {
	r.mounts = make(map[string]bool)
	r.Sequence(e, []document.Field{
		document.One(d("rootVBD"), func(e *etree.Element) { r.disk(e, &v.Root) }).
			Hint("a workspace has exactly one root disk"),
		document.Many(0, d("partition"), func(e *etree.Element) {
			v.Partitions = append(v.Partitions, Disk{})
			r.disk(e, &v.Partitions[len(v.Partitions)-1])
		}).Most(maxDevices),
		document.Many(0, d("blankspacePartition"), func(e *etree.Element) { r.blank(e, v) }).
			Most(maxDevices),
		document.Optional(d("RAM"), r.serialized),
		document.Optional(d("swap"), r.serialized),
	})
}

// serialized refuses the memory image of a serialized machine as input.
func (r *reader) serialized(e *etree.Element) {
	r.Fail(e, "no "+e.Tag, "start from disks: a serialized machine is no input",
		"%s is not supported", e.Tag)
}

func (r *reader) disk(e *etree.Element, v *Disk) {
	permissions := "ReadWrite"
	r.Sequence(e, []document.Field{
		document.One(d("location"), r.URI(&v.Location)),
		document.One(d("mountAs"), r.mountAs(&v.MountAs)).
			Hint("say where the disk appears in the guest, such as sda1"),
		document.Optional(d("permissions"),
			r.OneOf(&permissions, "permission", "ReadOnly", "ReadWrite")),
	})
	v.ReadOnly = permissions == "ReadOnly"
}

func (r *reader) blank(e *etree.Element, v *Definition) {
	var b BlankDisk
	r.Sequence(e, []document.Field{
		document.One(d("partitionName"), r.Word(&b.Name)),
		document.One(d("mountAs"), r.mountAs(&b.MountAs)).
			Hint("say where the disk appears in the guest, such as sda3"),
	})
	for _, other := range v.Blanks {
		if other.Name == b.Name {
			r.Fail(e, "another partitionName", "", "there is more than one partition named %q",
				b.Name)
		}
	}
	v.Blanks = append(v.Blanks, b)
}

// mountForm is the name of a disk or partition in the guest, without /dev.
var mountForm = regexp.MustCompile(`^[a-z]{2,8}[0-9]{0,3}$`)

// mountAs reads where a disk appears, which no two disks may share.
func (r *reader) mountAs(to *string) func(*etree.Element) {
	return func(e *etree.Element) {
		r.Word(to)(e)
		switch {
		case r.Failed():
		case !mountForm.MatchString(*to):
			r.Fail(e, "a partition such as sda1 or a disk such as sdb", "leave /dev/ out",
				"%.40q is not the name of a disk", *to)
		case r.mounts[*to]:
			r.Fail(e, "another name", "", "more than one disk is to appear as %q", *to)
		}
		r.mounts[*to] = true
	}
}
