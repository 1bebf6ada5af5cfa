package message

import "sync"

// A cache remembers values by key, between one and two times as many as it is
// made for: when its young values are that many they become old, and the old
// ones that nobody asked for are forgotten.
type cache[K comparable, V any] struct {
	mu         sync.Mutex
	most       int
	young, old map[K]V
}

func newCache[K comparable, V any](most int) *cache[K, V] {
	return &cache[K, V]{most: most, young: make(map[K]V)}
}

// get returns the value of the key, made now if it is not remembered. Several
// goroutines may make the same value at once; one of them is kept. What could
// not be made is not remembered.
func (c *cache[K, V]) get(key K, make func() (V, error)) (V, error) {
	if v, ok := c.find(key); ok {
		return v, nil
	}
	v, err := make()
	if err == nil {
		c.put(key, v)
	}
	return v, err
}

func (c *cache[K, V]) find(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.young[key]
	if !ok {
		if v, ok = c.old[key]; ok {
			c.keep(key, v)
		}
	}
	return v, ok
}

func (c *cache[K, V]) put(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(key, v)
}

// keep puts a value among the young ones.
func (c *cache[K, V]) keep(key K, v V) {
	if len(c.young) >= c.most {
		c.old, c.young = c.young, make(map[K]V)
	}
	c.young[key] = v
}
