// Package contract proves that what the service promises and what it takes are
// the same: it reads the WSDL that a running workspaced serves, as a stranger
// would, and asks for every operation in it, and for every one that is not.
//
// It must not know what an operation does.
package contract
