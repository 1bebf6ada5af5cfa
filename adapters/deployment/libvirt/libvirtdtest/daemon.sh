#!/bin/bash
# One private libvirtd: a hypervisor host of its own, for tests and for the
# demonstration. It has its own mounts, network, processes and host name, so it
# needs no libvirtd of the system and disturbs none; everything in it ends when
# this script does, guests included. Run as root:
#
#   daemon.sh DIRECTORY
#
# The socket is DIRECTORY/run/libvirt-sock. Programs in DIRECTORY/bin, if there
# are any, go before those of the system. Where there is a file DIRECTORY/lan, the
# host has a place on a bridge of the machine and is reached over it too: the file
# sets name and address of the host, bridge, and port, the name of its end at the
# bridge; beside it stand hosts (for /etc/hosts), pki (for /etc/pki) and sshd_config.
# Standard input takes commands, one
# a line, each answered by a line: kill, stop, cont and start (the daemon, by
# signals), and sh COMMAND (run inside, its output before the answer). The
# command quit and the end of input are the end of all.
set -eu

dir=$1
name=$(basename "$dir")
address= bridge= port=
[ ! -f "$dir/lan" ] || . "$dir/lan"
root=/sys/fs/cgroup
group=libvirtd-$name-$(basename "$dir")-$$
controllers="cpu cpuacct memory"

# outside makes control groups that no other private libvirtd shares, and goes
# inside. They are a version 1 affair: on version 2 machines get no shares.
outside() {
	local c
	exec 9</proc/self/ns/net # the machine's own network, for join
	for c in $controllers; do
		[ -d $root/$c ] || continue
		mkdir -p "$root/$c/$group"
		echo $$ >"$root/$c/$group/cgroup.procs"
	done
	unshare --mount --net --uts --ipc --cgroup --pid --fork --kill-child \
		--propagation private "$0" "$dir" inside || true
	for c in $controllers; do
		[ -d "$root/$c/$group" ] || continue
		echo $$ >"$root/$c/cgroup.procs"
		leave "$root/$c/$group"
	done
}

# leave removes a control group. Processes that have ended may be in it for a moment
# yet, until the kernel is done with them.
leave() {
	local tries
	for tries in $(seq 100); do
		find "$1" -depth -type d -exec rmdir {} + 2>/dev/null && return
		sleep 0.1
	done
	find "$1" -depth -type d -exec rmdir {} +
}

# The directories of a libvirtd that root runs are fixed: mount ours over them. A
# lock there names a process, which is another one for each private libvirtd.
# The system's control groups must go, not only be covered: libvirtd would find
# them in the list of mounts.
mounts() {
	local pair c
	umount -R /sys
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t tmpfs tmpfs $root
	for c in $controllers; do
		mkdir $root/$c
		mount -t cgroup -o $c cgroup $root/$c || rmdir $root/$c
	done
	for pair in etc:/etc/libvirt lib:/var/lib/libvirt run:/run/libvirt \
		cache:/var/cache/libvirt log:/var/log/libvirt lock:/var/lock; do
		mkdir -p "$dir/${pair%%:*}" "${pair#*:}"
		mount --bind "$dir/${pair%%:*}" "${pair#*:}"
	done
}

# join takes the host's place on the bridge. It goes when the network does, which is
# when the kernel comes to it: the place of a host that is no more may still be there.
join() {
	local machine="nsenter --net=/proc/self/fd/9"
	$machine ip link del "$port" 2>/dev/null || true
	$machine ip link add "$port" type veth peer name eth0 netns $$
	$machine ip link set "$port" master "$bridge" up
	ip addr add "$address/24" dev eth0
	ip link set eth0 up
	ip route add default via "${address%.*}.1"
	mount --bind "$dir/hosts" /etc/hosts
	mkdir -p /etc/pki /run/sshd
	mount --bind "$dir/pki" /etc/pki
	/usr/sbin/sshd -D -f "$dir/sshd_config" -E "$dir/log/sshd.log" </dev/null >/dev/null &
}

listen() {
	cat <<-END
		listen_addr = "$address"
		listen_tcp = 1
		listen_tls = 1
		auth_tcp = "none"
		auth_tls = "none"
		ca_file = "/etc/pki/CA/cacert.pem"
		cert_file = "/etc/pki/libvirt/servercert.pem"
		key_file = "/etc/pki/libvirt/private/serverkey.pem"
	END
}

configure() {
	mkdir -p "$dir/etc/qemu"
	cat >"$dir/etc/libvirtd.conf" <<-END
		auth_unix_rw = "none"
		auth_unix_ro = "none"
		unix_sock_rw_perms = "0700"
		host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
		max_clients = 500
		max_client_requests = 100
		log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
	END
	[ -z "$address" ] || listen >>"$dir/etc/libvirtd.conf"
	cat >"$dir/etc/qemu.conf" <<-END
		user = "root"
		group = "root"
		dynamic_ownership = 0
		remember_owner = 0
		security_driver = "none"
		namespaces = []
		stdio_handler = "file"
		vnc_listen = "127.0.0.1"
	END
}

daemon=
start() {
	PATH=$dir/bin:$PATH libvirtd ${address:+--listen} --config /etc/libvirt/libvirtd.conf --pid-file /run/libvirt/libvirtd.pid \
		</dev/null >/dev/null &
	daemon=$!
}

obey() {
	case $1 in
	kill) kill -KILL $daemon && wait $daemon ;;
	stop) kill -STOP $daemon ;;
	cont) kill -CONT $daemon ;;
	start) start ;;
	"sh "*) bash -c "${1#sh }" </dev/null ;;
	*) echo "no command $1" ;;
	esac 2>&1 || true
}

inside() {
	mounts
	configure
	hostname "$name"
	ip link set lo up
	[ -z "$address" ] || join
	echo 1 >/proc/sys/net/ipv4/ip_forward
	start
	while read -r line && [ "$line" != quit ]; do
		obey "$line"
		echo done
	done
}

if [ "${2:-}" = inside ]; then inside; else outside; fi
