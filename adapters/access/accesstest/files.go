package accesstest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func stat(t *testing.T, h *host) {
	path := h.sparse(t, "image")
	then := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	ok(t, os.Chtimes(path, then, then))
	got, err := h.Stat(t.Context(), path)
	ok(t, err)
	if got.Path != path || got.Size != 64<<20 || !got.Changed.Equal(then) || got.Dir ||
		!got.Regular || got.Mode.Perm() != 0o644 {
		t.Errorf("Stat found %+v", got)
	}
	if got.OnDisk < 200<<10 || got.OnDisk > 1<<20 {
		t.Errorf("it takes %d bytes on the disk, expected about 200 KiB", got.OnDisk)
	}
	got, err = h.Stat(t.Context(), h.dir)
	ok(t, err)
	if !got.Dir || got.Regular {
		t.Errorf("Stat of a directory found %+v", got)
	}
	ok(t, os.Symlink("image", h.path("link")))
	got, err = h.Stat(t.Context(), h.path("link"))
	ok(t, err)
	if got.Dir || got.Regular || got.Mode&fs.ModeSymlink == 0 {
		t.Errorf("Stat of a symbolic link found %+v", got)
	}
	for _, path := range []string{h.path("nothing"), h.path("image/below")} {
		_, err = h.Stat(t.Context(), path)
		kind(t, err, workspace.NotFound)
	}
}

func list(t *testing.T, h *host) {
	names := []string{"-n", ".hidden", "a b", "b'c", "c\nd", "e*", "z"}
	for i, name := range names {
		h.file(t, name, make([]byte, i+1))
	}
	ok(t, os.Mkdir(h.path("zz"), 0o700))
	all, err := h.List(t.Context(), h.dir)
	ok(t, err)
	if len(all) != len(names)+1 {
		t.Fatalf("List found %d files, expected %d: %+v", len(all), len(names)+1, all)
	}
	for i, name := range names {
		if all[i].Path != h.path(name) || all[i].Size != int64(i+1) || !all[i].Regular ||
			time.Since(all[i].Changed).Abs() > time.Hour {
			t.Errorf("the %dth file is %+v, expected %q", i, all[i], name)
		}
	}
	if last := all[len(names)]; !last.Dir {
		t.Errorf("the directory is %+v", last)
	}
	all, err = h.List(t.Context(), h.path("nothing"))
	if err != nil || len(all) != 0 {
		t.Errorf("List of an absent directory found %v, %v", all, err)
	}
	all, err = h.List(t.Context(), h.path("zz"))
	if err != nil || len(all) != 0 {
		t.Errorf("List of an empty directory found %v, %v", all, err)
	}
	if _, err = h.List(t.Context(), h.path("z")); err == nil {
		t.Error("a file was listed")
	}
}

func directories(t *testing.T, h *host) {
	for range 2 {
		ok(t, h.MakeDir(t.Context(), h.path("a/b/c"), 0o700))
	}
	info, err := os.Stat(h.path("a/b/c"))
	ok(t, err)
	if !info.IsDir() || info.Mode().Perm() != 0o700 {
		t.Errorf("it is %s", info.Mode())
	}
	h.file(t, "file", nil)
	kind(t, h.MakeDir(t.Context(), h.path("file"), 0o700), workspace.Conflict)
	kind(t, h.MakeDir(t.Context(), h.path("file/below"), 0o700), workspace.Conflict)
}

func remove(t *testing.T, h *host) {
	a, b := h.file(t, "a", nil), h.file(t, "b'", nil)
	h.file(t, "kept", nil)
	ok(t, os.Symlink("kept", h.path("link")))
	for range 2 {
		ok(t, h.Remove(t.Context(), a, h.path("nothing"), b, h.path("link"),
			h.path("no/such/dir"), h.path("kept/below")))
		imagetest.Only(t, h.dir, "kept")
	}
	ok(t, h.Remove(t.Context()))
	ok(t, os.Mkdir(h.path("full"), 0o755))
	h.file(t, "full/file", nil)
	if h.Remove(t.Context(), h.path("full")) == nil {
		t.Error("a directory that is not empty was removed")
	}
	imagetest.Only(t, h.path("full"), "file")
}

func rename(t *testing.T, h *host) {
	from, to := h.file(t, "from", []byte("new")), h.file(t, "to", []byte("old"))
	for range 2 {
		ok(t, h.Rename(t.Context(), from, to))
		imagetest.Only(t, h.dir, "to")
		imagetest.Same(t, to, []byte("new"))
	}
	kind(t, h.Rename(t.Context(), from, h.path("other")), workspace.NotFound)
	h.file(t, "from", nil)
	kind(t, h.Rename(t.Context(), from, h.path("no/such/dir")), workspace.NotFound)
	imagetest.Only(t, h.dir, "from", "to")
}

func link(t *testing.T, h *host) {
	from := h.file(t, "from", []byte("x"))
	for range 2 {
		ok(t, h.Link(t.Context(), from, h.path("to")))
	}
	one, err := os.Stat(from)
	ok(t, err)
	other, err := os.Stat(h.path("to"))
	ok(t, err)
	if !os.SameFile(one, other) {
		t.Error("it is a copy")
	}
	another := h.file(t, "another", []byte("y"))
	kind(t, h.Link(t.Context(), from, another), workspace.Conflict)
	imagetest.Same(t, another, []byte("y"))
	kind(t, h.Link(t.Context(), h.path("nothing"), h.path("new")), workspace.NotFound)
	elsewhere := imagetest.Small(t, "64k")
	kind(t, h.Link(t.Context(), from, filepath.Join(elsewhere, "to")), workspace.Conflict)
}

func touch(t *testing.T, h *host) {
	path := h.file(t, "file", []byte("x"))
	then := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	ok(t, os.Chtimes(path, then, then))
	ok(t, h.Touch(t.Context(), path))
	info, err := os.Stat(path)
	ok(t, err)
	if time.Since(info.ModTime()).Abs() > time.Hour {
		t.Errorf("it is of %s", info.ModTime())
	}
	imagetest.Same(t, path, []byte("x"))
	kind(t, h.Touch(t.Context(), h.path("nothing")), workspace.NotFound)
	imagetest.Only(t, h.dir, "file")
}

func read(t *testing.T, h *host) {
	data := imagetest.Random(100<<10, 1)
	path := h.file(t, "file", data)
	for _, limit := range []int64{int64(len(data)), 1 << 20} {
		got, err := h.Read(t.Context(), path, limit)
		ok(t, err)
		if imagetest.Sum(got) != imagetest.Sum(data) {
			t.Errorf("%d other bytes were read", len(got))
		}
	}
	got, err := h.Read(t.Context(), h.file(t, "empty", nil), 10)
	if err != nil || len(got) != 0 {
		t.Errorf("Read of an empty file returned %q, %v", got, err)
	}
	_, err = h.Read(t.Context(), path, int64(len(data))-1)
	kind(t, err, workspace.Invalid)
	_, err = h.Read(t.Context(), h.path("nothing"), 10)
	kind(t, err, workspace.NotFound)
	_, err = h.Read(t.Context(), h.dir, 10)
	kind(t, err, workspace.Invalid)
}

func write(t *testing.T, h *host) {
	path := h.path("file")
	for _, data := range [][]byte{imagetest.Random(100<<10, 2), []byte("short"), {}} {
		ok(t, h.Write(t.Context(), path, data, 0o640))
		imagetest.Same(t, path, data)
		info, err := os.Stat(path)
		ok(t, err)
		if info.Mode().Perm() != 0o640 {
			t.Errorf("its mode is %s", info.Mode())
		}
		imagetest.Only(t, h.dir, "file")
	}
	kind(t, h.Write(t.Context(), h.path("no/such/dir"), nil, 0o600), workspace.NotFound)
	ok(t, os.Mkdir(h.path("dir"), 0o755))
	kind(t, h.Write(t.Context(), h.path("dir"), nil, 0o600), workspace.Conflict)
	imagetest.Only(t, h.dir, "dir", "file")
	full := imagetest.Small(t, "256k")
	kind(t, h.Write(t.Context(), filepath.Join(full, "file"), imagetest.Random(1<<20, 3), 0o600),
		workspace.NoResource)
	imagetest.Only(t, full)
}

func space(t *testing.T, h *host) {
	dir := imagetest.Small(t, "1m")
	free, total, err := h.Space(t.Context(), dir)
	ok(t, err)
	if total != 1<<20 || free <= 0 || free > total {
		t.Errorf("%d of %d bytes are free, expected all of 1 MiB", free, total)
	}
	ok(t, os.WriteFile(filepath.Join(dir, "file"), imagetest.Random(512<<10, 4), 0o644))
	after, _, err := h.Space(t.Context(), dir)
	ok(t, err)
	if free-after < 512<<10 {
		t.Errorf("%d bytes became %d with 512 KiB more", free, after)
	}
	_, _, err = h.Space(t.Context(), h.path("nothing"))
	kind(t, err, workspace.NotFound)
}

// hostileNames are names that a shell, or a program that reads options, would
// take for something else.
func hostileNames(t *testing.T, h *host) {
	for _, name := range []string{
		"-rf", "--help", "a b", "a'b", `a"b`, `a\b`, "$(touch x)", "`touch x`", "${HOME}",
		"a;touch x", "a&touch x", "a|touch x", "a>x", "*", "?", "[a]", "~", "#a", "!a", "a\nb",
		"\ta", " ", "=", "%s%n", "é", "\xff\xfe", "a:b", "a,b", "-", "json:{}",
		strings.Repeat("l", 200),
	} {
		t.Run(name, func(t *testing.T) {
			h := &host{Access: h.Access, Fixture: h.Fixture, dir: t.TempDir()}
			hostileName(t, h, name)
		})
	}
}

func hostileName(t *testing.T, h *host, name string) {
	ctx, path := t.Context(), h.path(name)
	ok(t, h.Write(ctx, path, []byte("data"), 0o600))
	imagetest.Only(t, h.dir, name)
	_, err := h.Stat(ctx, path)
	ok(t, err)
	ok(t, h.Touch(ctx, path))
	got, err := h.Read(ctx, path, 100)
	if err != nil || string(got) != "data" {
		t.Errorf("Read returned %q, %v", got, err)
	}
	info, err := h.Examine(ctx, path, true)
	if err != nil || info.SHA256 != imagetest.Sum([]byte("data")) {
		t.Errorf("Examine returned %+v, %v", info, err)
	}
	ok(t, h.Copy(ctx, path, path+"c", nil))
	ok(t, h.Remove(ctx, path+"c"))
	ok(t, h.Rename(ctx, path, h.path("plain")))
	ok(t, h.Link(ctx, h.path("plain"), path))
	ok(t, h.Remove(ctx, path, h.path("plain")))
	ok(t, h.MakeDir(ctx, path, 0o700))
	ok(t, h.Blank(ctx, filepath.Join(path, name), 4096))
	all, err := h.List(ctx, path)
	if err != nil || len(all) != 1 || all[0].Path != filepath.Join(path, name) {
		t.Errorf("List returned %+v, %v", all, err)
	}
	imagetest.Only(t, h.dir, name)
}

// climbers makes sure that no call takes a path that is not absolute, or climbs.
func climbers(t *testing.T, h *host) {
	ctx := t.Context()
	good := h.file(t, "good", []byte("data"))
	for _, bad := range []string{
		"", ".", "relative", "a/b", "..", h.dir + "/../x", h.dir + "/..", h.dir + "/a/../good",
		h.path("nul\x00"), "\x00",
	} {
		_, statErr := h.Stat(ctx, bad)
		_, listErr := h.List(ctx, bad)
		_, readErr := h.Read(ctx, bad, 10)
		_, examineErr := h.Examine(ctx, bad, false)
		_, cloneErr := h.Clone(ctx, good, "raw", bad)
		_, cloneOfErr := h.Clone(ctx, bad, "raw", h.path("made"))
		_, _, spaceErr := h.Space(ctx, bad)
		for call, err := range map[string]error{
			"Stat": statErr, "List": listErr, "Read": readErr, "Examine": examineErr,
			"Clone to": cloneErr, "Clone": cloneOfErr, "Space": spaceErr,
			"MakeDir": h.MakeDir(ctx, bad, 0o700), "Remove": h.Remove(ctx, bad),
			"Rename": h.Rename(ctx, bad, h.path("made")), "Rename to": h.Rename(ctx, good, bad),
			"Link": h.Link(ctx, bad, h.path("made")), "Link to": h.Link(ctx, good, bad),
			"Touch": h.Touch(ctx, bad), "Write": h.Write(ctx, bad, nil, 0o600),
			"Blank": h.Blank(ctx, bad, 10), "Copy": h.Copy(ctx, bad, h.path("made"), nil),
			"Copy to": h.Copy(ctx, good, bad, nil), "Put to": h.Put(ctx, good, bad, nil),
			"Get": h.Get(ctx, bad, h.path("made"), nil),
		} {
			if err == nil || workspace.KindOf(err) != workspace.Invalid {
				t.Errorf("%s of %q: %v, expected it to be refused", call, bad, err)
			}
		}
	}
	imagetest.Only(t, h.dir, "good")
}
