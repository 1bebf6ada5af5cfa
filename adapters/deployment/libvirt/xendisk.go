package libvirt

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// monitorPath is the socket at which the QEMU that serves a domain's disks answers
// Xen's own statistics (xentop): libxl's driver asks it for none, and limits none.
const monitorPath = "/run/xen/qmp-libxenstat-%d"

// monitor is a connection to such a QEMU, which has one at a time.
type monitor struct {
	conn net.Conn
	says *json.Decoder
}

// monitorOf connects to the QEMU of a domain in memory.
func (h *Host) monitorOf(ctx context.Context, domain int32) (*monitor, error) {
	conn, err := h.o.Access.Dial(ctx, "unix", fmt.Sprintf(monitorPath, domain))
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(callLimit))
	m := &monitor{conn, json.NewDecoder(bufio.NewReader(conn))}
	var greeting struct{ QMP any }
	if err = m.says.Decode(&greeting); err == nil {
		err = m.do("qmp_capabilities", nil, nil)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return m, nil
}

// do has QEMU carry out a command, and reads its answer. Errors: Conflict (QEMU refuses
// it), Transient (it does not answer, which says nothing of the command).
func (m *monitor) do(command string, arguments, answer any) error {
	err := json.NewEncoder(m.conn).Encode(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
	}{command, arguments})
	for err == nil {
		var said struct {
			Event  string          `json:"event"`
			Return json.RawMessage `json:"return"`
			Error  struct {
				Desc string `json:"desc"`
			} `json:"error"`
		}
		err = m.says.Decode(&said)
		switch {
		case err != nil || said.Event != "":
		case said.Return == nil:
			return workspace.Refuse(workspace.Conflict, "%s: %s", command, said.Error.Desc)
		case answer == nil:
			return nil
		default:
			return json.Unmarshal(said.Return, answer)
		}
	}
	return workspace.Refuse(workspace.Transient, "%s: its QEMU does not answer: %w", command, err)
}

// xenDisk is a disk as its QEMU tells of it.
type xenDisk struct {
	Node   string `json:"node-name"` // xvda-raw: the disk's name and its format
	Device string `json:"qdev"`
	Stats  struct {
		ReadBytes         int64 `json:"rd_bytes"`
		WrittenBytes      int64 `json:"wr_bytes"`
		ReadOperations    int64 `json:"rd_operations"`
		WrittenOperations int64 `json:"wr_operations"`
	} `json:"stats"`
}

// onXenDisks asks for the disks of a domain by their names, and does something with
// them as long as there is the connection.
func (h *Host) onXenDisks(
	ctx context.Context, domain int32, do func(*monitor, map[string]xenDisk) error,
) error {
	m, err := h.monitorOf(ctx, domain)
	if err != nil {
		return err
	}
	defer m.conn.Close()
	stop := context.AfterFunc(ctx, func() { m.conn.Close() })
	defer stop()
	var all []xenDisk
	if err := m.do("query-blockstats", nil, &all); err != nil {
		return err
	}
	disks := make(map[string]xenDisk, len(all))
	for _, d := range all {
		name, _, _ := strings.Cut(d.Node, "-")
		disks[name] = d
	}
	return do(m, disks)
}

// measureXenDisks counts what goes over the disks of these names. Where there is no
// way to their QEMU nothing is counted, and that is no error.
func (h *Host) measureXenDisks(
	ctx context.Context, d libvirt.Domain, names []string,
) ([]workspace.DiskReading, error) {
	readings := make([]workspace.DiskReading, len(names))
	if !h.sees() || len(names) == 0 {
		return readings, nil
	}
	err := h.onXenDisks(ctx, d.ID, func(_ *monitor, disks map[string]xenDisk) error {
		for i, name := range names {
			s := disks[name].Stats
			readings[i] = workspace.DiskReading{
				ReadBytes: s.ReadBytes, WrittenBytes: s.WrittenBytes,
				ReadOperations: s.ReadOperations, WrittenOperations: s.WrittenOperations}
		}
		return nil
	})
	if err != nil && (ctx.Err() != nil || workspace.KindOf(err) == workspace.Unavailable) {
		return nil, err
	}
	if err != nil {
		h.log.Debug("cannot count what disks do", "domain", d.Name, "error", err)
	}
	return readings, nil
}

// limitXenDisks holds the disks of a domain in memory to what stands in our element,
// all of them together: they are one group.
func (h *Host) limitXenDisks(ctx context.Context, m *machine, limit string, names []string) error {
	var mbps, iops int64
	if limit != "" {
		if _, err := fmt.Sscanf(limit, diskLimitForm, &mbps, &iops); err != nil {
			return workspace.Refuse(workspace.Internal, "the limit of disks %q: %w", limit, err)
		}
	}
	now, err := ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (libvirt.Domain, error) {
		return rpc.DomainLookupByUUID(m.domain.UUID)
	})
	if err != nil {
		return err
	}
	return h.onXenDisks(ctx, now.ID, func(q *monitor, disks map[string]xenDisk) error {
		for _, name := range names {
			err := q.do("block_set_io_throttle", map[string]any{"id": disks[name].Device,
				"group": now.Name, "bps": mbps << 20, "bps_rd": 0, "bps_wr": 0,
				"iops": iops, "iops_rd": 0, "iops_wr": 0}, nil)
			if err != nil {
				return fmt.Errorf("disk %s cannot be limited: %w", name, err)
			}
		}
		return nil
	})
}
