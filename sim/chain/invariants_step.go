package chain

import (
	"bytes"
	"fmt"

	"taolab/sim/chain/consensus"
)

var stepInvariants = []Invariant{
	{Name: "constitution-kept",
		Doc: "chain id and what was issued before genesis never change, and the rule only by an upgrade",
		step: func(a, b observation) error {
			ruled := a.params.Rule != b.params.Rule && a.stored == b.stored
			if a.chainID != b.chainID || ruled || a.issuanceOffset != b.issuanceOffset {
				return fmt.Errorf("%s, %s, %d rao became %s, %s, %d rao", a.chainID, a.params.Rule,
					a.issuanceOffset, b.chainID, b.params.Rule, b.issuanceOffset)
			}
			return nil
		}},
	{Name: "time-passes",
		Doc: "height, the number of epochs and the block of the last one never fall",
		step: func(a, b observation) error {
			return atLeast("height", b.height, a.height, "epochs", b.epochs, a.epochs,
				"last epoch", b.lastEpoch, a.lastEpoch)
		}},
	{Name: "minted-by-blocks",
		Doc: "minted money never falls, and grows only where blocks end",
		step: func(a, b observation) error {
			if a.height == b.height {
				return is("minted money in rao", b.money.Minted, a.money.Minted)
			}
			return atLeast("minted money", b.money.Minted, a.money.Minted)
		}},
	{Name: "pending-until-the-epoch",
		Doc: "between epochs all that is minted waits for the next; more than that never waits",
		step: func(a, b observation) error {
			minted := b.money.Minted - a.money.Minted
			if a.epochs == b.epochs {
				return is("pending money in rao", b.money.Pending, a.money.Pending+minted)
			}
			return atMost("pending money in rao", b.money.Pending, minted)
		}},
	{Name: "sinks-keep",
		Doc: "burned, recycled, left over and unallocated money never comes back, and only a " +
			"transaction or evidence burns",
		step: func(a, b observation) error {
			slashed := b.params.Hard.Seats != 0 && (a.height != b.height || a.begun != b.begun)
			if a.money.Burned != b.money.Burned && a.nonces() == b.nonces() && !slashed {
				return is("burned money in rao", b.money.Burned, a.money.Burned)
			}
			return atLeast("burned money", b.money.Burned, a.money.Burned,
				"recycled money", b.money.Recycled, a.money.Recycled,
				"dust", b.money.Dust, a.money.Dust,
				"unallocated money", b.money.Unallocated, a.money.Unallocated)
		}},
	{Name: "accounts-go-on",
		Doc: "an account stays, its nonce never falls, and a hotkey keeps its owner; but accounts without " +
			"their deposit go, and a hotkey may give all to a new one of its owner",
		step: func(a, b observation) error {
			return a.accounts.each(func(old *account) error {
				if !b.accounts.has(old.key) && b.params.Hard.ExistentialRao != 0 {
					return nil
				}
				now := b.accounts.get(old.key)
				if old.owner != (Key{}) && old.owner != now.owner && !b.gaveUp(&now) {
					return fmt.Errorf("owner %s became %s", old.owner, now.owner)
				}
				return atLeast("nonce", now.nonce, old.nonce)
			})
		}},
	{Name: "takes-limited",
		Doc: "a delegate never closes, and its take rises at most to MaxTake",
		step: func(a, b observation) error {
			return b.accounts.each(func(now *account) error {
				old := a.accounts.get(now.key)
				if old.delegate && !now.delegate && b.accounts.has(now.key) && !b.gaveUp(now) {
					return fmt.Errorf("it is a delegate no more")
				}
				if now.take <= old.take {
					return nil
				}
				return atMost("take", uint64(now.take), uint64(b.params.MaxTake))
			})
		}},
	{Name: "slots-go-on",
		Doc: "a slot stays for ever, and its neuron gives way only to a younger one",
		step: func(a, b observation) error {
			if err := atLeast("number of neurons", uint64(b.neurons.n), uint64(a.neurons.n)); err != nil {
				return err
			}
			return a.neurons.each(func(uid UID, old *neuron) error {
				now := b.neurons.get(uid)
				if old.registeredAt == now.registeredAt && (old.hotkey == now.hotkey || b.swapped(old, now)) {
					return nil
				}
				return within("block of registration", now.registeredAt,
					max(old.registeredAt, a.height+1), b.height+1)
			})
		}},
	{Name: "permits-limited",
		Doc: "an epoch gives at most MaxValidators permits, and one to the network's owner",
		step: func(a, b observation) error {
			// Governance may lower the limit afterwards; nakamoto permits everybody.
			if b.epochs == a.epochs || b.lastEpoch != b.height || b.params.Rule == consensus.Nakamoto ||
				a.params.MaxValidators != b.params.MaxValidators {
				return nil
			}
			return atMost("number of permits", b.permits(), uint64(b.params.MaxValidators)+1)
		}},
	{Name: "registrations-limited",
		Doc: "a registration is one of at most so many in its block and its interval",
		step: func(a, b observation) error {
			if a.height != b.height || b.inBlock <= a.inBlock {
				return nil
			}
			p := &b.params
			err := atMost("registrations in the block", uint64(b.inBlock), uint64(p.MaxRegistrationsPerBlock))
			if err == nil && p.intervalLimited() {
				err = atMost("registrations in the interval", b.inInterval(),
					3*uint64(p.TargetRegistrations))
			}
			return err
		}},
	{Name: "nothing-by-itself",
		Doc: "nothing changes but by a transaction, which uses up a nonce, or where a block begins or ends",
		step: func(a, b observation) error {
			if a.height != b.height || a.begun != b.begun || a.stored != b.stored || hashMarked(a, b) {
				return nil
			}
			if a.nonces() != b.nonces() || bytes.Equal(a.bytes(), b.bytes()) {
				return nil
			}
			return fmt.Errorf("the state changed, the nonces did not")
		}},
}

// atLeast takes a name, a number now and before, as often as wanted, and objects to one that fell.
func atLeast(facts ...any) error {
	for ; len(facts) >= 3; facts = facts[3:] {
		if now, before := facts[1].(uint64), facts[2].(uint64); now < before {
			return fmt.Errorf("%s fell from %d to %d", facts[0], before, now)
		}
	}
	return nil
}

func (m observation) permits() uint64 {
	var sum uint64
	_ = m.neurons.each(func(_ UID, n *neuron) error {
		if n.permit {
			sum++
		}
		return nil
	})
	return sum
}

// nonces is the sum of all, modulo 2^64: it stays only where no transaction was applied.
func (m observation) nonces() (sum uint64) {
	_ = m.accounts.each(func(a *account) error {
		sum += a.nonce
		return nil
	})
	return sum
}

// bytes is everything that an observation shows.
func (m observation) bytes() []byte {
	s := State{header: m.header, accounts: m.accounts, neurons: m.neurons}
	b, _ := s.AppendBinary(nil)
	return b
}
