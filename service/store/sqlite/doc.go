// Package sqlite keeps the record in one SQLite file, for one daemon. All live
// resources are held in memory and written through: readers never touch the
// disk, and one writer commits whatever updates wait in one transaction.
//
// It must not know what the record means beyond workspace.Holds: it decides no
// state, no schedule and no delivery.
package sqlite
