package virtual

import "testing"

// Churn gives a node another hotkey between two blocks.
func TestACallersStandingIsThatOfItsHotkeyOfNow(t *testing.T) {
	w, err := New(busy(t))
	if err != nil {
		t.Fatal(err)
	}
	view, x := w.Chain(), &w.nodes[0].ids[0]
	for _, other := range []int{0, 1, 2} {
		x.hotkey = w.nodes[other].ids[0].hotkey
		if got, want := x.standingIn(view).stakeRao, view.StakeOf(x.hotkey.Key); got != want || want == 0 {
			t.Errorf("stake %d under the hotkey of node %d, want %d", got, other, want)
		}
	}
}
