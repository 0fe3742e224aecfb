package agents

import (
	"strings"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/host"
)

// Where hotkeys are claimed, a newcomer claims its own, registers, and then becomes another
// agent.
func TestANewcomerClaimsItsHotkeyBeforeItRegisters(t *testing.T) {
	f := newFakeEnv(t, 3)
	g := f.state.Export()
	g.Params.Hard = chain.Hard{Consent: true, StrictNonce: true}
	state, err := chain.Import(g)
	if err != nil {
		t.Fatal(err)
	}
	f.state, f.self = state, publicKey("hot new")
	cold := testKey("cold")
	pay := func(m chain.Msg) {
		t.Helper()
		tx := chain.Sign(f.state.ChainID(), cold, f.state.Nonce(publicKey("cold")), f.state.Height()+1, m)
		if err := f.state.Apply(tx); err != nil {
			t.Fatal(err)
		}
		f.state.EndBlock()
	}
	pay(chain.RemoveStake{Hotkey: publicKey("hot 0"), AmountRao: chain.RaoPerTAO})
	n := NewNewcomer(NewcomerConfig{RetryBlocks: 1, Tries: 1, Then: func() host.Agent { return still{} }})
	n.Handle(f, host.Start{})
	n.Handle(f, host.Block{ID: n.timer})
	claim := n.submit
	pay(chain.SignClaim(f.state.ChainID(), testKey("hot new"), publicKey("cold"), f.state.Height()+1))
	n.Handle(f, host.Included{ID: claim})
	register := n.submit
	if said := f.take(); register == claim || !strings.Contains(said, ": claim") || !strings.Contains(said, ": register") {
		t.Fatalf("it said:\n%s", said)
	}
	pay(chain.Register{Hotkey: f.self})
	n.Handle(f, host.Included{ID: register})
	if n.Agent() == nil {
		t.Error("it has a uid and is nobody")
	}
}
