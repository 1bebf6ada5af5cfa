package client

import (
	"fmt"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// ParseRequest makes a request of the documents that users keep in files:
// workspace metadata, and a deployment request. The error names the document,
// and the line in it.
func ParseRequest(described, wanted []byte) (Request, error) {
	var r Request
	var err error
	if r.Metadata, err = parse("workspace metadata", described, metadata.Decode); err != nil {
		return r, err
	}
	r.Deployment, err = parse("deployment request", wanted, deployment.Decode)
	return r, err
}

// parse reads one document.
func parse[T any](
	name string, data []byte, decode func(*xmlstrict.Document, *etree.Element) (*T, error),
) (*T, error) {
	doc, err := xmlstrict.Parse(data, xmlstrict.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("cannot read the %s: %w", name, err)
	}
	v, err := decode(doc, doc.Root)
	if err != nil {
		return nil, fmt.Errorf("cannot read the %s: %w", name, err)
	}
	return v, nil
}
