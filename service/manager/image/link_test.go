package image

import "testing"

// TestTransfersShareTheLink gives each transfer its share, as many as there are.
func TestTransfersShareTheLink(t *testing.T) {
	l := &link{limit: 1000}
	first, leave := l.enter()
	if got := first(); got != 1000 {
		t.Errorf("alone it may take %d", got)
	}
	second, over := l.enter()
	if first()+second() != 1000 || first() != 500 {
		t.Errorf("two may take %d and %d", first(), second())
	}
	leave()
	if got := now(second); got != 1000 {
		t.Errorf("alone again it may take %d", got)
	}
	over()
	if rate, leave := new(link).enter(); rate != nil || now(rate) != 0 {
		t.Error("there is a limit where none is")
	} else {
		leave()
	}
}
