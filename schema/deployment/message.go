package deployment

import (
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// DecodeOptional reads optional parameters at e, an element of doc under
// either of their names. The error is a *xmlstrict.ContentError.
func DecodeOptional(doc *xmlstrict.Document, e *etree.Element) (*OptionalParameters, error) {
	r := newReader(doc, "optional parameters")
	return document.Decode(r.Reader, e, r.optional, OptionalFile, OptionalWire)
}

func (r *reader) optional(e *etree.Element, v *OptionalParameters) {
	r.Sequence(e, []document.Field{
		document.Optional(t("stageIn"), r.transfer(&v.StageIn)),
		document.Optional(t("stageOut"), r.transfer(&v.StageOut)),
		document.Many(0, t("filewrite"), func(e *etree.Element) { r.file(e, v) }).Most(maxFiles),
		document.Optional(t("mdServerUserdata"), func(e *etree.Element) {
			v.UserData = new(string)
			r.Text(v.UserData)(e)
		}),
		document.Optional(t("credentialToCopy"), func(e *etree.Element) {
			v.Credential = new(string)
			r.Text(v.Credential)(e)
		}),
	})
}

func (r *reader) file(e *etree.Element, v *OptionalParameters) {
	var f File
	r.Sequence(e, []document.Field{
		document.One(t("content"), func(e *etree.Element) {
			r.Text(&f.Content)(e)
			if size := utf8.RuneCountInString(f.Content); size > MaxContent {
				r.Fail(e, "at most 40960 characters", "put large files into the image",
					"the file has %d characters", size)
			}
		}),
		document.One(t("pathOnVM"), r.pathOnVM(&f.Path)),
	})
	v.Files = append(v.Files, f)
}

// maxFiles is how many files one request may have written.
const maxFiles = 256

// longestPath is how long the path of a file may be, in bytes: the tools that write into
// file systems read short lines.
const longestPath = 512

// pathOnVM reads the absolute path of a file: no directory, no dots, nothing
// that means another file to another reader.
func (r *reader) pathOnVM(to *string) func(*etree.Element) {
	return func(e *etree.Element) {
		r.Word(to)(e)
		switch {
		case r.Failed():
		case !strings.HasPrefix(*to, "/"):
			r.Fail(e, "an absolute path such as /etc/role.txt", "begin it with a slash",
				"%.80q is not absolute", *to)
		case path.Clean(*to) != *to || *to == "/":
			r.Fail(e, "the path of a file, without . or .. or empty parts", "write it as "+
				path.Clean(*to), "%.80q is not a plain path", *to)
		case len(*to) > longestPath:
			r.Fail(e, "at most 512 bytes", "", "the path has %d bytes", len(*to))
		case slices.ContainsFunc(strings.Split(*to, "/"), tooLong):
			r.Fail(e, "names of at most 255 bytes", "", "a name in the path is too long")
		}
	}
}

// tooLong reports whether a name is longer than file systems have them.
func tooLong(name string) bool { return len(name) > 255 }

func (r *reader) transfer(to **Transfer) func(*etree.Element) {
	return func(e *etree.Element) {
		v := new(Transfer)
		r.Sequence(e, []document.Field{
			document.Optional(t("serviceEndpoint"), r.URI(&v.Endpoint)),
			document.One(t("sourceURL"), r.URI(&v.Source)),
			document.One(t("destURL"), r.URI(&v.Destination)),
			document.Optional(t("stagingCredential"), r.epr(&v.StagingCredential)),
			document.Optional(t("transferCredential"), r.epr(&v.TransferCredential)),
			document.Optional(t("checksum"), r.Word(&v.Checksum)),
			document.Optional(t("checksumtype"), r.Word(&v.ChecksumType)),
		})
		*to = v
	}
}

// DecodeCreate reads the create message of either face at e, under Create,
// CreateLease or PlanLease. The error is a *xmlstrict.ContentError of the document that is
// wrong: the metadata, the deployment request, the optional parameters, or the
// message itself.
func DecodeCreate(doc *xmlstrict.Document, e *etree.Element) (*CreateRequest, error) {
	r := newReader(doc, "create message")
	return document.Decode(r.Reader, e, r.create, Create, CreateLease, PlanLease)
}

func (r *reader) create(e *etree.Element, v *CreateRequest) {
	if !xmlstrict.Is(e, Create) {
		r.Sequence(e, r.documents(v, metadata.File, RequestFile, OptionalFile))
		return
	}
	r.Sequence(e, append(r.documents(v, metadata.Wire, RequestWire, OptionalWire),
		document.Optional(t("partOfEnsemble"), r.Bool(&v.PartOfEnsemble)),
		document.Optional(t("ensembleEPR"), r.epr(&v.Ensemble)),
		document.Optional(t("ensembleDone"), r.Bool(&v.EnsembleDone)),
		document.Optional(t("contextEPR"), r.epr(&v.Context)),
		document.Optional(t("lockContext"), r.Bool(&v.LockContext)),
	))
}

// documents are what a create message of either face begins with, under the
// names that they have there.
func (r *reader) documents(
	v *CreateRequest, described, request, optional xmlstrict.Name,
) []document.Field {
	var err error
	return []document.Field{
		document.One(described, func(e *etree.Element) {
			v.Metadata, err = metadata.Decode(r.Document(), e)
			r.Adopt(e, err)
		}),
		document.One(request, func(e *etree.Element) {
			v.Deployment, err = Decode(r.Document(), e)
			r.Adopt(e, err)
		}),
		document.Optional(optional, func(e *etree.Element) {
			v.Optional, err = DecodeOptional(r.Document(), e)
			r.Adopt(e, err)
		}),
	}
}

// epr returns what reads an endpoint reference.
func (r *reader) epr(to **wsa.EPR) func(*etree.Element) {
	return func(e *etree.Element) {
		v, err := wsa.ParseEPR(r.Document(), e)
		r.Adopt(e, err)
		*to = &v
	}
}

// shutdownTypes are the words for ways to shut down.
var shutdownTypes = []string{ShutdownNormal, ShutdownPause, ShutdownSerialize, ShutdownReboot,
	ShutdownTrash, ShutdownReadyForTransport}

// DecodeShutdown reads the shutdown message of a workspace or a group at e,
// under Shutdown, ShutdownAll or ShutdownLease. The error is a
// *xmlstrict.ContentError.
func DecodeShutdown(doc *xmlstrict.Document, e *etree.Element) (*ShutdownRequest, error) {
	r := newReader(doc, "shutdown message")
	return document.Decode(r.Reader, e, r.shutdown, Shutdown, ShutdownAll, ShutdownLease)
}

func (r *reader) shutdown(e *etree.Element, v *ShutdownRequest) {
	kind, target := t("shutdownType"), n("PostShutdown")
	read := r.postShutdown(&v.PostShutdown)
	if xmlstrict.Is(e, ShutdownLease) {
		kind, target = shutdownKind, shutdownTarget
		read = func(e *etree.Element) {
			v.PostShutdown = new(PostShutdown)
			r.URI(&v.PostShutdown.Target)(e)
		}
	}
	r.Sequence(e, []document.Field{
		document.One(kind, r.OneOf(&v.Type, "shutdown type", shutdownTypes...)),
		document.Optional(target, func(e *etree.Element) {
			if read(e); v.Type != ShutdownReadyForTransport {
				r.Fail(e, "no "+target.Local+" with "+v.Type, "ask for ReadyForTransport",
					"%s is only compatible with a ReadyForTransport request", target.Local)
			}
		}),
	})
}

// The parts of a ShutdownLease message.
var (
	shutdownKind   = p("Type")
	shutdownTarget = p("SaveTo")
)
