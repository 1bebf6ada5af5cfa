// Package ext4 writes files into the file system of a disk image that no guest
// uses, without mounting it: by e2fsprogs' debugfs. It serves raw images with an
// ext2, ext3 or ext4 file system, either over the whole image or as the only
// one in its partition table.
//
// It must not know why the files are written, and it never runs anything of
// what is in the image.
package ext4

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Customiser implements workspace.Customiser. Its zero value is ready.
//
// Files become mode 0644 and root's; missing directories on the way are made,
// mode 0755. Below a directory named .ssh files are 0600, and the directory
// itself becomes 0700. A symbolic link in a file's place is replaced, one on the
// way is followed, but only within the image.
type Customiser struct{}

var _ workspace.Customiser = Customiser{}

// Customise writes the files. It looks at what it wrote before it returns. The
// error has kind Invalid (a path that is not one, a format or file system that
// cannot be written to), NotFound (no image), NoResource (the file system is
// full) or Internal. After an error the image may hold some of the files.
func (Customiser) Customise(
	ctx context.Context, image, format string, files []workspace.File,
) error {
	if len(files) == 0 {
		return nil
	}
	if err := customise(ctx, image, format, files); err != nil {
		return &workspace.Error{Op: "write files into the image", Kind: kindOf(err),
			ID: filepath.Base(image), Err: err}
	}
	return nil
}

func customise(ctx context.Context, image, format string, files []workspace.File) error {
	if format != "raw" {
		return workspace.Refuse(workspace.Invalid,
			"files can be written into raw images alone, and this is %s: convert it, "+
				"or leave the files out", format)
	}
	for _, f := range files {
		if err := checkPath(f.Path); err != nil {
			return err
		}
	}
	offset, err := locate(image)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "customise-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := ctx.Err(); err != nil {
		return err
	}
	// From here on it is a matter of milliseconds, and a tool that is killed
	// half way leaves a broken file system: let it finish.
	s := &system{dir: dir, device: fmt.Sprintf("%s?offset=%d", image, offset)}
	return s.write(files)
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

// checkPath refuses what is not plainly the absolute path of a file: debugfs
// reads commands line by line, and .. says different things to different readers.
func checkPath(p string) error {
	const longest, longestName = 4000, 255
	bad := func(why string) error {
		return workspace.Refuse(workspace.Invalid, "%.80q is not the path of a file: %s", p, why)
	}
	switch {
	case !strings.HasPrefix(p, "/"):
		return bad("it does not begin with /")
	case len(p) > longest:
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

// system is the file system in the image, and a directory for our own files.
type system struct {
	dir    string
	device string
}

// write replays the journal, marks the file system unclean while it is being
// changed, so that the next try repairs what this one may leave, writes the
// files and looks at them.
func (s *system) write(files []workspace.File) error {
	if err := s.mend(); err != nil {
		return err
	}
	if _, _, err := s.debugfs([]string{"set_super_value state 0"}); err != nil {
		return err
	}
	complaints, err := s.writeAll(files)
	if err != nil {
		return err
	}
	if err := s.verify(files); err != nil {
		if isFull(complaints) {
			return workspace.Refuse(workspace.NoResource, "its file system is full: %v", err)
		}
		return fmt.Errorf("%w (debugfs said: %s)", err, strings.TrimSpace(complaints))
	}
	_, _, err = s.debugfs([]string{"set_super_value state 1"})
	return err
}

// isFull reports whether debugfs complained of a lack of space.
func isFull(complaints string) bool {
	return strings.Contains(complaints, "Could not allocate") ||
		strings.Contains(complaints, "o free space")
}

// mend replays the journal, and repairs a file system that was left unclean.
// A journal replayed by the guest later would undo what we write.
func (s *system) mend() error {
	const mended, rebooted = 1, 2 // bits of e2fsck's exit status that mean success
	out, err := exec.Command("e2fsck", "-p", s.device).CombinedOutput()
	var status *exec.ExitError
	if errors.As(err, &status) && status.ExitCode()&^(mended|rebooted) == 0 {
		return nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("e2fsck is missing, install e2fsprogs: %w", err)
	}
	if err != nil {
		return workspace.Refuse(workspace.Invalid, "its file system is damaged: %s",
			strings.TrimSpace(string(out)))
	}
	return nil
}

// writeAll writes the files in one go and returns debugfs' complaints.
func (s *system) writeAll(files []workspace.File) (string, error) {
	missing, err := s.missing(files)
	if err != nil {
		return "", err
	}
	var script []string
	for _, dir := range missing {
		script = append(script, "mkdir "+follow(dir))
	}
	for i, f := range files {
		source := filepath.Join(s.dir, fmt.Sprintf("in-%d", i))
		if err := os.WriteFile(source, []byte(f.Content), 0o600); err != nil {
			return "", err
		}
		script = append(script, commandsFor(f.Path, source)...)
	}
	_, complaints, err := s.debugfs(script)
	return complaints, err
}

// missing returns the directories that have to be made, parents first. They are
// looked for beforehand because debugfs' mkdir of what exists leaks an inode.
func (s *system) missing(files []workspace.File) ([]string, error) {
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
	said, _, err := s.debugfs(script)
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
func (s *system) verify(files []workspace.File) error {
	last := make(map[string]string)
	for _, f := range files {
		last[f.Path] = f.Content
	}
	for file, content := range last {
		if err := s.verifyFile(file, content); err != nil {
			return err
		}
	}
	return nil
}

func (s *system) verifyFile(file, content string) error {
	copied := filepath.Join(s.dir, "out")
	if err := os.RemoveAll(copied); err != nil {
		return err
	}
	said, _, err := s.debugfs([]string{
		"stat " + quote(file), "dump " + quote(file) + " " + quote(copied)})
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
	got, err := os.ReadFile(copied)
	if err != nil || string(got) != content {
		return fmt.Errorf("after writing, %q does not have its content", file)
	}
	return nil
}

// prompt is what debugfs puts before each command that it repeats.
const prompt = "debugfs: "

// debugfs runs commands and returns what it said to them, and its complaints
// apart. It goes on after a command that fails, and its exit status says
// nothing of them: look at the result.
func (s *system) debugfs(script []string) (said, complaints string, err error) {
	name := filepath.Join(s.dir, "commands")
	text := strings.Join(script, "\n") + "\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return "", "", err
	}
	var answers, errs strings.Builder
	tool := exec.Command("debugfs", "-w", "-f", name, s.device)
	tool.Stdout, tool.Stderr = &answers, &errs
	err = tool.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", "", fmt.Errorf("debugfs is missing, install e2fsprogs: %w", err)
	}
	if err != nil {
		return "", "", fmt.Errorf("debugfs: %w: %s", err, strings.TrimSpace(errs.String()))
	}
	return answers.String(), errs.String(), nil
}
