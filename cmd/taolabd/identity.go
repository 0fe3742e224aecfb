package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"taolab/agents/role"
	"taolab/sim/live"
)

// identityTable is a further hotkey of a miner, under which it serves too.
type identityTable struct {
	Hotkey   string `toml:"hotkey" doc:"name of a further hotkey in the miner's wallet"`
	Listen   string `toml:"listen" doc:"address where the miner serves under it"`
	Announce string `toml:"announce" doc:"address and port that the ledger shows to callers of it; empty: that of listen, where it is one of this machine only"`
}

// others are the miner's further identities as agents would have them.
func (m *minerTable) others() (all []*agentTable) {
	for i, x := range m.Also {
		all = append(all, &agentTable{
			Name: fmt.Sprintf("%s/%d", m.Name, i+2), Wallet: m.Wallet, Hotkey: x.Hotkey, Listen: x.Listen, Announce: x.Announce,
		})
	}
	return all
}

// checkIdentities reports further identities that the miner cannot have.
func (m *minerTable) checkIdentities(path string, report role.Report) {
	taken := map[string]bool{m.Hotkey: true}
	for i, a := range m.others() {
		at := fmt.Sprintf("%s.also[%d]", path, i)
		if a.Hotkey == "" || taken[a.Hotkey] {
			report(at+".hotkey", fmt.Sprintf("%q is missing or stands twice", a.Hotkey), "a hotkey of the wallet for each", "")
		}
		taken[a.Hotkey] = true
		if _, err := a.announced(); err != nil {
			report(at+".announce", err.Error(), "an address and port that callers reach, as in 203.0.113.7:8092", "")
		}
		if a.Listen == "" {
			report(at+".listen", "missing", "an address where the miner serves, as in 0.0.0.0:8092", "")
		} else {
			reportAddress(report, at+".listen", a.Listen)
		}
	}
	switch uids := len(m.Also) + 1; m.UIDs {
	case 1:
		m.UIDs = uids
	case uids:
	default:
		report(path+".uids", fmt.Sprintf("%d uids and %d hotkeys", m.UIDs, uids), "a [[miners.also]] for each uid after the first", "or leave uids out")
	}
}

// identities are the further ones of an agent of this name.
func (s *nodeSettings) identities(name string, hotkeys map[string]ed25519.PrivateKey) (all []live.Identity, err error) {
	for i := range s.Miners {
		if s.Miners[i].Name != name {
			continue
		}
		for _, a := range s.Miners[i].others() {
			announce, wrong := a.announced()
			err = errors.Join(err, wrong)
			all = append(all, live.Identity{Hotkey: hotkeys[a.Name], Listen: a.Listen, Announce: announce})
		}
	}
	return all, err
}
