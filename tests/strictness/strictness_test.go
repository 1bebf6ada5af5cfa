package strictness

import (
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema"
)

var (
	seed  = flag.Uint64("seed", 20080601, "what the pairs of mutations are drawn from")
	pairs = flag.Int("pairs", 6000, "how many mutants have two mutations")
	most  = flag.Int("most", 20, "how many differences that are not listed are told")
)

// mutant is a document that was changed.
type mutant struct {
	sample sample
	how    string   // what was done to it, for people
	places []string // the paths of what was changed
	source string
}

// unharmed is what was done to a sample that is still as it was.
const unharmed = "nothing"

// TestDecodersAgreeWithTheSchemas holds our verdict on every mutant against
// that of xmllint.
func TestDecodersAgreeWithTheSchemas(t *testing.T) {
	samples := corpus(t)
	var all []mutant
	for _, s := range samples {
		all = append(all, mutant{s, unharmed, nil, s.root.String()})
	}
	all = append(append(all, singles(samples)...), doubles(samples)...)
	t.Logf("%d samples, %d mutants, %d of them with two mutations drawn with -seed %d",
		len(samples), len(all)-len(samples), *pairs, *seed)
	book := newLedger()
	for face, files := range [][]string{schema.FaceOne(), schema.FaceTwo()} {
		of := slices.DeleteFunc(slices.Clone(all), func(m mutant) bool {
			return m.sample.face != face
		})
		theirs := newOracle(t, files).judge(t, of)
		for i, ours := range judge(of) {
			book.enter(of[i], ours, theirs[i])
		}
	}
	book.close(t)
}

// TestWrappingChangesNothing makes sure that xmllint says the same of mutants
// in one document as of each alone.
func TestWrappingChangesNothing(t *testing.T) {
	all := doubles(corpus(t))[:200]
	for face, files := range [][]string{schema.FaceOne(), schema.FaceTwo()} {
		o := newOracle(t, files)
		of := slices.DeleteFunc(slices.Clone(all), func(m mutant) bool {
			return m.sample.face != face
		})
		alone := o.alone(t, of)
		for i, wrapped := range o.judge(t, of) {
			if valid := len(wrapped) == 0; valid != alone[i] {
				t.Errorf("%s, %s: valid alone: %v, wrapped: %q", of[i].sample.file, of[i].how,
					alone[i], wrapped)
			}
		}
	}
}

// singles makes every mutation at every element, each place in each kind of
// document once.
func singles(samples []sample) []mutant {
	var all []mutant
	done := map[string]bool{}
	for _, s := range samples {
		for i, place := range paths(s.root) {
			for _, m := range mutations {
				for _, arg := range arguments(m) {
					key := s.key(place, m.name) + "\x00" + arg
					if done[key] {
						continue
					}
					root := s.root.clone()
					if m.do(sites(root)[i], arg) {
						done[key] = true
						how := m.name + " " + arg + " at " + place
						all = append(all, mutant{s, how, []string{place}, root.String()})
					}
				}
			}
		}
	}
	return all
}

// key names a mutation at a place. Text is read alike wherever the document
// stands that it is in, so it is enough to know its nearest elements.
func (s sample) key(place, mutation string) string {
	if mutation == "text" {
		steps := strings.Split(place, "/")
		place = strings.Join(steps[max(0, len(steps)-3):], "/")
	}
	return strings.Join([]string{s.name.Space, place, mutation}, "\x00")
}

// doubles makes two mutations drawn at random on samples drawn at random.
func doubles(samples []sample) []mutant {
	random := rand.New(rand.NewPCG(*seed, 0)) //nolint:gosec // it must be the same every time
	var all []mutant
	for len(all) < *pairs {
		s := samples[random.IntN(len(samples))]
		root := s.root.clone()
		how, places := "", []string(nil)
		for len(places) < 2 {
			elements, at := sites(root), paths(root)
			i := random.IntN(len(elements))
			m := mutations[random.IntN(len(mutations))]
			args := arguments(m)
			arg := args[random.IntN(len(args))]
			if m.do(elements[i], arg) {
				how += m.name + " " + arg + " at " + at[i] + "; "
				places = append(places, at[i])
			}
		}
		all = append(all, mutant{s, how, places, root.String()})
	}
	return all
}

// arguments returns the mutation's arguments, at least an empty one.
func arguments(m mutation) []string {
	if len(m.args) == 0 {
		return []string{""}
	}
	return m.args
}
