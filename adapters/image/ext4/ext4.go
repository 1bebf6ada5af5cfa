// Package ext4 writes files into the file system of a disk image that no guest
// uses, without mounting it: by e2fsprogs' debugfs, on the host where the image
// is. It serves images with an ext2, ext3 or ext4 file system, either over the
// whole image or as the only one in its partition table: raw ones, and where the
// host can show a qcow2 image as a raw file (see export.go) those too.
//
// It must not know why the files are written, and it never runs anything of
// what is in the image.
package ext4

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Customiser implements workspace.Customiser on one host.
//
// Files become mode 0644 and root's; missing directories on the way are made,
// mode 0755. Below a directory named .ssh files are 0600, and the directory
// itself becomes 0700. A symbolic link in a file's place is replaced, one on the
// way is followed, but only within the image.
type Customiser struct {
	Access workspace.Access // the way to the host
}

var _ workspace.Customiser = Customiser{}

// Customise writes the files. It looks at what it wrote before it returns. The
// error has kind Invalid (a path that is not one, a format or file system that
// cannot be written to), NotFound (no image), NoResource (the file system is
// full), Unavailable (the host is out of reach) or Internal. It is Lacking where the
// host cannot write into qcow2 images, and nothing happened. After an error the image
// may hold some of the files.
func (c Customiser) Customise(
	ctx context.Context, image, format string, files []workspace.File,
) error {
	if len(files) == 0 {
		return nil
	}
	if err := c.customise(ctx, image, format, files); err != nil {
		return &workspace.Error{Op: "write files into the image", Kind: kindOf(err),
			ID: filepath.Base(image), Err: err}
	}
	return nil
}

func (c Customiser) customise(
	ctx context.Context, image, format string, files []workspace.File,
) error {
	if format != "raw" && format != "qcow2" {
		return workspace.Refuse(workspace.Invalid,
			"files can be written into raw and qcow2 images alone, and this is %s: convert it, "+
				"or leave the files out", format)
	}
	for _, f := range files {
		if err := checkPath(f.Path); err != nil {
			return err
		}
	}
	if strings.Contains(image, "?") {
		return workspace.Refuse(workspace.Internal, "debugfs would misread the name of the image")
	}
	if _, err := c.Access.Stat(ctx, image); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// From here on it is a matter of milliseconds, and a tool that is killed
	// half way leaves a broken file system: let it finish.
	ctx = context.WithoutCancel(ctx)
	if format == "qcow2" {
		return c.exported(ctx, image, func(raw string) error {
			return c.writeInto(ctx, raw, files)
		})
	}
	return c.writeInto(ctx, image, files)
}

// writeInto writes the files into a raw image.
func (c Customiser) writeInto(
	ctx context.Context, image string, files []workspace.File,
) (err error) {
	offset, err := c.locate(ctx, image)
	if err != nil {
		return err
	}
	s := &system{access: c.Access, beside: image + ".file-",
		device: fmt.Sprintf("%s?offset=%d", image, offset)}
	defer func() { err = errors.Join(err, s.clean(ctx, len(files))) }()
	return s.write(ctx, files)
}

func kindOf(err error) workspace.Kind {
	var own *workspace.Error
	switch {
	case errors.As(err, &own):
		return own.Kind
	case errors.Is(err, fs.ErrNotExist):
		return workspace.NotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return workspace.Transient
	}
	return workspace.Internal
}

// longestLine is how long a command may be: debugfs reads BUFSIZ bytes at a time, 1024
// where the C library is musl, and takes what is left of a longer line for a command of
// its own. longestPath leaves room there for a path of the host and the rest.
const (
	longestLine = 1024 - 2 // without its end, and the end of C's text
	longestPath = 600      // quoted
)

// checkPath refuses what is not plainly the absolute path of a file: debugfs
// reads commands line by line, and .. says different things to different readers.
func checkPath(p string) error {
	const longestName = 255
	bad := func(why string) error {
		return workspace.Refuse(workspace.Invalid, "%.80q is not the path of a file: %s", p, why)
	}
	switch {
	case !strings.HasPrefix(p, "/"):
		return bad("it does not begin with /")
	case len(quote(p)) > longestPath:
		return bad("it is too long")
	case strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return bad("it contains a control character")
	case path.Clean(p) != p || p == "/":
		return bad("it is not in its shortest form, without . and .. and with a name at its end")
	}
	for name := range strings.SplitSeq(p[1:], "/") {
		if len(name) > longestName {
			return bad("a name in it is too long")
		}
	}
	return nil
}

// system is the file system in the image, and where our own files are, beside it.
type system struct {
	access workspace.Access
	beside string
	device string
}

// source is the file on the host that becomes the i-th file in the image.
func (s *system) source(i int) string { return fmt.Sprintf("%sin-%d", s.beside, i) }

// copied is the file on the host to which one of the image is read back.
func (s *system) copied() string { return s.beside + "out" }

// clean removes our own files.
func (s *system) clean(ctx context.Context, files int) error {
	gone := []string{s.copied(), s.complaints()}
	for i := range files {
		gone = append(gone, s.source(i))
	}
	return s.access.Remove(ctx, gone...)
}

// write replays the journal, marks the file system unclean while it is being
// changed, so that the next try repairs what this one may leave, writes the
// files and looks at them.
func (s *system) write(ctx context.Context, files []workspace.File) error {
	if err := s.mend(ctx); err != nil {
		return err
	}
	if _, err := s.debugfs(ctx, []string{"set_super_value state 0"}); err != nil {
		return err
	}
	if err := s.writeAll(ctx, files); err != nil {
		return err
	}
	complaints := s.complained(ctx)
	if err := s.verify(ctx, files); err != nil {
		if isFull(complaints) {
			return workspace.Refuse(workspace.NoResource, "its file system is full: %v", err)
		}
		return fmt.Errorf("%w (debugfs said: %s)", err, complaints)
	}
	_, err := s.debugfs(ctx, []string{"set_super_value state 1"})
	return err
}

// isFull reports whether debugfs complained of a lack of space.
func isFull(complaints string) bool {
	return strings.Contains(complaints, "Could not allocate") ||
		strings.Contains(complaints, "o free space")
}

// mend replays the journal, and repairs a file system that was left unclean.
// A journal replayed by the guest later would undo what we write. Of e2fsck's exit
// status two bits, 1 and 2, mean success; 127 is the shell's, for no e2fsck.
func (s *system) mend(ctx context.Context) error {
	const check = `e2fsck -p "$1" 2>&1; s=$?
if [ $s -eq 127 ]; then echo MISSING; elif [ $((s & ~3)) -ne 0 ]; then echo DAMAGED; fi`
	var out strings.Builder
	err := s.access.Run(ctx, workspace.Command{
		Args: []string{"sh", "-c", check, "sh", s.device}, Stdout: &out})
	said := strings.TrimSpace(out.String())
	switch {
	case err != nil:
		return err
	case strings.HasSuffix(said, "MISSING"):
		return errors.New("e2fsck is missing, install e2fsprogs")
	case strings.HasSuffix(said, "DAMAGED"):
		return workspace.Refuse(workspace.Invalid, "its file system is damaged: %s",
			strings.TrimSpace(strings.TrimSuffix(said, "DAMAGED")))
	}
	return nil
}

// writeAll writes the files in one go.
func (s *system) writeAll(ctx context.Context, files []workspace.File) error {
	missing, err := s.missing(ctx, files)
	if err != nil {
		return err
	}
	var script []string
	for _, dir := range missing {
		script = append(script, "mkdir "+follow(dir))
	}
	for i, f := range files {
		if err := s.access.Write(ctx, s.source(i), []byte(f.Content), 0o600); err != nil {
			return err
		}
		script = append(script, commandsFor(f.Path, s.source(i))...)
	}
	_, err = s.debugfs(ctx, script)
	return err
}

// missing returns the directories that have to be made, parents first. They are
// looked for beforehand because debugfs' mkdir of what exists leaks an inode.
func (s *system) missing(ctx context.Context, files []workspace.File) ([]string, error) {
	var dirs, script []string
	for _, f := range files {
		for _, dir := range ancestors(f.Path) {
			if !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
				script = append(script, "stat "+quote(dir+"/."))
			}
		}
	}
	if len(dirs) == 0 {
		return nil, nil
	}
	said, err := s.debugfs(ctx, script)
	if err != nil {
		return nil, err
	}
	answers := strings.Split("\n"+said, "\n"+prompt)[1:]
	if len(answers) != len(dirs) {
		return nil, fmt.Errorf("debugfs answered %d of %d questions", len(answers), len(dirs))
	}
	var missing []string
	for i, dir := range dirs {
		_, answer, _ := strings.Cut(answers[i], "\n") // what comes before is the question
		if !strings.Contains(answer, "Type: directory") {
			missing = append(missing, dir)
		}
	}
	return missing, nil
}

// ancestors lists the directories above a file, without the root.
func ancestors(file string) []string {
	var dirs []string
	for at, letter := range file {
		if letter == '/' && at > 0 {
			dirs = append(dirs, file[:at])
		}
	}
	return dirs
}

// commandsFor removes what is in the file's place and writes it. Write takes a
// name in the current directory; all else is told whole paths, so that where cd
// fails nothing but a stray file can come of it.
func commandsFor(file, source string) []string {
	var script []string
	dir, name := path.Split(file)
	if path.Base(dir) == ".ssh" {
		script = append(script, "set_inode_field "+quote(dir+".")+" mode 040700")
	}
	script = append(script, "cd /", "cd "+quote(dir+"."), "rm "+follow(file),
		"write "+quote(source)+" "+quote(name))
	for _, field := range []string{"uid 0", "gid 0", "mode 010" + modeOf(file)} {
		script = append(script, "set_inode_field "+follow(file)+" "+field)
	}
	return script
}

// follow quotes a path with a dot before its last name: without one, debugfs
// does not follow a link there, and takes the parent of /a to be the current
// directory.
func follow(file string) string {
	dir, name := path.Split(file)
	return quote(dir + "./" + name)
}

// modeOf is the mode that a file gets, in octal.
func modeOf(file string) string {
	if path.Base(path.Dir(file)) == ".ssh" {
		return "0600"
	}
	return "0644"
}

// quote makes one word of a debugfs command: in quotes, with quotes doubled.
func quote(word string) string { return `"` + strings.ReplaceAll(word, `"`, `""`) + `"` }

// verify reads back what was written: type, mode, owner and content. Of a path
// that comes twice, the last one counts.
func (s *system) verify(ctx context.Context, files []workspace.File) error {
	last := make(map[string]string)
	for _, f := range files {
		last[f.Path] = f.Content
	}
	for file, content := range last {
		if err := s.verifyFile(ctx, file, content); err != nil {
			return err
		}
	}
	return nil
}

func (s *system) verifyFile(ctx context.Context, file, content string) error {
	if err := s.access.Remove(ctx, s.copied()); err != nil {
		return err
	}
	said, err := s.debugfs(ctx, []string{
		"stat " + quote(file), "dump " + quote(file) + " " + quote(s.copied())})
	if err != nil {
		return err
	}
	words := strings.Join(strings.Fields(said), " ")
	for _, want := range []string{
		"Type: regular", "Mode: " + modeOf(file), "User: 0 ", "Group: 0 ",
	} {
		if !strings.Contains(words, want) {
			return fmt.Errorf("after writing, %q does not have %q", file, want)
		}
	}
	got, err := s.access.Read(ctx, s.copied(), int64(len(content)))
	if err != nil || string(got) != content {
		return fmt.Errorf("after writing, %q does not have its content", file)
	}
	return nil
}

// prompt is what debugfs puts before each command that it repeats.
const prompt = "debugfs: "

// debugfs runs commands and returns what it said to them; its complaints lie
// beside the image. It goes on after a command that fails, and its exit status
// says nothing of them: look at the result.
func (s *system) debugfs(ctx context.Context, script []string) (said string, err error) {
	for _, command := range script {
		if len(command) > longestLine {
			return "", workspace.Refuse(workspace.Internal,
				"the paths in %.40q... are too long for debugfs", command)
		}
	}
	var answers strings.Builder
	const tool = `command -v debugfs >/dev/null || { echo MISSING; exit; }
exec debugfs -w -f - "$1" 2>"$2"`
	err = s.access.Run(ctx, workspace.Command{
		Args:   []string{"sh", "-c", tool, "sh", s.device, s.complaints()},
		Stdin:  strings.NewReader(strings.Join(script, "\n") + "\n"),
		Stdout: &answers,
	})
	if err == nil && answers.String() == "MISSING\n" {
		return "", errors.New("debugfs is missing, install e2fsprogs")
	}
	return answers.String(), err
}

// complaints is the file on the host with what debugfs complained of last.
func (s *system) complaints() string { return s.beside + "said" }

// complained returns what debugfs complained of last.
func (s *system) complained(ctx context.Context) string {
	const most = 64 << 10
	text, err := s.access.Read(ctx, s.complaints(), most)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}
