package strictness

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// difference is a kind of document of which the two judges think differently,
// and why that is as it should be.
type difference struct {
	taken bool           // we take what the schemas refuse, or the other way round
	where *regexp.Regexp // the path of what was mutated
	what  *regexp.Regexp // what who refuses it says
	// theirs tells that libxml2 is to blame: another version of it may have
	// mended that, so the difference need not be met.
	theirs bool
	met    int
}

// takes lists what we read although the schemas refuse it. What xmllint says
// begins with the kind of the document; namespaces are left out.
func takes(where, what, why string) *difference { return newDifference(true, where, what, why) }

// refuses lists what we refuse although the schemas admit it. What we say begins
// with the element's path.
func refuses(where, what, why string) *difference {
	return newDifference(false, where, what, why)
}

func newDifference(taken bool, where, what, why string) *difference {
	return &difference{
		taken: taken, where: regexp.MustCompile(where), what: regexp.MustCompile(what),
		theirs: strings.Contains(why, "libxml2"),
	}
}

// is tells whether the difference is what a judge says of a mutant who alone
// refuses it.
func (d *difference) is(m mutant, taken bool, text string) bool {
	return d.taken == taken && d.what.MatchString(text) &&
		slices.ContainsFunc(m.places, d.where.MatchString)
}

// ledger counts verdicts.
type ledger struct {
	listed         []*difference
	agreed, differ int
	unlisted       map[string]string // what is said: how the mutant was made
}

func newLedger() *ledger {
	return &ledger{listed: differences(), unlisted: map[string]string{}}
}

// enter notes two verdicts on a mutant.
func (l *ledger) enter(m mutant, ours, theirs verdict) {
	if m.how == unharmed && len(ours)+len(theirs) > 0 {
		l.unlisted[fmt.Sprintf("the sample itself: %q, xmllint: %q", ours, theirs)] = m.sample.file
		return
	}
	if (len(ours) == 0) == (len(theirs) == 0) {
		l.agreed++
		return
	}
	l.differ++
	for _, text := range ours {
		l.look(m, false, text)
	}
	for _, text := range theirs {
		l.look(m, true, m.sample.name.Local+": "+text)
	}
}

// look finds the entries for what the judge says who alone refuses a mutant.
func (l *ledger) look(m mutant, taken bool, text string) {
	found := false
	for _, d := range l.listed {
		if d.is(m, taken, text) {
			d.met++
			found = true
		}
	}
	if !found {
		kind := "we refuse alone, saying "
		if taken {
			kind = "we take alone, xmllint says "
		}
		l.unlisted[kind+text] = m.sample.file + ", " + m.how
	}
}

// close tells of differences that are not listed, and of entries without any.
func (l *ledger) close(t *testing.T) {
	t.Helper()
	t.Logf("the judges agree on %d mutants and differ on %d for %d listed reasons",
		l.agreed, l.differ, len(l.listed))
	for _, d := range l.listed {
		if d.met == 0 && !d.theirs {
			t.Errorf("nothing differs as listed any more, take it out: %s: %s", d.where, d.what)
		}
	}
	for i, text := range slices.Sorted(maps.Keys(l.unlisted)) {
		if i == *most {
			t.Errorf("and %d more", len(l.unlisted)-i)
			break
		}
		t.Errorf("%.400q (%.200q)", text, l.unlisted[text])
	}
}
