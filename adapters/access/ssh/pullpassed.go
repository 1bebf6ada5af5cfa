package ssh

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// orphaned has a shell's program end, with all that it started, when its standard
// input does: when nobody is there any more who wanted it. That input is then at
// number 5.
const orphaned = `exec 5<&0 </dev/null
{ cat <&5; kill -9 0; } >/dev/null 2>&1 &
`

// passing runs on the host that gives: it prints a file that is coming there, as it
// comes, from an offset to its size. It ends when the file is removed, or does
// not grow for a minute. Its arguments: the size, the offset, the names that the file may
// have: half made, whole, and later.
const passing = orphaned + `size=$1 at=$2 idle=0 name=; shift 2
until [ "$name" ]; do
  for name in "$@" ''; do
    { command exec 3<"$name"; } 2>/dev/null && break
  done
  [ "$name" ] && break
  [ $((idle += 1)) -lt 300 ] || { echo "nothing of the image comes there" >&2; exit 3; }
  sleep 0.2
done
dd bs=1 skip="$at" count=0 status=none <&3 || exit 1
while [ "$at" -lt "$size" ]; do
  state=$(stat -L -c '%s %h' /dev/fd/3) || exit 1
  if [ "${state#* }" = 0 ]; then echo "the image does not come there any more" >&2; exit 3; fi
  end=${state% *}
  if [ "$end" -gt "$at" ]; then
    dd bs=256K count=$((end - at)) iflag=count_bytes,fullblock status=none <&3 || exit 1
    at=$end idle=0
  fi
  [ $((idle += 1)) -lt 600 ] || { echo "the image does not go on coming there" >&2; exit 3; }
  [ "$at" -ge "$size" ] || sleep 0.1
done
`

// taking runs on the host that takes: it puts what a command prints behind what there
// is of a file, and prints the checksum of all of it. Its arguments: the
// half-made file, how much there is of it, the command.
const taking = orphaned + `part=$1 there=$2; shift 2
exec 3>&1
failed=$({
  { head -c "$there" -- "$part" &&
    { "$@" <&5 || echo $? >&4; } | tee -a --output-error=exit -- "$part" || echo 1 >&4
  } 3>&- | sha256sum >&3 4>&-
} 4>&1)
[ -z "$failed" ] || exit "${failed%%[!0-9]*}"
`

// fetchPassed has the host take the file from another host over ssh, with its
// checksum computed as it passes.
func (g *puller) fetchPassed(ctx context.Context) error {
	if g.Source.Scheme != "sftp" || g.Size <= 0 || g.SHA256 == "" {
		return transfer.Invalid("only a file of another host, of known size and checksum, " +
			"can be taken while it comes there")
	}
	host, port, err := net.SplitHostPort(g.Source.Address)
	if err != nil {
		return transfer.Invalid("%w", err)
	}
	if err := g.trust(strings.Join(g.Source.HostKeys, "\n") + "\n"); err != nil {
		return err
	}
	names := append([]string{g.Source.Path + transfer.Suffix, g.Source.Path}, g.Becomes...)
	give := "exec " + Quote(append([]string{"sh", "-c", passing, "sh", fmt.Sprint(g.Size),
		fmt.Sprint(g.offset)}, names...)...)
	args := append([]string{"sh", "-c", taking, "sh", g.part, fmt.Sprint(g.offset),
		"ssh", "-T", "-p", port}, g.settings()...)
	args = append(args, "--", g.Source.User+"@"+host, give)
	stay, leave := io.Pipe() // until we are through with it, or gone
	defer leave.Close()
	var said bytes.Buffer
	err = g.byAgent(ctx, workspace.Command{Args: args, Stdin: stay, Stdout: &said})
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(said.String(), " ")
	g.passed, err = checksum.Normal(first)
	return err
}
