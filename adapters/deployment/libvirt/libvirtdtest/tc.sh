#!/bin/sh
# Stands before tc where the kernel lacks the schedulers that libvirt uses for
# bandwidth (sch_sfq, cls_fw, act_police): it asks for the same rates by others.
line="$*"
case "$line" in
*" sfq "*) set -- $(echo "$line" | sed 's/ sfq .*/ pfifo/') ;;
*" fw "*) exit 0 ;; # the default class has everything already
*"police rate"*)
	word() { echo "$line" | sed "s/.* $1 \([^ ]*\).*/\1/"; }
	dev=$(word dev)
	other=ifb$(echo "$dev" | tr -dc 0-9)
	ip link add "$other" type ifb 2>/dev/null
	ip link set "$other" up
	tc=/usr/sbin/tc
	$tc qdisc replace dev "$other" root tbf rate "$(word rate)" burst "$(word burst)" latency 50ms
	set -- filter add dev "$dev" parent ffff: protocol all u32 match u32 0 0 \
		action mirred egress redirect dev "$other"
	;;
esac
exec /usr/sbin/tc "$@"
