# Shortens FILE, which others append to, to its last KEEP bytes and up to STEP more.
file=$1 keep=$2 step=$3
[ -f "$file" ] && [ ! -L "$file" ] || exit 0

# One at a time: hosts that share the directory each see the log as theirs to cut, and two
# that take the same bytes out would take twice as many. Who finds it locked leaves it.
exec 9<>"$file" || exit
flock -n -E 75 9
locked=$?
[ "$locked" = 75 ] && exit 0
[ "$locked" = 0 ] || exit "$locked"

size() { stat -c %s -- "$file"; }
end=$(size) || exit
cut=$(((end - keep) / step * step))
[ "$cut" -gt 0 ] || exit 0

# At once, and nothing is lost: ext4 and XFS. See fallocate(2), FALLOC_FL_COLLAPSE_RANGE.
fallocate --collapse-range --offset 0 --length "$cut" "$file" 2>/dev/null && exit

# Elsewhere the end is copied to the front, which needs no room on a full disk. What is
# said meanwhile is copied too; what is said between the last copy and the cut is lost.
copy() { # from $1 to $2
  dd if="$file" of="$file" bs=64K conv=notrunc iflag=skip_bytes,count_bytes \
    oflag=seek_bytes skip="$1" seek="$(($1 - cut))" count="$(($2 - $1))" status=none
}
from=$cut
for again in 1 2 3; do
  copy "$from" "$end" || exit
  from=$end
  end=$(size) || exit
  [ "$end" -gt "$from" ] || break
done
truncate -s "$((from - cut))" -- "$file"
