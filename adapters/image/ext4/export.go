package ext4

import (
	"bufio"
	"context"
	"io"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// exportScript shows a qcow2 image ($1, commas doubled) as the raw file $2, as
// long as its input is open: should we die, so does our end of it. Its last word
// is GONE, whatever happened.
const exportScript = `set -e
pid="$2.pid"
trap 'rm -f "$2" "$pid"; echo GONE' EXIT
: > "$2"
qemu-storage-daemon --daemonize --pidfile "$pid" \
  --blockdev "driver=file,node-name=file,filename=$1" \
  --blockdev driver=qcow2,node-name=disk,file=file \
  --export "type=fuse,id=raw,node-name=disk,writable=on,mountpoint=$3"
echo READY
cat > /dev/null
daemon=$(cat "$pid")
kill "$daemon"
while [ -e "$pid" ] && kill -0 "$daemon" 2>/dev/null; do sleep 0.02; done`

// exported shows the qcow2 image as a raw file of the host while use runs, by
// qemu-storage-daemon and FUSE. What is written there is in the image when it
// returns. Lacking: the host has no means for it, and use was not called.
func (c Customiser) exported(ctx context.Context, image string, use func(raw string) error) error {
	raw := image + ".file-raw"
	in, hold := io.Pipe()
	out, said := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := c.Access.Run(ctx, workspace.Command{
			Args: []string{"sh", "-c", exportScript, "sh",
				strings.ReplaceAll(image, ",", ",,"), raw, strings.ReplaceAll(raw, ",", ",,")},
			Stdin: in, Stdout: said,
		})
		in.Close()
		said.CloseWithError(io.EOF)
		ended <- err
	}()
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "READY" {
		hold.Close()
		return noExport(<-ended)
	}
	failed := use(raw)
	hold.Close()
	gone := lines.Scan() && lines.Text() == "GONE"
	for lines.Scan() { // the program may not be held up
	}
	err := <-ended
	switch {
	case failed != nil:
		return failed
	case err != nil:
		return err
	case !gone:
		return workspace.Refuse(workspace.Internal, "qemu-storage-daemon did not end as it should")
	}
	return nil
}

// noExport says why the image cannot be shown. One that is in use, by an earlier
// try that is still ending, can be soon, and so can one of a host that was lost.
func noExport(err error) error {
	if err == nil {
		return workspace.Lacks("qemu-storage-daemon shows nothing")
	}
	if k := workspace.KindOf(err); k == workspace.Unavailable || k == workspace.Transient {
		return err
	}
	switch text := err.Error(); {
	case strings.Contains(text, "Failed to get"): // a lock
		return workspace.Refuse(workspace.Transient, "the disk is in use: %w", err)
	case strings.Contains(text, "not in qcow2 format"):
		return workspace.Refuse(workspace.Invalid, "%w", err)
	}
	return workspace.Lacks("qemu-storage-daemon cannot show it as a raw file: %w", err)
}
