package transfer

import "sync"

// bufferBytes is large enough that the calls to read and write cost little.
const bufferBytes = 1 << 20

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferBytes); return &b }}

// Buffer lends a buffer of 1 MiB.
func Buffer() *[]byte { return buffers.Get().(*[]byte) }

// Recycle takes a lent buffer back.
func Recycle(b *[]byte) { buffers.Put(b) }
