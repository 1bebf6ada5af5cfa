package config

import "path/filepath"

// Demo is the configuration of workspaced --demo: simulated hosts with room
// for 20,000 workspaces of 256 MB, two address pools of as many addresses, a
// fixed caller, and loopback consumers allowed.
func Demo(data string) *Config {
	c := &Config{
		Data:   data,
		Listen: Listen{Address: "127.0.0.1:8080", Caller: "/O=Philoxenia/OU=Demo/CN=Guest"},
		Notify: Notify{AllowLoopback: true},
		Hosts: []Host{{
			ID: "sim", Adapter: "sim", VMM: "KVM", Count: 100, CPUs: 512, MemoryMB: 52 << 10,
			Dir: filepath.Join(data, "disks"),
		}},
		Networks: []Network{
			demoNetwork("private", "172.20"), demoNetwork("public", "10.9"),
		},
	}
	c.Site.Accepts = map[string][]string{"Xen": {"Xen", "KVM"}, "KVM": {"KVM"}}
	c.Site.DefaultDuration, c.Site.Concurrency = Duration(3600e9), 16
	c.Site.KernelParameters, c.Site.StatusDetails = true, true
	// Simulated hosts are quick, and who tries them out does not want to wait.
	c.Scheduler.Boot, c.Scheduler.Shutdown = Duration(2e9), Duration(1e9)
	c.complete()
	return c
}

func demoNetwork(name, prefix string) Network {
	return Network{
		Name: name, First: prefix + ".1.1", Last: prefix + ".86.254", Netmask: "255.255.0.0",
		Gateway: prefix + ".0.254", Broadcast: prefix + ".255.255", Hostname: name + "-%d",
	}
}
