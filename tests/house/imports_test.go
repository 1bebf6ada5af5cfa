package house

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A room is a directory of the project with what its code may import.
// The deepest room that holds a package is the one whose rule counts.
type room struct {
	path    string
	may     []string // rooms it may import, with all below them, or "=ROOM" without; and itself
	modules []string // modules of others; {"*"} for any
	why     string
}

var anyModule = []string{"*"}

const (
	etree     = "github.com/beevik/etree"
	xpath     = "github.com/antchfx/xpath"
	uuid      = "github.com/google/uuid"
	rrule     = "github.com/teambition/rrule-go"
	sqlite    = "github.com/mattn/go-sqlite3"
	goose     = "github.com/pressly/goose/v3"
	websocket = "github.com/coder/websocket"
)

// rooms is the table of docs/architecture.md in a form that a test can hold.
var rooms = []room{
	{"wsdl", []string{"=schema"}, nil,
		"the published documents stand alone, so that server and client can both embed them; " +
			"the flat form needs the text of the schemas, nothing else"},
	{"schema", []string{"wsdl"}, []string{etree, xpath},
		"server and client share the wire code, so it can know neither of them"},
	{"service/workspace", nil, nil,
		"the domain is the one thing that all parts agree on: it knows no technology"},
	{"service/lease",
		[]string{"service/workspace"}, nil,
		"the scheduler is a pure function, so that simulation and service run the same code"},
	{"service/lease/calendar", []string{"service/workspace"}, []string{rrule},
		"rules of recurrence are a standard of their own; the scheduler sees spans"},
	{"service/simulate", []string{"service/lease"}, nil,
		"a simulation runs the scheduler on made-up hosts; what is real it cannot know"},
	{"service/change", []string{"service/workspace"}, nil,
		"durable operations know nothing of machines, storage or the wire"},
	{"service/manager",
		[]string{"service/workspace", "service/lease", "service/change"}, []string{uuid},
		"the manager decides; it meets storage, hosts and faces through interfaces alone"},
	{"service/library", []string{"service/workspace"}, nil,
		"finding images is a pure function of a query and entries, whoever keeps these"},
	{"service/manager/catalog",
		[]string{"service/workspace", "service/library", "schema/attestation"}, nil,
		"attestations are documents that are kept as they came, and judged at each look"},
	{"service/dispatch",
		[]string{"schema", "wsdl", "service/workspace", "service/authn"}, []string{etree},
		"HTTP and SOAP are handled here once; what an operation means is none of its business"},
	{"service/port",
		[]string{"schema", "wsdl", "service/workspace", "service/dispatch", "service/authn"},
		[]string{etree},
		"port types translate documents; they ask the core through interfaces they define"},
	{"service/port/message", []string{
		"schema", "wsdl", "service/workspace", "service/notify", "=service/port"}, []string{etree},
		"a format writes what delivery posts; which requests there are is none of its business"},
	{"service/notify", []string{"schema", "service/workspace"}, nil,
		"delivery reads the outbox and posts; who wrote the event does not matter to it"},
	{"service/console", []string{"service/workspace", "schema/line"}, []string{websocket},
		"a console passes bytes on; how machines are reached is the core's"},
	{"service/authn", []string{"schema", "service/workspace"}, nil,
		"who is calling is settled before anything else is known"},
	{"service/store",
		[]string{"service/workspace", "service/change"}, []string{sqlite, goose},
		"storage keeps the record; it must not decide, schedule or talk to anyone"},
	{"service/config",
		[]string{"service/workspace", "service/lease/calendar", "schema/attestation"}, anyModule,
		"configuration is values; it constructs no part"},
	{"service/run", nil, nil,
		"start and stop order is the same for any component, so it can know none"},
	{"service/cmd/workspaced", []string{"schema", "wsdl", "service", "adapters"}, anyModule,
		"the daemon joins implementations together; the client is another program"},
	{"adapters", append([]string{"service/workspace"}, codecs...), anyModule,
		"an adapter implements a port of the domain; it knows no other adapter and no store, " +
			"so that each can be replaced alone"},
	{"client", []string{"schema", "wsdl"}, anyModule,
		"the client speaks to the service over the wire, as anybody else's client must"},
	{"client/cmd/workspace", []string{"client", "schema", "wsdl", "service/simulate"}, anyModule,
		"the command speaks to the service through the client alone; what it can simulate " +
			"without one is pure and opens no connection"},
	{"examples", []string{"client", "schema", "wsdl"}, anyModule,
		"examples show what a user of the client can do"},
	{"tests", []string{""}, anyModule, "tests of the whole see everything"},
}

// codecs are what adapters share: bytes and names, no adapter among them.
var codecs = []string{
	"adapters/image/format", "adapters/image/sparse", "adapters/image/checksum",
	"adapters/image/imagetest",
	"adapters/transport/location", "adapters/transport/login", "adapters/transport/transfer",
	"adapters/transport/sftp/lanes",
}

// owned are modules that only one room may use, whatever its table row says.
var owned = []struct{ module, room, why string }{
	{"database/sql", "service/store", "all SQL of the project lives in the store"},
	{sqlite, "service/store", "all SQL of the project lives in the store"},
	{goose, "service/store", "migrations are the store's"},
	{"github.com/digitalocean/go-libvirt", "adapters/deployment/libvirt",
		"libvirt's words stay in its adapter"},
	{"libvirt.org/go/libvirtxml", "adapters/deployment/libvirt",
		"libvirt's words stay in its adapter"},
	{"github.com/pkg/sftp", "adapters/transport/sftp", "sftp is one transport of several"},
}

func TestImportsKeepToTheirRooms(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue // a test may join what production code may not
		}
		r, ok := roomOf(s.dir)
		if !ok {
			t.Errorf("%s: no room of the table holds %q; add it to tests/house and to "+
				"docs/architecture.md with the reason", s.path, s.dir)
			continue
		}
		for _, spec := range s.ast.Imports {
			target, _ := strconv.Unquote(spec.Path.Value)
			if !allowed(r, s.dir, target) {
				t.Errorf("%s: %s may not import %q: %s", s.at(spec.Pos()), r.path, target, r.why)
			}
		}
	}
}

func TestRoomsOfTheTableExist(t *testing.T) {
	for _, r := range rooms {
		if info, err := os.Stat(filepath.Join(root, r.path)); err != nil || !info.IsDir() {
			t.Errorf("the table has a room %q, and there is none", r.path)
		}
	}
}

func TestModulesKeepToTheirOwners(t *testing.T) {
	for _, s := range sources(t) {
		for _, spec := range s.ast.Imports {
			target, _ := strconv.Unquote(spec.Path.Value)
			for _, o := range owned {
				if under(target, o.module) && !under(s.dir, o.room) && !s.test {
					t.Errorf("%s: only %s may import %q: %s",
						s.at(spec.Pos()), o.room, target, o.why)
				}
			}
		}
	}
}

func TestProductionImportsNoTestCode(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || isSuite(s.dir) || under(s.dir, "tests") {
			continue
		}
		for _, spec := range s.ast.Imports {
			target, _ := strconv.Unquote(spec.Path.Value)
			if target == "testing" || isSuite(target) && under(target, module) {
				t.Errorf("%s: %q is for tests; production code must not carry it",
					s.at(spec.Pos()), target)
			}
		}
	}
}

// isSuite reports whether a package is a conformance suite by its name: storetest.
func isSuite(dir string) bool { return strings.HasSuffix(dir, "test") }

func roomOf(dir string) (room, bool) {
	var best room
	found := false
	for _, r := range rooms {
		if under(dir, r.path) && (!found || len(r.path) > len(best.path)) {
			best, found = r, true
		}
	}
	return best, found
}

func allowed(r room, dir, target string) bool {
	if inside, ok := strings.CutPrefix(target, module+"/"); ok {
		return allowedRoom(r, dir, inside)
	}
	if isStandard(target) || isSuite(dir) || slices.Equal(r.modules, anyModule) {
		return true
	}
	return slices.ContainsFunc(r.modules, func(m string) bool { return under(target, m) })
}

// allowedRoom lets a package import its own subtree and what its row names.
// Adapters are each other's strangers: there "itself" is the adapter's package.
func allowedRoom(r room, dir, inside string) bool {
	own := r.path
	if r.path == "adapters" {
		own = dir
	}
	return under(inside, own) || slices.ContainsFunc(r.may, func(m string) bool {
		return under(inside, m) || "="+inside == m
	})
}

// under reports whether name is dir or lies below it; everything is under "".
func under(name, dir string) bool {
	return dir == "" || name == dir || strings.HasPrefix(name, dir+"/")
}

// isStandard reports whether an import path is of the standard library: its
// first element has no dot.
func isStandard(target string) bool {
	first, _, _ := strings.Cut(target, "/")
	return !strings.Contains(first, ".")
}
