package live

import (
	"testing"

	"taolab/sim/chain"
	"taolab/sim/live/axon"
)

// On a ledger that lets anybody serve with any key, calls to a hotkey's own key still find that hotkey, and its
// caller has its own stake.
func TestAHotkeysOwnKeyIsNobodyElses(t *testing.T) {
	g := genesis([]string{"thief", "victim"}, 2, nil)
	rich := axon.KeyOf(keyOf("rich"))
	g.Stakes = []chain.GenesisStake{{Hotkey: rich, Coldkey: axon.KeyOf(keyOf("cold rich")), StakeRao: chain.RaoPerTAO}}
	state, err := chain.New(g)
	if err != nil {
		t.Fatal(err)
	}
	thief, victim := axon.KeyOf(keyOf("thief")), axon.KeyOf(keyOf("victim"))
	nonce := uint64(0)
	serve := func(key chain.Key) *sight {
		t.Helper()
		m := chain.ServeAxon{Axon: key, IP: [16]byte{15: 1}, Port: 1}
		if err := state.Apply(chain.Sign(g.ChainID, keyOf("thief"), nonce, 10, m)); err != nil {
			t.Fatal(err)
		}
		nonce++
		return see(state.View(), nil, nil, false)
	}
	if s := serve(victim); s.hotkeyOf(victim) != victim || s.peers[victim].address.IsValid() {
		t.Errorf("the victim is %v at %v", s.hotkeyOf(victim), s.peers[victim].address)
	}
	if s := serve(rich); s.hotkeyOf(rich) != rich {
		t.Errorf("a hotkey without a uid is %v", s.hotkeyOf(rich))
	}
	own := axon.KeyOf(keyOf("an axon of its own"))
	if s := serve(own); s.hotkeyOf(own) != thief || !s.peers[own].address.IsValid() {
		t.Errorf("the owner of another key is %v at %v", s.hotkeyOf(own), s.peers[own].address)
	}
}
