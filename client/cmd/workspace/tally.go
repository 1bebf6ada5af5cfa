package main

import (
	"context"
	"errors"
	"fmt"
)

// A partial is the error of a command over several things some of which
// failed. Each failure was told when it happened, so this one is only a code.
type partial struct {
	failed, of int
	first      error
}

// Error counts the failures.
func (p *partial) Error() string {
	return fmt.Sprintf("%d of %d failed: %v", p.failed, p.of, p.first)
}

// Unwrap returns the first failure.
func (p *partial) Unwrap() error { return p.first }

// exitCode is the common failure's code when all failed, else exitPartial.
func (p *partial) exitCode() int {
	if p.failed == p.of {
		return exitCode(p.first)
	}
	return exitPartial
}

// each does the same for several things, goes on after a failure and tells of
// it. One thing's failure is returned as it is; of several, a *partial.
func each[T any](a *app, all []T, do func(T) error) error {
	var failed []error
	for _, one := range all {
		err := do(one)
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil && len(all) > 1 {
			printError(a.err, a.advise(err), a.form, a.settings.text("service"))
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	if len(all) == 1 {
		return failed[0]
	}
	return &partial{failed: len(failed), of: len(all), first: failed[0]}
}

// A list is the view of several things.
type list[E any] interface {
	~[]E
	view
}

// showEach makes the view of each of several things, as each does it, and prints them.
func showEach[L list[E], T, E any](a *app, all []T, do func(T) (E, error)) error {
	views := L{}
	failure := each(a, all, func(one T) error {
		v, err := do(one)
		if err != nil {
			return err
		}
		a.keep()
		views = append(views, v)
		return nil
	})
	return present(a, views, failure)
}

// present prints what went well, unless nothing did, and returns what did not.
func present[L list[E], E any](a *app, views L, failure error) error {
	if len(views) == 0 && failure != nil {
		return failure
	}
	if err := a.print(views); err != nil {
		return err
	}
	return failure
}

// keys returns the key of each.
func keys[E any](all []E, key func(E) string) []string {
	var found []string
	for _, one := range all {
		found = append(found, key(one))
	}
	return found
}
