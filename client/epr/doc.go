// Package epr reads and writes the files in which the original client keeps
// references to workspaces and groups, so that either client can use the
// other's files.
//
// A file is an XML document whose root, in no namespace, tells what the
// reference is to (WORKSPACE_EPR, WORKSPACE_GROUP_EPR) and whose content is an
// endpoint reference: of WS-Addressing 2004/03 for face one, of WS-Addressing
// 1.0 for face two; either is read. What it is to is decided by the
// key inside, not by the root, as the original does. The package knows neither
// the service nor its operations.
package epr
