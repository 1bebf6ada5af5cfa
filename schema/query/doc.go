// Package query evaluates XPath 1.0 over documents, bounded so that nobody can
// burn the server's time: only the functions of the standard, expressions of a
// bounded length, and a bounded number of steps in the document.
//
// A Document is a compact reading of what an Encoder wrote: one array of nodes
// without pointers, names interned, results cut out of the text they came
// from. A Forest is many documents under one root, as a service group has
// them; each can be kept for as long as its resource does not change, so that
// asking ten thousand of them costs a walk and no building.
//
// It must not know what documents mean, nor which faults its errors become.
package query
