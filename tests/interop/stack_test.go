package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A face is one of the service's two, in the SOAP version that a client uses.
type face struct {
	name string // one or two
	soap string // 1.1 or 1.2
}

// A stack is a SOAP stack that others wrote.
type stack struct {
	name    string // its directory
	title   string
	version []string // prints its version
	faces   []face
	steps   []string // what its script does
	// build makes the client of a face in site.dir from the published WSDL and
	// returns the command that runs it; the arguments of the common script follow.
	build func(s *site, face string) (*command, error)
}

// A command is a program with what it needs.
type command struct {
	args []string
	tail []string // arguments behind those of the common script
	env  []string
}

// The steps of the common script, in its order.
var everyStep = []string{"factory", "create", "state", "document", "subscribe", "pause",
	"notification", "start", "denied", "destroy", "gone"}

var (
	one   = face{"one", "1.1"}
	two11 = face{"two", "1.1"}
	two12 = face{"two", "1.2"}
)

// debianPy is Debian's own: another python3 may be in PATH, without its modules.
const debianPy = "/usr/bin/python3"

// stacks are those that docs/interop.md has a row of.
var stacks = []stack{
	{
		name: "zeep", title: "zeep (Python)", steps: everyStep,
		faces:   []face{one, two11, two12},
		version: []string{debianPy, "-c", "import zeep; print(zeep.__version__)"},
		build:   func(s *site, _ string) (*command, error) { return s.python("zeep"), nil },
	},
	{
		name: "suds", title: "suds (Python)", steps: everyStep,
		faces:   []face{one, two11},
		version: []string{debianPy, "-c", "import suds; print(suds.__version__)"},
		build:   func(s *site, _ string) (*command, error) { return s.python("suds"), nil },
	},
	{
		name: "axis", title: "Apache Axis (Java)", steps: everyStep,
		faces:   []face{one, two11},
		version: []string{"java", "-cp", jars(axisJars...), "org.apache.axis.Version"},
		build:   (*site).axis,
	},
	{
		name: "gsoap", title: "gSOAP (C++)", steps: everyStep,
		faces:   []face{one, two11, two12},
		version: []string{"soapcpp2", "-V"},
		build:   (*site).gsoap,
	},
	{
		name: "php", title: "SoapClient (PHP)", steps: everyStep,
		faces:   []face{one, two11, two12},
		version: []string{"php", "-r", "echo phpversion('soap');"},
		build: func(s *site, _ string) (*command, error) {
			return &command{args: []string{"php", "-d", "display_errors=stderr",
				s.source("php/client.php")}}, nil
		},
	},
	{
		name: "strongsoap", title: "strong-soap (Node.js)", steps: everyStep,
		faces:   []face{one, two11, two12},
		version: nodeVersion("strong-soap"),
		build:   func(s *site, _ string) (*command, error) { return s.node("strongsoap") },
	},
	{
		name: "jaxws", title: "JAX-WS RI (Java)", steps: everyStep,
		faces:   []face{one, two11, two12},
		version: []string{"wsimport", "-version"},
		build:   (*site).jaxws,
	},
	{
		name: "onvif", title: "onvif (Node.js)", steps: eventSteps,
		faces:   []face{two12},
		version: nodeVersion("onvif"),
		build:   func(s *site, _ string) (*command, error) { return s.node("onvif") },
	},
}

// A site is where a stack's client is built: a directory of its own, and the
// daemon whose WSDL it is built from.
type site struct {
	dir     string                 // scratch
	url     string                 // the daemon's root
	modules func() (string, error) // where those of Node.js are
}

// source returns the absolute path of a committed file.
func (s *site) source(name string) string {
	path, err := filepath.Abs(name)
	if err != nil {
		panic(err) // the working directory is gone: nothing can go on
	}
	return path
}

func (s *site) python(name string) *command {
	return &command{
		args: []string{debianPy, s.source(name + "/client.py")},
		env:  []string{"PYTHONPATH=" + s.source("python"), "PYTHONDONTWRITEBYTECODE=1"},
	}
}

// jarDir is where Debian's Java libraries are.
const jarDir = "/usr/share/java/"

// axisJars are Axis and what it stands on. Mail and activation are only linked.
var axisJars = []string{"axis", "axis-jaxrpc", "axis-saaj", "commons-logging",
	"commons-discovery", "wsdl4j", "javax.mail", "javax.activation"}

func jars(names ...string) string {
	var paths []string
	for _, name := range names {
		paths = append(paths, jarDir+name+".jar")
	}
	return strings.Join(paths, ":")
}

// axisWSDL is what WSDL2Java reads of each face: the consumer's, and the
// services'. Each is generated over the one before, so those whose operations
// have faults come last: only there are the faults' types exceptions.
var axisWSDL = map[string][]string{
	"one": {"/wsrf/schema/notification_consumer_service.wsdl",
		"/wsrf/services/WorkspaceService?wsdl", "/wsrf/services/WorkspaceFactoryService?wsdl"},
	"two": {"/ws/NotificationConsumer?wsdl", "/ws/Workspace?wsdl", "/ws/WorkspaceFactory?wsdl"},
}

// axis generates stubs, and a skeleton of the consumer, with WSDL2Java. It has
// to be -W: the wrapped style would give create two parameters of one name.
func (s *site) axis(face string) (*command, error) {
	src, classes := filepath.Join(s.dir, "src"), filepath.Join(s.dir, "classes")
	for i, path := range axisWSDL[face] {
		args := []string{"java", "-cp", jars(axisJars...), "org.apache.axis.wsdl.WSDL2Java",
			"-W", "-o", src, "-f", s.source("axis/" + face + "/packages.properties")}
		if i == 0 {
			args = append(args, "-c", "interop.Consumer", "--server-side",
				"--skeletonDeploy", "true")
		}
		if err := s.run(append(args, s.url+path)...); err != nil {
			return nil, err
		}
	}
	// In its place comes our own.
	if err := os.Remove(filepath.Join(src, "interop/Consumer.java")); err != nil {
		return nil, err
	}
	if err := s.javac(jars(axisJars...), classes, "axis", "axis/"+face); err != nil {
		return nil, err
	}
	packages := map[string]string{"one": "consumer/service", "two": "lease"}
	return &command{
		args: []string{"java", "-cp", classes + ":" + jars(axisJars...), "interop.Client"},
		tail: []string{filepath.Join(src, "gen", packages[face], "deploy.wsdd")},
	}, nil
}

// jaxwsOne and jaxwsTwo say what wsimport makes of each WSDL. The flat documents
// of face two have each what they need of the schemas, so each has a package to
// itself. JAX-WS' class for endpoint references is final, and JAXB extends it
// for the elements that a Notify has of that type: there it is not to be used.
var (
	jaxwsOne = [][]string{
		{"/wsrf/services/WorkspaceFactoryService?wsdl"},
		{"/wsrf/services/WorkspaceService?wsdl"},
		{"/wsrf/schema/notification_consumer_service.wsdl"},
	}
	jaxwsTwo = [][]string{
		{"/ws/WorkspaceFactory?wsdl", "-p", "factory"},
		{"/ws/Workspace?wsdl", "-p", "workspace"},
		{"/ws/NotificationConsumer?wsdl", "-p", "consumer", "-Xno-addressing-databinding"},
	}
)

// jaxws generates with wsimport. What the reference implementation lacks on the
// Java of today is a choice of SAAJ and the parts that its monitoring needs.
func (s *site) jaxws(face string) (*command, error) {
	src, classes := filepath.Join(s.dir, "src"), filepath.Join(s.dir, "classes")
	if err := os.MkdirAll(src, 0o755); err != nil {
		return nil, err
	}
	for _, args := range map[string][][]string{"one": jaxwsOne, "two": jaxwsTwo}[face] {
		if err := s.run(slices.Concat([]string{"wsimport", "-quiet", "-extension",
			"-B-XautoNameResolution", "-keep", "-Xnocompile", "-d", src}, args[1:],
			[]string{s.url + args[0]})...); err != nil {
			return nil, err
		}
	}
	libraries := jars("jaxws-tools", "jaxws-rt") // their manifests name the others
	if err := s.javac(libraries, classes, "jaxws", "jaxws/"+face); err != nil {
		return nil, err
	}
	return &command{args: []string{"java",
		"-Djavax.xml.soap.SAAJMetaFactory=com.sun.xml.messaging.saaj.soap.SAAJMetaFactoryImpl",
		"-Dcom.sun.xml.ws.monitoring.endpoint=false",
		"-cp", classes + ":" + libraries, "interop.Client"}}, nil
}

// javac compiles what was generated in s.dir/src with a stack's own files.
func (s *site) javac(libraries, classes string, dirs ...string) error {
	list := ""
	for _, dir := range dirs {
		own, err := filepath.Glob(s.source(dir) + "/*.java")
		if err != nil {
			return err
		}
		list += strings.Join(own, "\n") + "\n"
	}
	add := func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".java") {
			list += path + "\n"
		}
		return err
	}
	if err := filepath.WalkDir(filepath.Join(s.dir, "src"), add); err != nil {
		return err
	}
	names := filepath.Join(s.dir, "sources")
	if err := os.WriteFile(names, []byte(list), 0o644); err != nil {
		return err
	}
	return s.run("javac", "-nowarn", "-proc:none", "-cp", libraries, "-d", classes, "@"+names)
}

// gsoapWSDL is what wsdl2h reads of each face, and gsoapCode the files that
// soapcpp2 names for what it finds.
var (
	gsoapWSDL = map[string][]string{
		"one": {"/wsrf/services/WorkspaceFactoryService?wsdl",
			"/wsrf/services/WorkspaceService?wsdl",
			"/wsrf/schema/notification_consumer_service.wsdl"},
		"two": {"/ws/WorkspaceFactory?wsdl", "/ws/Workspace?wsdl", "/ws/NotificationConsumer?wsdl"},
	}
	gsoapCode = map[string][]string{
		"one": {"soapWorkspaceFactoryPortTypeSOAPBindingProxy.cpp",
			"soapNotificationConsumerSOAPBindingService.cpp"},
		"two": {"soapWorkspaceFactoryPortSOAP11BindingProxy.cpp",
			"soapWorkspaceFactoryPortSOAP11BindingService.cpp"},
	}
)

// gsoap generates with wsdl2h and soapcpp2. Debian has the code for dateTime
// as C source beside the library.
func (s *site) gsoap(face string) (*command, error) {
	const share = "/usr/share/gsoap/"
	own := s.source("gsoap")
	if err := s.join("map.dat", filepath.Join(own, face, "prefixes.dat"),
		share+"WS/WS-typemap.dat"); err != nil {
		return nil, err
	}
	read := []string{"wsdl2h", "-O1", "-t", "map.dat", "-o", "services.h"}
	for _, path := range gsoapWSDL[face] {
		read = append(read, s.url+path)
	}
	if err := s.run(read...); err != nil {
		return nil, err
	}
	if err := s.join("all.h", filepath.Join(s.dir, "services.h"),
		filepath.Join(own, "header.h")); err != nil {
		return nil, err
	}
	if err := s.run("soapcpp2", "-j", "-x", "-I", share+"import", "all.h"); err != nil {
		return nil, err
	}
	compile := slices.Concat([]string{"g++", "-O0", "-w", "-I", ".", "-I", share + "custom",
		"-DWITH_DEFAULT_VIRTUAL", "-o", "client", filepath.Join(own, face, "client.cpp"),
		"soapC.cpp", share + "custom/struct_timeval.c"}, gsoapCode[face], []string{"-lgsoap++"})
	return &command{args: []string{filepath.Join(s.dir, "client")}}, s.run(compile...)
}

// join writes files behind one another.
func (s *site) join(name string, paths ...string) error {
	var all []byte
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("cannot write %s: %w", name, err)
		}
		all = append(all, text...)
	}
	return os.WriteFile(filepath.Join(s.dir, name), all, 0o644)
}
