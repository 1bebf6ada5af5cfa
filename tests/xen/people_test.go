//go:build xen

package xen

import (
	"context"
	"fmt"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// types has a user type a line at the guest's console, and again where the guest has
// not answered it: who types by a pipe is not there any more when a busy host takes
// it up, and what was on its way is lost.
func (s *site) types(id workspace.ID, line, answer string) {
	s.t.Helper()
	heard := fmt.Sprintf("for n in 1 2 3 4 5 6 7 8 9; do grep -a -q -F '%s' "+
		"/var/log/xen/console/guest-workspace-%v.log && exit; sleep 2; done; exit 1", answer, id)
	eventually(s.t, "the guest answers "+answer, func(ctx context.Context) bool {
		s.keys("\n"+line+"\n", "console", "-e", "x.epr")
		_, err := host.Shell(ctx, heard)
		return err == nil
	})
}

// talks has a user talk to the guest, and read what it said.
func talks(s *site, id workspace.ID) {
	s.t.Helper()
	s.types(id, "anybody there", "heard anybody there")
	log := s.do("console", "-e", "x.epr", "--log")
	for _, words := range []string{"hello", "boot 1 of this disk", "heard anybody there"} {
		if !strings.Contains(log, words) {
			s.t.Errorf("the log lacks %q:\n%s", words, log)
		}
	}
}

// guarded has the guest take an address that was not leased to it. Nobody hears it
// there, until the guard is taken away behind the daemon's back.
func guarded(s *site, id workspace.ID, leased string) {
	s.t.Helper()
	const another, ping = "192.168.77.99", "busybox ping -c 3 -W 10 "
	shell(s.t, "%s", ping+leased)
	const take = "killall -9 udhcpc; ip address add " + another + "/24 dev eth0; " +
		"ip address show dev eth0 | grep " + another
	s.types(id, "do "+take, "did "+take+": 0")
	if out, err := host.Shell(s.t.Context(), ping+another); err == nil {
		s.t.Errorf("the guest is heard at an address of its own choice:\n%s", out)
	}
	const unguard = "nft list tables bridge | grep -o 'philoxenia_.*' | " +
		"while read -r table; do nft delete table bridge $table; done; "
	eventually(s.t, "the guest is heard there without its guard", func(ctx context.Context) bool {
		_, err := host.Shell(ctx, unguard+ping+another) // which the daemon may just have mended
		return err == nil
	})
	eventually(s.t, "the daemon guards it again", func(ctx context.Context) bool {
		_, err := host.Shell(ctx, ping+another)
		return err != nil && ctx.Err() == nil
	})
	shell(s.t, "%s", ping+leased)
}
