package virtual

import "testing"

// Churn gives a node another hotkey between two blocks.
func TestACallersStandingIsThatOfItsHotkeyOfNow(t *testing.T) {
	w, err := New(busy(t))
	if err != nil {
		t.Fatal(err)
	}
	view, n := w.Chain(), &w.nodes[0]
	for _, other := range []int{0, 1, 2} {
		n.hotkey = w.nodes[other].hotkey
		if got, want := n.standingIn(view).stakeRao, view.StakeOf(n.hotkey.Key); got != want || want == 0 {
			t.Errorf("stake %d under the hotkey of node %d, want %d", got, other, want)
		}
	}
}
