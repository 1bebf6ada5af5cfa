package format_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/image/format"
)

// qcow makes a sound qcow2 file of 256 KiB, version 3, that shows 1 GiB to its
// guest, and lets change alter its bytes.
func qcow(change func(head []byte)) []byte {
	file := make([]byte, 256<<10)
	be := binary.BigEndian
	copy(file, "QFI\xfb")
	be.PutUint32(file[4:], 3)
	be.PutUint32(file[20:], 16)      // clusters of 64 KiB
	be.PutUint64(file[24:], 1<<30)   // virtual size
	be.PutUint32(file[36:], 2)       // L1 entries
	be.PutUint64(file[40:], 192<<10) // L1 table
	be.PutUint64(file[48:], 64<<10)  // reference count table
	be.PutUint32(file[56:], 1)       // its clusters
	be.PutUint32(file[100:], 112)    // header length
	if change != nil {
		change(file)
	}
	return file
}

// u32 and u64 set one field.
func u32(at int, v uint32) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint32(b[at:], v) }
}

func u64(at int, v uint64) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint64(b[at:], v) }
}

func both(changes ...func([]byte)) func([]byte) {
	return func(b []byte) {
		for _, c := range changes {
			c(b)
		}
	}
}

func backing(name string) func([]byte) {
	return both(u64(8, 512), u32(16, uint32(len(name))),
		func(b []byte) { copy(b[512:], name) })
}

func extension(kind uint32, length uint32) func([]byte) {
	return both(u32(112, kind), u32(116, length))
}

func text(s string) []byte { return append([]byte(s), make([]byte, 8192)...) }

func at(offset int, s string) []byte {
	b := make([]byte, 8192)
	copy(b[offset:], s)
	return b
}

var refused = []struct {
	name string
	file []byte
	want string
}{
	{"empty", nil, "empty"},
	{"vmdk", text("KDMV"), "VMDK"},
	{"old vmdk", text("COWD"), "VMDK"},
	{"vmdk descriptor", text("# Disk DescriptorFile\n"), "VMDK descriptor"},
	{"vdi", at(0x40, "\x7f\x10\xda\xbe"), "VDI"},
	{"vhd", text("conectix"), "VHD"},
	{"vhdx", text("vhdxfile"), "VHDX"},
	{"qed", text("QED\x00"), "QED"},
	{"parallels", text("WithoutFreeSpace"), "Parallels"},
	{"bochs", text("Bochs Virtual HD Image"), "Bochs"},
	{"saved machine", text("LibvirtQemudSave"), "saved machine"},
	{"qcow version 1", qcow(u32(4, 1)), "version 1"},
	{"qcow version 4", qcow(u32(4, 4)), "version 4"},
	{"header cut short", []byte("QFI\xfb\x00\x00\x00\x03"), "cut short"},
	{"version 3 header cut short", qcow(nil)[:80], "cut short"},
	{"backing file", qcow(backing("/etc/shadow")), `backing file ("/etc/shadow")`},
	{"json backing file", qcow(backing(`json:{"driver":"nbd"}`)), "json:"},
	{"backing file nowhere", qcow(u64(8, 1<<60)), `backing file (`},
	{"backing length alone", qcow(u32(16, 7)), "backing file"},
	{"external data file", qcow(u64(72, 1<<2)), "external file"},
	{"external data file by extension", qcow(extension(0x44415441, 8)), "external data file"},
	{"marked corrupt", qcow(u64(72, 1<<1)), "corrupt"},
	{"unknown feature", qcow(u64(72, 1<<40)), "0x10000000000"},
	{"aes", qcow(u32(32, 1)), "encrypted (method 1)"},
	{"luks inside", qcow(u32(32, 2)), "encrypted (method 2)"},
	{"encryption extension", qcow(extension(0x0537be77, 16)), "encrypted"},
	{"internal snapshots", qcow(u32(60, 3)), "3 internal snapshots"},
	{"absurd L1", qcow(u32(36, 1<<30)), "L1 table of 8589934592 bytes is absurd"},
	{"L1 too small", qcow(u32(36, 1)), "needs 2"},
	{"L1 beyond the end", qcow(u64(40, 1<<40)), "cut short"},
	{"L1 overflow", qcow(u64(40, 0xffffffffffff0000)), "cut short"},
	{"L1 not on a cluster", qcow(u64(40, 4711)), "impossible place"},
	{"L1 nowhere", qcow(u64(40, 0)), "impossible place"},
	{"reference counts beyond the end", qcow(u64(48, 1<<40)), "cut short"},
	{"absurd reference counts", qcow(u32(56, 1<<20)), "absurd"},
	{"no reference counts", qcow(u32(56, 0)), "no reference count table"},
	{"truncated", qcow(nil)[:100<<10], "cut short"},
	{"tiny clusters", qcow(u32(20, 8)), "cluster size"},
	{"huge clusters", qcow(u32(20, 63)), "cluster size"},
	{"no size", qcow(u64(24, 0)), "virtual size"},
	{"negative size", qcow(u64(24, 1<<63)), "virtual size"},
	{"huge size", qcow(u64(24, 1<<50)), "L1 table has"},
	{"absurd size", qcow(u64(24, 1<<62)), "absurd"},
	{"header length", qcow(u32(100, 1<<31)), "header length"},
	{"short header length", qcow(u32(100, 8)), "header length"},
	{"extension too long", qcow(extension(0x12345678, 1<<31)), "does not fit"},
	{"extension overflow", qcow(extension(0x12345678, 0xffffffff)), "does not fit"},
}

func TestRefused(t *testing.T) {
	for _, test := range refused {
		t.Run(test.name, func(t *testing.T) {
			info, err := format.Inspect(bytes.NewReader(test.file), int64(len(test.file)))
			var reason *format.Refused
			if !errors.As(err, &reason) {
				t.Fatalf("got %+v, %v, expected a refusal", info, err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not say %q", err, test.want)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	tests := []struct {
		name    string
		file    []byte
		format  string
		virtual int64
	}{
		{"one byte", []byte{7}, format.Raw, 1},
		{"zeros", make([]byte, 10000), format.Raw, 10000},
		{"boot sector", at(510, "\x55\xaa"), format.Raw, 8192},
		{"almost qcow2", text("QFI\xfa"), format.Raw, 8196},
		{"encrypted by its guest", text("LUKS\xba\xbe"), format.Raw, 8198},
		{"qcow2", qcow(nil), format.QCOW2, 1 << 30},
		{"qcow2 version 2", qcow(both(u32(4, 2), u64(72, 0), u32(100, 0))), format.QCOW2, 1 << 30},
		{"dirty", qcow(u64(72, 1)), format.QCOW2, 1 << 30},
		{"feature names", qcow(extension(0x6803f857, 96)), format.QCOW2, 1 << 30},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			info, err := format.Inspect(bytes.NewReader(test.file), int64(len(test.file)))
			if err != nil {
				t.Fatal(err)
			}
			want := format.Info{Format: test.format, VirtualSize: test.virtual,
				FileSize: int64(len(test.file))}
			if info != want {
				t.Errorf("got %+v, expected %+v", info, want)
			}
		})
	}
}

func TestAbsurdSize(t *testing.T) {
	var reason *format.Refused
	_, err := format.InspectHead(make([]byte, format.HeadBytes), 1<<62)
	if !errors.As(err, &reason) {
		t.Errorf("got %v, expected a refusal", err)
	}
}

func TestInspectOfLessThanPromised(t *testing.T) {
	var reason *format.Refused
	if _, err := format.Inspect(bytes.NewReader([]byte("short")), 100); !errors.As(err, &reason) {
		t.Errorf("got %v, expected a refusal", err)
	}
}

// lost is a file behind a connection that breaks.
type lost struct{}

func (lost) ReadAt([]byte, int64) (int, error) {
	return 0, fmt.Errorf("failed to send packet: %w", io.EOF)
}

// TestInspectOverLostConnection: only EOF itself says that a file ends.
func TestInspectOverLostConnection(t *testing.T) {
	_, err := format.Inspect(lost{}, 1<<20)
	if refused := new(format.Refused); err == nil || errors.As(err, &refused) {
		t.Errorf("the image was refused: %v", err)
	}
}

func TestAdmit(t *testing.T) {
	tests := []struct {
		name string
		info format.Info
		max  int64
		ok   bool
	}{
		{"no limit", format.Info{Format: format.Raw, VirtualSize: 1 << 50}, 0, true},
		{"just", format.Info{Format: format.Raw, VirtualSize: 100, FileSize: 100}, 100, true},
		{"too large", format.Info{Format: format.Raw, VirtualSize: 101, FileSize: 101}, 100, false},
		{"small file, large disk", format.Info{format.QCOW2, 1 << 40, 200000}, 1 << 30, false},
		{"tables", format.Info{format.QCOW2, 1 << 20, 3 << 20}, 1 << 20, true},
		{"endless file", format.Info{format.QCOW2, 1 << 20, 1 << 40}, 1 << 20, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := test.info.Admit(test.max); (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestRealImages holds what we read against what qemu-img writes.
func TestRealImages(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	tests := []struct {
		name string
		args []string
		want string // "" when accepted
	}{
		{"plain", []string{"-f", "qcow2", "FILE", "3G"}, ""},
		{"version 2", []string{"-f", "qcow2", "-o", "compat=0.10", "FILE", "3G"}, ""},
		{"small clusters", []string{"-f", "qcow2", "-o", "cluster_size=512", "FILE", "3G"}, ""},
		{"large clusters", []string{"-f", "qcow2", "-o", "cluster_size=2M", "FILE", "3G"}, ""},
		{"zstd", []string{"-f", "qcow2", "-o", "compression_type=zstd", "FILE", "3G"}, ""},
		{"extended L2", []string{"-f", "qcow2", "-o", "extended_l2=on", "FILE", "3G"}, ""},
		{"lazy", []string{"-f", "qcow2", "-o", "lazy_refcounts=on", "FILE", "3G"}, ""},
		{"backing", []string{"-f", "qcow2", "-F", "qcow2", "-b", base, "FILE"}, base},
		{"data file", []string{"-f", "qcow2", "-o", "data_file=" + base + ".d", "FILE", "3G"},
			"external"},
		{"vmdk", []string{"-f", "vmdk", "FILE", "3G"}, "VMDK"},
		{"vdi", []string{"-f", "vdi", "FILE", "3G"}, "VDI"},
		{"vpc", []string{"-f", "vpc", "FILE", "3G"}, "VHD"},
		{"vhdx", []string{"-f", "vhdx", "FILE", "3G"}, "VHDX"},
		{"qed", []string{"-f", "qed", "FILE", "3G"}, "QED"},
		{"old qcow", []string{"-f", "qcow", "FILE", "3G"}, "version 1"},
	}
	create(t, []string{"-f", "qcow2", "FILE", "3G"}, base)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image")
			create(t, test.args, path)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			stat, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			info, err := format.Inspect(f, stat.Size())
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v does not say %q", err, test.want)
				}
				return
			}
			if err != nil || info.VirtualSize != 3<<30 || info.Format != format.QCOW2 {
				t.Errorf("got %+v, %v", info, err)
			}
		})
	}
}

func create(t *testing.T, args []string, path string) {
	t.Helper()
	command := []string{"create", "-q"}
	for _, a := range args {
		command = append(command, strings.ReplaceAll(a, "FILE", path))
	}
	if out, err := exec.Command("qemu-img", command...).CombinedOutput(); err != nil {
		t.Fatalf("qemu-img (Debian package qemu-utils): %v: %s", err, out)
	}
}

// FuzzInspect makes sure that no header crashes us, and that what is accepted
// keeps its word: no other file, tables inside the file.
func FuzzInspect(f *testing.F) {
	for _, test := range refused {
		f.Add(test.file[:min(len(test.file), 1024)], int64(len(test.file)))
	}
	f.Add(qcow(nil)[:1024], int64(256<<10))
	f.Add([]byte("raw"), int64(3))
	f.Fuzz(func(t *testing.T, head []byte, size int64) {
		if size > int64(len(head)) && len(head) < format.HeadBytes {
			head = append(bytes.Clone(head), make([]byte, format.HeadBytes-len(head))...)
		}
		info, err := format.InspectHead(head, size)
		if err != nil {
			return
		}
		if info.FileSize != size || info.VirtualSize <= 0 {
			t.Fatalf("%+v of %d bytes", info, size)
		}
		isQCOW := bytes.HasPrefix(head, []byte("QFI\xfb"))
		if isQCOW != (info.Format == format.QCOW2) {
			t.Fatalf("%+v", info)
		}
		if isQCOW && (binary.BigEndian.Uint64(head[8:]) != 0 ||
			binary.BigEndian.Uint64(head[40:]) >= uint64(size)) {
			t.Fatalf("accepted with a backing file or a table beyond the end: %+v", info)
		}
	})
}
