package sqlite

// An entry is what a layer of a table says of one key: a value, or that there
// is none any more.
type entry[V any] struct {
	value V
	there bool
}

// A table is one kind of resource in three layers: what is committed, what the
// current batch changes about it, and what the current update changes about
// that. An update is kept or dropped, a batch published or forgotten, as a
// whole. Values are shared and never changed in place.
type table[K comparable, V any] struct {
	base  map[K]V // nil: the committed rows are not held in memory
	batch map[K]entry[V]
	tx    map[K]entry[V]
}

// newTable returns a table whose committed rows are held in memory.
func newTable[K comparable, V any]() table[K, V] {
	return table[K, V]{make(map[K]V), make(map[K]entry[V]), make(map[K]entry[V])}
}

// get returns the value as the current update sees it.
func (t *table[K, V]) get(key K) (V, bool) {
	if e, ok := t.tx[key]; ok {
		return e.value, e.there
	}
	return t.under(key)
}

// under returns the value as it was when the current update began.
func (t *table[K, V]) under(key K) (V, bool) {
	if e, ok := t.batch[key]; ok {
		return e.value, e.there
	}
	v, ok := t.base[key]
	return v, ok
}

func (t *table[K, V]) put(key K, value V) { t.tx[key] = entry[V]{value, true} }

func (t *table[K, V]) remove(key K) { t.tx[key] = entry[V]{} }

// all calls yield for each value that the current update sees, in no order.
func (t *table[K, V]) all(yield func(K, V)) {
	for key, value := range t.base {
		_, inTx := t.tx[key]
		if _, inBatch := t.batch[key]; !inTx && !inBatch {
			yield(key, value)
		}
	}
	for key, e := range t.batch {
		if _, inTx := t.tx[key]; !inTx && e.there {
			yield(key, e.value)
		}
	}
	for key, e := range t.tx {
		if e.there {
			yield(key, e.value)
		}
	}
}

// A layered is a table, whatever it holds.
type layered interface {
	keep()
	drop()
	publish()
	forget()
	dirty() bool
}

// keep makes the update part of the batch.
func (t *table[K, V]) keep() {
	for key, e := range t.tx {
		t.batch[key] = e
	}
	clear(t.tx)
}

// drop takes the update back.
func (t *table[K, V]) drop() { clear(t.tx) }

// publish makes the batch the committed rows.
func (t *table[K, V]) publish() {
	if t.base != nil {
		for key, e := range t.batch {
			if e.there {
				t.base[key] = e.value
			} else {
				delete(t.base, key)
			}
		}
	}
	clear(t.batch)
}

// forget takes the batch back.
func (t *table[K, V]) forget() { clear(t.batch) }

// dirty reports whether the batch changes anything.
func (t *table[K, V]) dirty() bool { return len(t.batch) > 0 }
