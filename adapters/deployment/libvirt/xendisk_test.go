package libvirt

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestMonitorThatHangsUp: what QEMU refuses is a verdict, and that it is gone is none.
func TestMonitorThatHangsUp(t *testing.T) {
	for answer, want := range map[string]workspace.Kind{
		"":                                 workspace.Transient,
		`{"ret`:                            workspace.Transient,
		`{"error": {"desc": "no device"}}`: workspace.Conflict,
	} {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			if _, err := bufio.NewReader(theirs).ReadString('\n'); err == nil {
				fmt.Fprint(theirs, answer)
			}
		}()
		m := &monitor{ours, json.NewDecoder(bufio.NewReader(ours))}
		err := m.do("block_set_io_throttle", nil, nil)
		if err == nil || kindOf(fmt.Errorf("disk xvda: %w", err)) != want {
			t.Errorf("%q: %v, want %v", answer, err, want)
		}
		ours.Close()
	}
}
