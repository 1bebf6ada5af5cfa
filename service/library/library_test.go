package library

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestVersions orders versions as people do.
func TestVersions(t *testing.T) {
	rising := []string{"", "0.9~rc1", "0.9", "1.0~beta", "1.0alpha2", "1.0rc1", "1.0", "1.0b",
		"1.0.1", "1.9", "1.9.2-1", "1.10", "2:1", "10", "20260101", "20261122",
		"99999999999999999999"}
	for i, a := range rising {
		for j, b := range rising {
			if got, want := CompareVersions(a, b), sign(i-j); got != want {
				t.Errorf("%q and %q compare as %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range [][2]string{
		{"1.0", "1"}, {"1.02", "1.2"}, {"v1", "V1"}, {"1-0-1", "1.0.1"},
	} {
		if CompareVersions(same[0], same[1]) != 0 {
			t.Errorf("%q and %q differ", same[0], same[1])
		}
	}
}

// TestVersionsAreAnOrder: what is said of two versions agrees with what is said of
// others.
func TestVersionsAreAnOrder(t *testing.T) {
	version := rapid.StringMatching(`[0-9a-c.~-]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		if CompareVersions(a, b) != -CompareVersions(b, a) {
			t.Fatalf("%q and %q compare otherwise the other way round", a, b)
		}
		if CompareVersions(a, b) <= 0 && CompareVersions(b, c) <= 0 && CompareVersions(a, c) > 0 {
			t.Fatalf("%q, %q, %q go round in a circle", a, b, c)
		}
	})
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// shelf are the entries of the tests.
func shelf() []Entry {
	entry := func(name, version string, change func(*Entry)) Entry {
		e := Entry{Image: &workspace.Image{
			ImageKey:     workspace.ImageKey{Name: name, Version: version},
			Architecture: "x86_64", VMMs: []string{"KVM"}, Format: "qcow2", Size: 1 << 30,
			Added: noon,
		}}
		change(&e)
		return e
	}
	return []Entry{
		entry("debian", "11", func(e *Entry) {
			e.VMMs = []string{"Xen", "KVM"}
			e.Software = []workspace.Software{{Name: "python", Version: "3.9.2"}, {Name: "g++"}}
			e.Tags, e.Signers = []string{"oldstable"}, []string{"alice"}
		}),
		entry("debian", "12", func(e *Entry) {
			e.Software = []workspace.Software{{Name: "python", Version: "3.11.2"}}
			e.Tags, e.Kernel = []string{"stable"}, "file://vmlinuz"
			e.Attributes = []workspace.Attribute{{Name: "purpose", Value: "high throughput"}}
		}),
		entry("big", "9", func(e *Entry) {
			e.Size, e.Owner, e.Format = 8<<30, "/CN=Ada", "raw"
			e.Software = []workspace.Software{{Name: "python", Version: "2.7"}}
		}),
		entry("small", "0.1", func(e *Entry) { e.Architecture, e.Size = "x86", 0 }),
	}
}

// TestFind holds the entries against queries: what fits, the best first.
func TestFind(t *testing.T) {
	tests := map[string]string{
		``:            "debian:12 debian:11 big:9 small:0.1",
		`arch=x86_64`: "debian:12 debian:11 big:9",
		`arch=x86_64, vmm in (Xen, KVM) software.python>=3.9 size<2GB`: "!",
		`arch=x86_64 vmm in (Xen, KVM) software.python>=3.9 size<2GB`:  "debian:12 debian:11",
		`arch=x86_64&vmm=Xen,KVM;software.python>3.9.1 and size<=1GB`:  "debian:12 debian:11",
		`VMM=xen`:                           "debian:11",
		`vmm!=Xen`:                          "debian:12 big:9 small:0.1",
		`vmm!=Xen,KVM`:                      "",
		`name=debian version<12`:            "debian:11",
		`software.python=3.9.*`:             "debian:11",
		`software.python=3.9`:               "",
		`software.PYTHON`:                   "debian:12 debian:11 big:9",
		`software.python!=2.7`:              "debian:12 debian:11 small:0.1",
		`software.g++`:                      "debian:11",
		`software.g++>=1`:                   "",
		`attr.purpose="high throughput"`:    "debian:12",
		`attr.purpose!=hpc attr.purpose`:    "debian:12",
		`tag=stable`:                        "debian:12",
		`signed-by=alice`:                   "debian:11",
		`verified=false`:                    "debian:12 big:9 small:0.1",
		`kernel=none`:                       "debian:11 big:9 small:0.1",
		`kernel=file://vmlinuz`:             "debian:12",
		`format=raw`:                        "big:9",
		`scope=own`:                         "big:9",
		`size>0`:                            "debian:12 debian:11 big:9",
		`size==8192MiB`:                     "big:9",
		`file-size<1TB`:                     "",
		`arch=i386`:                         "small:0.1",
		"\tarch == amd64\nand name=debian ": "debian:12 debian:11",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			q, err := Parse(text)
			if want == "!" {
				if err == nil {
					t.Error("it was read")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := names(q.Find(shelf()).Found); got != want {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}

func names(all []Entry) string {
	var keys []string
	for _, e := range all {
		keys = append(keys, e.ImageKey.String())
	}
	return strings.Join(keys, " ")
}

// TestWrongQueries names the column, what is there and what belongs there.
func TestWrongQueries(t *testing.T) {
	tests := map[string]string{
		`software.python>=`:          "column 18: software.python has no value",
		`arch=x86_64 softwear.x`:     `column 13: there is no key "softwear.x"`,
		`arch<x86_64`:                `column 5: arch cannot be compared by "<"`,
		`arch`:                       "column 5: arch is followed by nothing",
		`size<many`:                  `column 6: there is "many", expected a size such as 2GB`,
		`vmm in Xen`:                 `column 8: there is "Xen", expected "("`,
		`vmm in (Xen KVM)`:           `column 13: there is "KVM", expected ","`,
		`vmm in (Xen`:                `column 12: there is nothing, expected "," or ")"`,
		`vmm in ()`:                  `column 9: vmm has no value: there is ")", expected a VMM`,
		`tag="stable`:                `column 5: the quotation mark is not closed`,
		`"arch"=x`:                   `column 1: "arch" begins none, expected a condition`,
		`ä!x`:                        `column 1: there is no key "ä"`,
		`name=ä size!x`:              `column 12: "!" is not an operator`,
		`size<1GB,2GB`:               `column 9: "<" takes no list, expected one value`,
		`| arch=x`:                   `column 1: "|" has no meaning here`,
		`format=vmdk`:                `column 8: there is "vmdk", expected raw or qcow2`,
		`and`:                        `column 1: there is no key "and"`,
		"arch=\xff":                  "column 1: the query is not, expected text in UTF-8",
		strings.Repeat("tag=a ", 65): "there are more than 64 conditions",
		strings.Repeat("a", 4097):    "the query has 4097 bytes",
	}
	for text, want := range tests {
		_, err := Parse(text)
		var bad *QueryError
		if err == nil || !errors.As(err, &bad) || workspace.KindOf(err) != workspace.Invalid ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("of %.40q the error is %v, want %q", text, err, want)
		}
	}
}

// TestWhyNothingFits counts what each condition excludes.
func TestWhyNothingFits(t *testing.T) {
	q, err := Parse(`arch=x86_64 software.python>=3.12 tag=stable,oldstable size<1TB`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = q.Find(shelf()).Best()
	const want = "none of the library's 4 images fits: arch=x86_64 excludes 1; " +
		"software.python>=3.12 excludes 4, 2 by itself; tag=stable,oldstable excludes 2; " +
		"size<1TB excludes 1"
	if workspace.KindOf(err) != workspace.NotFound || err.Error() != want {
		t.Errorf("the reason is %v", err)
	}
	_, err = q.Find(nil).Best()
	if err == nil || err.Error() != "the library has no image that you can see" {
		t.Errorf("of an empty library the reason is %v", err)
	}
}

// TestRank: the newer one, then the attested, then the smaller.
func TestRank(t *testing.T) {
	all := shelf()[:1]
	for _, change := range []func(*workspace.Image){
		func(i *workspace.Image) { i.Size = 1 },
		func(i *workspace.Image) { i.Version = "11.5" },
		func(i *workspace.Image) { i.Owner = "/CN=Ada" },
	} {
		i := *all[0].Image
		change(&i)
		all = append(all, Entry{Image: &i})
	}
	Rank(all)
	if all[0].Version != "11.5" || len(all[1].Signers) == 0 || all[2].Size != 1 ||
		all[3].Owner == "" {
		t.Errorf("the order is %v, %v, %v, %v", *all[0].Image, *all[1].Image, *all[2].Image,
			*all[3].Image)
	}
}

// TestLocations reads what documents have instead of a place.
func TestLocations(t *testing.T) {
	tests := map[string]string{
		"image:debian":        "debian:12 debian:11",
		"IMAGE:debian:11":     "debian:11",
		"image:debian:stable": "debian:12",
		"image:debian:1":      "",
		"image:":              "!is not the name of an image",
		"image://debian":      "!is not the name of an image",
		"image:debian:":       "!is not the name of an image",
		"image:%zz":           "!is not a URI",
		"image:?arch=x86":     "small:0.1",
		"image:?software.python%3E=3.9&size%3C2GB":       "debian:12 debian:11",
		"image:?software.g++ version<12 and arch=x86_64": "debian:11",
		"image:?arch": "!column 5: arch is followed by nothing",
		"image:?":     "debian:12 debian:11 big:9 small:0.1",
	}
	for location, want := range tests {
		q, err := Want(location)
		if text, wrong := strings.CutPrefix(want, "!"); wrong {
			if err == nil || !strings.Contains(err.Error(), text) ||
				workspace.KindOf(err) != workspace.Invalid {
				t.Errorf("of %q the error is %v, want %q", location, err, text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", location, err)
		} else if got := names(q.Find(shelf()).Found); got != want {
			t.Errorf("%q means %q, want %q", location, got, want)
		}
	}
	for _, place := range []string{"file://image:x", "imag", "images:x"} {
		if IsReference(place) {
			t.Errorf("%q is taken for one of the library", place)
		}
	}
}

// TestRuns says which machines run which images.
func TestRuns(t *testing.T) {
	for pair, want := range map[[2]string]bool{
		{"x86", "x86"}: true, {"x86_32", "x86"}: true, {"x86", "x86_64"}: true,
		{"x86_64", "x86_64"}: true, {"amd64", "x86_64"}: true, {"x86_64", "x86"}: false,
		{"arm64", "x86_64"}: false, {"arm64", "aarch64"}: true,
	} {
		if Runs(pair[0], pair[1]) != want {
			t.Errorf("%s on %s: %v", pair[0], pair[1], !want)
		}
	}
}

// TestSizes reads amounts.
func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "17": 17, "1B": 1, "2kb": 2048, "1.5 GB": -1, "1.5GB": 3 << 29, "2GiB": 2 << 30,
		"1T": 1 << 40, "GB": -1, "": -1, "1XB": -1, "-1": -1, "1e9": -1, "99999999999TB": -1,
	} {
		got, ok := ParseSize(text)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, ok, want)
		}
	}
}

// FuzzParse: whatever is read finds the same twice, and nothing panics.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`arch=x86_64 vmm in (Xen,KVM) software.python>=3.9 size<2GB`, `attr.a="b\"c"`, `tag=a,b;c`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			var bad *QueryError
			if !errors.As(err, &bad) || bad.Column < 1 || bad.Column > len(text)+1 {
				t.Errorf("the error has no place: %v", err)
			}
			return
		}
		first, second := q.Find(shelf()), q.Find(shelf())
		if names(first.Found) != names(second.Found) {
			t.Errorf("it found %q, and then %q", names(first.Found), names(second.Found))
		}
		for _, x := range first.Excluded {
			if x.Condition == "" || x.Entries > first.Total || x.Alone > x.Entries {
				t.Errorf("it excludes %+v of %d", x, first.Total)
			}
		}
	})
}
