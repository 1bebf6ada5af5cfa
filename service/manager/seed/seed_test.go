package seed

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func told(way Way) *Seeds {
	return &Seeds{Way: func(*workspace.Workspace) Way { return way },
		DNS: map[string]string{"public": "10.9.0.53"}}
}

func guest() *workspace.Workspace {
	return &workspace.Workspace{ID: 7, Created: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC),
		Spec: workspace.Spec{UserData: "#cloud-config\nruncmd: [echo hi]\n",
			Files: []workspace.File{{Path: "/root/.ssh/authorized_keys",
				Content: "# mine\nssh-ed25519 AAAA ada@\"x\": [\n"}}},
		NICs: []workspace.NIC{
			{Association: "public", MAC: "A2:AA:BB:09:00:05", MTU: 1450, Address: workspace.Address{
				Hostname: "node5", IP: "10.9.0.5", Netmask: "255.255.255.0", Gateway: "10.9.0.254",
				IP6: "2001:db8::5", Prefix6: 64, Gateway6: "2001:db8::1"}},
			{Association: "private", MAC: "A2:AA:CC:09:00:06",
				Address: workspace.Address{IP: "172.20.0.6"}},
		}}
}

// TestDiskIsReadByOthers has programs that we did not write read the volume.
func TestDiskIsReadByOthers(t *testing.T) {
	w := guest()
	disk := filepath.Join(t.TempDir(), "seed.iso")
	if err := os.WriteFile(disk, told(NoCloud).Disk(w), 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, "blkid", "-o", "export", disk)
	if !strings.Contains(out, "LABEL=cidata\n") || !strings.Contains(out, "TYPE=iso9660\n") {
		t.Errorf("blkid finds %s", out)
	}
	read := func(name string) string { return run(t, "isoinfo", "-J", "-x", "/"+name, "-i", disk) }
	if got := read("user-data"); got != w.Spec.UserData {
		t.Errorf("the user's data is %q", got)
	}
	var meta map[string]any
	decode(t, read("meta-data"), &meta)
	want := map[string]any{"instance-id": "philoxenia-7-10-9-0-5-172-20-0-6",
		"local-hostname": "node5", "public-keys": []any{`ssh-ed25519 AAAA ada@"x": [`}}
	if diff := cmp.Diff(want, meta); diff != "" {
		t.Errorf("meta-data (-want +got):\n%s", diff)
	}
	var network map[string]any
	decode(t, read("network-config"), &network)
	ethernets := map[string]any{
		"eth0": map[string]any{
			"match":     map[string]any{"macaddress": "a2:aa:bb:09:00:05"},
			"addresses": []any{"10.9.0.5/24", "2001:db8::5/64"}, "gateway4": "10.9.0.254",
			"mtu": 1450.0, "gateway6": "2001:db8::1",
			"nameservers": map[string]any{"addresses": []any{"10.9.0.53"}}},
		"eth1": map[string]any{"match": map[string]any{"macaddress": "a2:aa:cc:09:00:06"},
			"dhcp4": true},
	}
	if diff := cmp.Diff(map[string]any{"version": 2.0, "ethernets": ethernets}, network); diff !=
		"" {
		t.Errorf("network-config (-want +got):\n%s", diff)
	}
	if out := run(t, "isoinfo", "-l", "-i", disk); strings.Count(out, "FILE") != 3 {
		t.Errorf("the short names are %s", out)
	}
	if string(told(NoCloud).Disk(w)) != string(told(NoCloud).Disk(guest())) {
		t.Error("the same workspace got another seed")
	}
}

func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func decode(t *testing.T, text string, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), to); err != nil {
		t.Errorf("%v: %s", err, text)
	}
}

func TestParameters(t *testing.T) {
	got := told(Kernel).Parameters(guest())
	want := "philoxenia.hostname=node5 " +
		"ip=10.9.0.5::10.9.0.254:255.255.255.0:node5:eth0:off:10.9.0.53 " +
		"philoxenia.ip6=eth0,2001:db8::5/64,2001:db8::1 philoxenia.mtu=eth0,1450 " +
		"ip=:::::eth1:dhcp " +
		"philoxenia.key=c3NoLWVkMjU1MTkgQUFBQSBhZGFAIngiOiBb"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFiles(t *testing.T) {
	files := told(Ext4).Files(guest())
	want := "auto lo\niface lo inet loopback\n\n" +
		"auto eth0\niface eth0 inet static\n\taddress 10.9.0.5\n\tnetmask 255.255.255.0\n" +
		"\tgateway 10.9.0.254\n\tmtu 1450\n\tdns-nameservers 10.9.0.53\n" +
		"iface eth0 inet6 static\n\taddress 2001:db8::5\n\tnetmask 64\n" +
		"\tgateway 2001:db8::1\n\n" +
		"auto eth1\niface eth1 inet dhcp\n"
	if len(files) != 2 || files[0].Content != "node5\n" || files[1].Content != want {
		t.Errorf("%+v, want\n%s", files, want)
	}
	own := guest()
	own.Spec.Files = append(own.Spec.Files, workspace.File{Path: "/etc/hostname", Content: "x"})
	if files := told(Ext4).Files(own); len(files) != 1 {
		t.Errorf("the request's own file is replaced: %+v", files)
	}
}

// TestWays: each guest is told in one way alone.
func TestWays(t *testing.T) {
	plain := guest()
	plain.Spec.UserData = ""
	for _, tt := range []struct {
		way  Way
		w    *workspace.Workspace
		want [3]bool
	}{
		{Auto, guest(), [3]bool{true, false, false}}, {Auto, plain, [3]bool{}},
		{NoCloud, plain, [3]bool{true, false, false}}, {Kernel, guest(), [3]bool{false, true,
			false}},
		{Ext4, guest(), [3]bool{false, false, true}}, {None, guest(), [3]bool{}},
	} {
		s := told(tt.way)
		got := [3]bool{s.Disk(tt.w) != nil, s.Parameters(tt.w) != "", s.Files(tt.w) != nil}
		if got != tt.want {
			t.Errorf("%q: disk, parameters, files: %v, want %v", tt.way, got, tt.want)
		}
	}
}
