package ext4_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/image/ext4"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// here customises on this machine.
var here = ext4.Customiser{Access: local.Access{}}

// image makes a small file system of a kind, with a few things in it.
func image(t *testing.T, kind string, args ...string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	must(t, os.MkdirAll(filepath.Join(root, "etc"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "etc", "motd"), []byte("old"), 0o600))
	must(t, os.Symlink("motd", filepath.Join(root, "etc", "issue")))
	must(t, os.Symlink("etc", filepath.Join(root, "conf")))
	path := filepath.Join(t.TempDir(), "disk.img")
	run(t, "truncate", "-s", "8M", path)
	run(t, "mke2fs", append(append([]string{"-q", "-t", kind, "-d", root}, args...), path)...)
	return path
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cat reads a file out of an image.
func cat(t *testing.T, device, file string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	run(t, "debugfs", "-R", `dump "`+strings.ReplaceAll(file, `"`, `""`)+`" `+out, device)
	data, err := os.ReadFile(out)
	must(t, err)
	return string(data)
}

// sound checks the whole file system.
func sound(t *testing.T, device string) {
	t.Helper()
	run(t, "e2fsck", "-fn", device)
}

var files = []workspace.File{
	{Path: "/etc/philoxenia-role", Content: "worker\n"},
	{Path: "/etc/motd", Content: "new"},
	{Path: "/etc/issue", Content: "no link any more"},
	{Path: "/conf/through-link", Content: "in etc"},
	{Path: "/root/.ssh/authorized_keys", Content: "ssh-ed25519 AAAA ada@example.org\n"},
	{Path: "/a/b/c/d/empty", Content: ""},
	{Path: "/big", Content: strings.Repeat("0123456789abcdef", 50_000)},
}

func TestFilesAreWritten(t *testing.T) {
	for _, kind := range []string{"ext2", "ext3", "ext4"} {
		t.Run(kind, func(t *testing.T) {
			img := image(t, kind)
			for range 2 { // twice is as once
				must(t, here.Customise(t.Context(), img, "raw", files))
				sound(t, img)
			}
			for _, f := range files {
				if got := cat(t, img, f.Path); got != f.Content {
					t.Errorf("%s holds %.40q, want %.40q", f.Path, got, f.Content)
				}
			}
			if got := cat(t, img, "/etc/through-link"); got != "in etc" {
				t.Errorf("the link was not followed: %q", got)
			}
		})
	}
}

func TestModes(t *testing.T) {
	img := image(t, "ext4")
	must(t, here.Customise(t.Context(), img, "raw", files))
	for path, want := range map[string]string{
		"/etc/motd": "Mode: 0644", "/a/b": "Mode: 0755", "/root/.ssh": "Mode: 0700",
		"/root/.ssh/authorized_keys": "Mode: 0600",
	} {
		out := run(t, "debugfs", "-R", "stat "+path, img)
		words := strings.Join(strings.Fields(out), " ")
		if !strings.Contains(words, want) || !strings.Contains(words, "User: 0 Group: 0") {
			t.Errorf("%s: want %s and root's:\n%s", path, want, out)
		}
	}
}

// TestWordsStayWords hands in paths and contents that would be commands.
func TestWordsStayWords(t *testing.T) {
	img := image(t, "ext4")
	var hostile []workspace.File
	for _, name := range []string{
		`a b`, `quo"te`, `""`, `'single'`, `back\slash`, `$(reboot)`, `;rm`, `<2>`, `-x`, `#`,
		`*`, `?offset=5`, `ünïcödé ☃`, ` leading`, `%s%n`, `..x`,
		`debugfs: stat`, `Type: directory`,
	} {
		hostile = append(hostile, workspace.File{Path: "/odd/" + name + "/" + name,
			Content: "rm /etc/motd\nquit\n\x00" + name})
	}
	must(t, here.Customise(t.Context(), img, "raw", hostile))
	sound(t, img)
	for _, f := range hostile {
		if got := cat(t, img, f.Path); got != f.Content {
			t.Errorf("%q holds %q, want %q", f.Path, got, f.Content)
		}
	}
	if got := cat(t, img, "/etc/motd"); got != "old" {
		t.Errorf("/etc/motd has become %q", got)
	}
}

func TestBadPathsChangeNothing(t *testing.T) {
	for name, path := range map[string]string{
		"relative": "etc/motd", "empty": "", "root": "/", "up": "/etc/../motd", "up alone": "/..",
		"dot": "/./x", "double": "/etc//x", "directory": "/etc/", "newline": "/x\nrm /etc/motd",
		"return": "/x\rrm", "null": "/x\x00y", "long": "/" + strings.Repeat("x/", 3000) + "y",
		"long name":                    "/" + strings.Repeat("x", 256),
		"a command behind a full line": strings.Repeat("/aaaaaaa", 127) + "/ rm /etc/motd",
		"quotes that fill a line":      strings.Repeat(`/""""""""`, 50),
	} {
		t.Run(name, func(t *testing.T) {
			img := image(t, "ext4")
			before, err := os.ReadFile(img)
			must(t, err)
			err = here.Customise(t.Context(), img, "raw",
				[]workspace.File{{Path: "/fine", Content: "x"}, {Path: path, Content: "x"}})
			isKind(t, err, workspace.Invalid)
			after, err := os.ReadFile(img)
			must(t, err)
			if string(before) != string(after) {
				t.Error("the image has changed")
			}
		})
	}
}

func isKind(t *testing.T, err error, want workspace.Kind) {
	t.Helper()
	if err == nil || workspace.KindOf(err) != want {
		t.Errorf("got %v (%s), want kind %q", err, workspace.KindOf(err), want)
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.img")
	run(t, "truncate", "-s", "8M", empty)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	one := []workspace.File{{Path: "/x", Content: "x"}}
	for name, c := range map[string]struct {
		ctx          context.Context
		path, format string
		files        []workspace.File
		want         workspace.Kind
	}{
		"qcow2":          {t.Context(), image(t, "ext4"), "qcow2", one, workspace.Invalid},
		"no image":       {t.Context(), empty + ".not", "raw", one, workspace.NotFound},
		"no file system": {t.Context(), empty, "raw", one, workspace.Invalid},
		"odd name":       {t.Context(), empty + "?offset=7", "raw", one, workspace.Internal},
		"cancelled":      {cancelled, image(t, "ext4"), "raw", one, workspace.Transient},
		"full": {t.Context(), image(t, "ext4"), "raw", []workspace.File{
			{Path: "/x", Content: strings.Repeat("x", 9<<20)}}, workspace.NoResource},
		"below a file": {t.Context(), image(t, "ext4"), "raw", []workspace.File{
			{Path: "/etc/motd/x", Content: "x"}}, workspace.Internal},
		"over a directory": {t.Context(), image(t, "ext4"), "raw", []workspace.File{
			{Path: "/etc", Content: "x"}}, workspace.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			isKind(t, here.Customise(c.ctx, c.path, c.format, c.files), c.want)
		})
	}
	must(t, here.Customise(t.Context(), empty, "qcow2", nil))
}

// TestUncleanIsRepairedFirst makes what a killed tool leaves behind.
func TestUncleanIsRepairedFirst(t *testing.T) {
	img := image(t, "ext4")
	run(t, "debugfs", "-w", "-R", "set_super_value state 0", img)
	run(t, "debugfs", "-w", "-R", "set_super_value free_blocks_count 1", img)
	must(t, here.Customise(t.Context(), img, "raw", files))
	sound(t, img)
}

func TestPartitionTables(t *testing.T) {
	const start = 2048
	for name, table := range map[string]func(disk []byte, starts ...uint64){
		"mbr": mbr, "gpt": gpt,
	} {
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile(image(t, "ext4"))
			must(t, err)
			disk := make([]byte, start*512+len(file))
			copy(disk[start*512:], file)
			table(disk, 64, start) // the first holds nothing that we know
			img := filepath.Join(t.TempDir(), "disk.img")
			must(t, os.WriteFile(img, disk, 0o600))
			must(t, here.Customise(t.Context(), img, "raw", files))
			if got := cat(t, img+"?offset=1048576", "/etc/motd"); got != "new" {
				t.Errorf("/etc/motd holds %q", got)
			}

			two := append(disk, disk[start*512:]...)
			table(two, start, uint64(len(disk)/512))
			must(t, os.WriteFile(img, two, 0o600))
			err = here.Customise(t.Context(), img, "raw", files)
			isKind(t, err, workspace.Invalid)
		})
	}
}

func mbr(disk []byte, starts ...uint64) {
	for i, s := range starts {
		binary.LittleEndian.PutUint32(disk[446+16*i+8:], uint32(s))
	}
	disk[510], disk[511] = 0x55, 0xaa
}

func gpt(disk []byte, starts ...uint64) {
	disk[510], disk[511] = 0x55, 0xaa
	header := disk[512:]
	copy(header, "EFI PART")
	binary.LittleEndian.PutUint64(header[72:], 2)
	binary.LittleEndian.PutUint32(header[80:], 128)
	binary.LittleEndian.PutUint32(header[84:], 128)
	for i, s := range starts {
		binary.LittleEndian.PutUint64(disk[1024+128*i+32:], s)
	}
}

// TestClone writes into a disk that stands on an image, which stays as it was.
func TestClone(t *testing.T) {
	img := image(t, "ext4")
	before, err := os.ReadFile(img)
	must(t, err)
	clone := filepath.Join(t.TempDir(), "a, clone.qcow2")
	run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", img, clone)
	files := []workspace.File{{Path: "/etc/motd", Content: "new"}, {Path: "/a/b", Content: "deep"}}
	for range 2 {
		must(t, here.Customise(t.Context(), clone, "qcow2", files))
	}
	whole := filepath.Join(t.TempDir(), "whole.img")
	run(t, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", clone, whole)
	sound(t, whole)
	if got := cat(t, whole, "/etc/motd") + cat(t, whole, "/a/b"); got != "newdeep" {
		t.Errorf("the files have %q", got)
	}
	after, err := os.ReadFile(img)
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the image behind the disk was written to")
	}
	if left, err := os.ReadDir(filepath.Dir(clone)); err != nil || len(left) != 1 {
		t.Errorf("beside the disk are %v, %v", left, err)
	}
}

// TestCloneInUse says of a disk that something else holds that it may be free soon.
func TestCloneInUse(t *testing.T) {
	img := image(t, "ext4")
	clone := filepath.Join(t.TempDir(), "clone.qcow2")
	run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", img, clone)
	holder := exec.Command("qemu-storage-daemon", "--blockdev",
		"driver=file,node-name=f,filename="+clone, "--blockdev",
		"driver=qcow2,node-name=q,file=f", "--export",
		"type=vhost-user-blk,id=e,node-name=q,writable=on,addr.type=unix,addr.path="+
			filepath.Join(t.TempDir(), "s"), "--chardev", "stdio,id=c", "--monitor", "c")
	talk, err := holder.StdoutPipe()
	must(t, err)
	_, err = holder.StdinPipe()
	must(t, err)
	must(t, holder.Start())
	defer func() { must(t, holder.Process.Kill()); holder.Wait() }()
	if _, err := talk.Read(make([]byte, 1)); err != nil { // it greets when all is open
		t.Fatal(err)
	}
	files := []workspace.File{{Path: "/etc/motd", Content: "new"}}
	isKind(t, here.Customise(t.Context(), clone, "qcow2", files), workspace.Transient)
}

// strained is the way to a host on which programs fail.
type strained struct {
	local.Access
	with error
}

func (s strained) Run(context.Context, workspace.Command) error { return s.with }

// TestLackIsNoLoss tells a host that cannot write into qcow2 disks at all from one that
// was lost when it was asked to.
func TestLackIsNoLoss(t *testing.T) {
	disk := filepath.Join(t.TempDir(), "disk.qcow2")
	run(t, "qemu-img", "create", "-q", "-f", "qcow2", disk, "1M")
	files := []workspace.File{{Path: "/etc/motd", Content: "new"}}
	for name, c := range map[string]struct {
		with  *workspace.Error
		want  workspace.Kind
		lacks bool
	}{
		"no program": {workspace.Refuse(workspace.Internal,
			"exit status 127: qemu-storage-daemon: not found"), workspace.Unavailable, true},
		"no FUSE": {workspace.Refuse(workspace.Internal,
			"exit status 1: qemu-storage-daemon: export type=fuse: Invalid parameter 'fuse'"),
			workspace.Unavailable, true},
		"lost": {workspace.Refuse(workspace.Unavailable, "the connection was lost"),
			workspace.Unavailable, false},
		"called off": {workspace.Refuse(workspace.Transient, "context canceled"),
			workspace.Transient, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := ext4.Customiser{Access: strained{with: c.with}}.Customise(
				t.Context(), disk, "qcow2", files)
			isKind(t, err, c.want)
			if workspace.Lacking(err) != c.lacks {
				t.Errorf("that means lacking %v: %v", !c.lacks, err)
			}
		})
	}
}
