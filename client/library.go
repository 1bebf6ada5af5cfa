package client

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/library"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// imagesTwo is the service of the image library, which face two alone has.
const imagesTwo = "Images"

// aboutImage asks the image library something that is answered with an entry.
func (c *Client) aboutImage(
	ctx context.Context, op, operation string, body func(*xmlstrict.Encoder),
) (*library.Entry, error) {
	a, err := c.call(ctx, request{
		op: op, operation: operation, target: c.service("", imagesTwo), body: body,
	})
	if err != nil {
		return nil, err
	}
	e, err := library.DecodeEntry(a.doc, a.body)
	return e, unreadable(op, err)
}

// AddImage adds an entry to the image library. The service asks the repository about
// the image first, which fills in what the description leaves out. Only face two has
// the library.
func (c *Client) AddImage(ctx context.Context, a library.Addition) (*library.Entry, error) {
	return c.aboutImage(ctx, "add the image "+a.Name+":"+a.Version, "AddImage", a.Write)
}

// ChangeImage tags an entry, takes tags off it, or attaches an attestation.
func (c *Client) ChangeImage(ctx context.Context, ch library.Change) (*library.Entry, error) {
	return c.aboutImage(ctx, "change the image "+ch.Reference, "ChangeImage", ch.Write)
}

// LibraryImage reads an entry: NAME, NAME:VERSION or NAME:TAG.
func (c *Client) LibraryImage(ctx context.Context, reference string) (*library.Entry, error) {
	return c.aboutImage(ctx, "show the image "+reference, "GetImage",
		func(enc *xmlstrict.Encoder) {
			library.WriteReference(enc, library.GetImage, reference)
		})
}

// VerifyImage has the service read the whole image and compare its checksum; while it
// does the entry has a Reading, and LibraryImage tells how far it is.
func (c *Client) VerifyImage(ctx context.Context, reference string) (*library.Entry, error) {
	return c.aboutImage(ctx, "verify the image "+reference, "VerifyImage",
		func(enc *xmlstrict.Encoder) {
			library.WriteReference(enc, library.VerifyImage, reference)
		})
}

// RemoveImage removes an entry; the image stays in its repository.
func (c *Client) RemoveImage(ctx context.Context, reference string) error {
	_, err := c.call(ctx, request{
		op: "remove the image " + reference, operation: "RemoveImage",
		target: c.service("", imagesTwo),
		body: func(enc *xmlstrict.Encoder) {
			library.WriteReference(enc, library.RemoveImage, reference)
		},
	})
	return err
}

// FindImages finds entries by what is needed, the best first; an empty query finds
// all that the caller can see.
func (c *Client) FindImages(ctx context.Context, query string) (*library.Result, error) {
	const op = "find images"
	a, err := c.call(ctx, request{
		op: op, operation: "QueryImages", target: c.service("", imagesTwo),
		body: func(enc *xmlstrict.Encoder) { library.WriteQuery(enc, query) },
	})
	if err != nil {
		return nil, err
	}
	r, err := library.DecodeResult(a.doc, a.body)
	return r, unreadable(op, err)
}
