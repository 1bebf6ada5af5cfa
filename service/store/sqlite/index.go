package sqlite

import (
	"cmp"
	"slices"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// An index holds the keys of each owner's committed workspaces, rising; those
// of everybody under the empty owner.
type index map[workspace.Owner][]workspace.ID

// shift accounts for a workspace that was from and is now to; either may be nil.
func (x index) shift(from, to *workspace.Workspace) {
	switch {
	case from == nil && to != nil:
		x[to.Owner] = insert(x[to.Owner], to.ID)
		x[""] = insert(x[""], to.ID)
	case from != nil && to == nil:
		x.remove(from.Owner, from.ID)
		x.remove("", from.ID)
	}
}

// remove takes the key out, and the owner with the last one.
func (x index) remove(owner workspace.Owner, id workspace.ID) {
	ids := x[owner]
	if i, found := slices.BinarySearch(ids, id); found {
		x[owner] = slices.Delete(ids, i, i+1)
	}
	if len(x[owner]) == 0 {
		delete(x, owner)
	}
}

// insert puts the key into the rising slice, unless it is there.
func insert[T cmp.Ordered](sorted []T, key T) []T {
	if n := len(sorted); n == 0 || sorted[n-1] < key {
		return append(sorted, key)
	}
	i, found := slices.BinarySearch(sorted, key)
	if found {
		return sorted
	}
	return slices.Insert(sorted, i, key)
}

// with returns a copy of the rising slice that holds the key.
func with[T cmp.Ordered](sorted []T, key T) []T {
	return insert(append(make([]T, 0, len(sorted)+1), sorted...), key)
}

// without returns a copy of the rising slice that does not hold the key.
func without[T cmp.Ordered](sorted []T, key T) []T {
	rest := make([]T, 0, len(sorted))
	for _, k := range sorted {
		if k != key {
			rest = append(rest, k)
		}
	}
	return rest
}
