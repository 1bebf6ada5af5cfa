#!/bin/bash
# A bridge for private hosts, on a network 10.99.N.0/24 that nobody else has. Prints
# its name and N, and removes it when standard input ends.
set -eu
for n in $(seq 250); do
	if ip link add "phx$n" type bridge 2>/dev/null; then
		trap 'ip link del "phx$n"' EXIT
		ip addr add "10.99.$n.1/24" dev "phx$n"
		ip link set "phx$n" up
		echo "phx$n $n"
		cat >/dev/null
		exit
	fi
done
echo "all networks are taken" >&2
exit 1
