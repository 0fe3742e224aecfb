package agents

import (
	"strings"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/host"
)

// A newcomer of two identities registers one after the other, and serves from the first on.
func TestANewcomerRegistersEachOfItsIdentities(t *testing.T) {
	f := newFakeEnv(t, 3, func(g *chain.Genesis) { g.Params.MaxUIDs = 8 })
	f.self = publicKey("hot new")
	pay := func(m chain.Msg) {
		t.Helper()
		tx := chain.Sign(f.state.ChainID(), testKey("cold"), f.state.Nonce(publicKey("cold")), f.state.Height()+1, m)
		if err := f.state.Apply(tx); err != nil {
			t.Fatal(err)
		}
		f.state.EndBlock()
	}
	pay(chain.RemoveStake{Hotkey: publicKey("hot 0"), AmountRao: chain.RaoPerTAO})
	n := NewNewcomer(NewcomerConfig{RetryBlocks: 5, Tries: 2, Identities: 2, Then: func() host.Agent { return still{} }})
	n.Handle(f, host.Start{})
	n.Handle(f, host.Block{ID: n.timer})
	first := n.submit
	pay(chain.Register{Hotkey: f.self})
	n.Handle(f, host.Included{ID: first})
	second := n.submit
	if n.Agent() == nil || second == first {
		t.Fatalf("after the first registration it is %v and has sent %d", n.Agent(), second)
	}
	f.take()
	n.Handle(f, host.Rejected{ID: second})
	n.Handle(f, host.Block{ID: n.timer}) // the second try
	third := n.submit
	if said := f.take(); third == second || !strings.Contains(said, "register") {
		t.Fatalf("after a refusal it said:\n%s", said)
	}
	pay(chain.Register{Hotkey: publicKey("hot new 1")})
	n.Handle(f, host.Included{ID: third})
	if n.registers() {
		t.Error("two identities have a uid, and it would register more")
	}
	n = NewNewcomer(n.config) // begins again with the seats that it has
	n.Handle(f, host.Start{})
	if n.Agent() == nil || n.registers() || strings.Contains(f.take(), "register") {
		t.Error("a newcomer that has its seats registers again")
	}
}

// Where hotkeys are claimed, a newcomer claims its own, registers, and is somebody else then.
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
