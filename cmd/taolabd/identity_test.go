package main

import (
	"crypto/ed25519"
	"net/netip"
	"testing"

	"taolab/sim/live/wallet"
)

// Further hotkeys of a miner are identities of its one node, each at the address that it says.
func TestFurtherHotkeysOfAMinerAreIdentitiesOfItsNode(t *testing.T) {
	const text = `
[[miners]]
name = "m"
listen = "127.0.0.1:8091"
[[miners.also]]
hotkey = "two"
listen = "127.0.0.1:8092"
[[miners.also]]
hotkey = "three"
listen = "0.0.0.0:8093"
announce = "203.0.113.7:9093"
`
	s, err := decodeSettings("node.toml", text, unchanged)
	if err != nil {
		t.Fatal(err)
	}
	m := &s.Miners[0]
	if others := m.others(); m.UIDs != 3 || len(others) != 2 || others[1].Name != "m/3" || others[1].Hotkey != "three" || others[1].Wallet != m.Wallet {
		t.Errorf("%d uids, %+v", m.UIDs, others)
	}
	keys := map[string]ed25519.PrivateKey{"m": wallet.Known("a"), "m/2": wallet.Known("b"), "m/3": wallet.Known("c")}
	got, err := s.identities("m", keys)
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	for i, want := range []struct{ key, listen, announce string }{{"b", "127.0.0.1:8092", "127.0.0.1:8092"}, {"c", "0.0.0.0:8093", "203.0.113.7:9093"}} {
		if x := got[i]; !x.Hotkey.Equal(wallet.Known(want.key)) || x.Listen != want.listen || x.Announce != netip.MustParseAddrPort(want.announce) {
			t.Errorf("identity %d serves at %s, announced as %v; expected %+v", i+1, x.Listen, x.Announce, want)
		}
	}
	if other, err := s.identities("n", keys); err != nil || other != nil {
		t.Errorf("an agent without further hotkeys has %v, %v", other, err)
	}
}
