package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"taolab/sim/chain"
	"taolab/sim/live/wallet"
)

// A founding has addresses in its council; names of a scenario's nodes mean nothing there.
func TestAFoundingsCouncilIsOfAddresses(t *testing.T) {
	for _, text := range []string{"[chain]\ncouncil = [\"validator-1\"]\n", "[chain]\ncouncil_threshold = 1\n"} {
		if _, err := decodeFounding("founding.toml", text, nil); err == nil || !strings.Contains(err.Error(), "before the table [chain]") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A founder with a hotkey that a metagraph shows goes on with its uid and stake, where nobody knows another coldkey of
// it.
func TestAFounderGoesOnWithItsHotkeyInAMetagraph(t *testing.T) {
	cold, hot, other := wallet.Public(wallet.Known("cold")), wallet.Public(wallet.Known("hot")), wallet.Public(wallet.Known("other"))
	text := fmt.Sprintf("[[founders]]\ncoldkey = %q\nhotkey = %q\nconsensus_key = %q\nstake_tao = 7\n", wallet.Address(cold), wallet.Address(hot), wallet.Public(wallet.Known("consensus")))
	for _, c := range []struct{ coldkey, want string }{
		{"", ""},
		{fmt.Sprintf(`"coldkey": "%x", `, cold[:]), ""},
		{fmt.Sprintf(`"coldkey": "%x", `, other[:]), fmt.Sprintf("has uid 1 already, and there its coldkey is %s", wallet.Address(other))},
	} {
		metagraph := fmt.Sprintf(`{"format": "taolab-metagraph/1", "block": 100, "era": "2026", "uids": 16, "neurons": [
			{"hotkey": "%x", "stake_rao": 0, "permit": false}, {"hotkey": "%x", %s"stake_rao": 5000000000000, "permit": true}]}`, other[:], hot[:], c.coldkey)
		f, err := decodeFounding("founding.toml", text, nil)
		if err != nil {
			t.Fatal(err)
		}
		made, _, err := f.goOn("net", []byte(metagraph), time.Unix(1, 0))
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, expected %q", c.coldkey, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.coldkey, err)
			continue
		}
		state, err := made.State()
		if err != nil {
			t.Fatal(err)
		}
		v := state.View()
		if n := v.Neuron(1); v.N() != 2 || n.Coldkey != cold || v.StakeOf(hot) != 5000*chain.RaoPerTAO || v.FreeOf(cold) != 10*chain.RaoPerTAO || len(v.Operators()) != 1 {
			t.Errorf("%s: %d neurons, %+v, stake %d, free %d, operators %v", c.coldkey, v.N(), n, v.StakeOf(hot), v.FreeOf(cold), v.Operators())
		}
	}
}
