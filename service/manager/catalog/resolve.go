package catalog

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/library"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// attested is the condition that a strict site adds.
const attested = "attested by a signer whom the site trusts"

// Resolve returns the entry that a request means by a location; nil, where it is a
// place and the site takes places. Errors have kind Invalid (it cannot be read),
// NotFound (nothing fits, with a *library.Unfit) or Denied (what fits is not attested).
func (c *Catalog) Resolve(
	ctx context.Context, need workspace.ImageNeeds,
) (*workspace.Image, error) {
	if !library.IsReference(need.Location) {
		return c.vouched(ctx, need)
	}
	q, err := library.Want(need.Location)
	if err != nil {
		return nil, err
	}
	seen, err := c.entries(ctx, need.Owner)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(need.Location[len(library.Scheme):], "?") {
		meant := shelved(q.Find(seen).Found)
		if len(meant) > 0 { // else the reason is to be told of all
			seen = meant
		}
	}
	c.demand(q, need)
	found := q.Find(seen)
	best, err := found.Best()
	if err != nil && unattested(found) {
		return nil, workspace.Refuse(workspace.Denied, "this site takes attested images only: %w",
			errors.Unwrap(err))
	}
	return best.Image, err
}

// demand adds what the request and the site want besides.
func (c *Catalog) demand(q *library.Query, need workspace.ImageNeeds) {
	if need.Architecture != "" {
		q.And("for the request's architecture "+need.Architecture, func(e *library.Entry) bool {
			return library.Runs(e.Architecture, need.Architecture)
		})
	}
	if need.VMM != "" {
		q.And("for the request's VMM "+need.VMM, func(e *library.Entry) bool {
			return slices.Contains(e.VMMs, need.VMM)
		})
	}
	q.And("with a checksum, which `workspace image verify` computes",
		func(e *library.Entry) bool { return e.SHA256 != "" })
	q.And("found as described when it was last verified",
		func(e *library.Entry) bool { return e.Check.Fault == "" })
	if c.options.Strict {
		q.And(attested, func(e *library.Entry) bool { return len(e.Signers) > 0 })
	}
}

// unattested reports whether the lack of attestations is what keeps entries out.
func unattested(r library.Result) bool {
	return slices.ContainsFunc(r.Excluded, func(x library.Exclusion) bool {
		return x.Condition == attested && x.Alone > 0
	})
}

// vouched returns the attested entry of a place, which a strict site wants: the
// checksum that was attested is the one that will be required.
func (c *Catalog) vouched(
	ctx context.Context, need workspace.ImageNeeds,
) (*workspace.Image, error) {
	if !c.options.Strict {
		return nil, nil
	}
	seen, err := c.entries(ctx, need.Owner)
	if err != nil {
		return nil, err
	}
	library.Rank(seen)
	for _, e := range seen {
		if e.Location == need.Location && len(e.Signers) > 0 && e.Check.Fault == "" {
			return e.Image, nil
		}
	}
	return nil, workspace.Refuse(workspace.Denied, "this site takes attested images only, and "+
		"the library has no entry of %q that is %s; `workspace image find verified=true` lists "+
		"what it has", need.Location, attested)
}
