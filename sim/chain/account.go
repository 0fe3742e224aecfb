package chain

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"
)

// account is all that the ledger knows about a key besides its neuron: the money of a coldkey, the
// nonce of what it signs, and what it holds as a hotkey.
type account struct {
	key       Key
	freeRao   uint64
	nonce     uint64      // smallest that its next transaction may have
	unbonding []unbonding // oldest first
	refs      uint32      // hotkeys that it owns and nominations of its own, where accounts take a deposit
	*hotkey               // noHotkey for a key that is nobody's hotkey; never nil, to be changed by State.hotkey only
}

// hotkey is the part of an account that only hotkeys have. A part of another age than the state's is
// shared with views.
type hotkey struct {
	age         uint64
	owner       Key    // the coldkey that owns this hotkey; zero: nobody
	stakeRao    uint64 // its nominators' included
	delegate    bool   // open to nominators
	take        uint16 // share of their dividends that the owner keeps, in 1/65535
	changedIn   uint64 // Params.StakeSettles: epoch, from 1, in which stake was last added or removed
	settledRao  uint64 // the owner's stake when that epoch began
	spentIn     uint64 // epoch, from 1, in which its owner last paid for what it signed
	spent       uint64 // units of work in that epoch
	last        limits // when it did what is limited in time
	nominations []nomination
	listed      bool // digest is that of the nominations
	digest      Digest
}

// nomination is the stake that a coldkey other than the owner has on a delegate hotkey.
type nomination struct {
	coldkey    Key
	stakeRao   uint64
	settledRao uint64 // when the epoch began in which stake on the hotkey was last changed
}

// noHotkey stands in every account that is not a hotkey.
var noHotkey = &hotkey{}

const (
	nominationBytes = 32 + 2*8
	accountBytes    = 32 + 2*8 + 1
)

// nomination returns the place of a nominator and whether it is there.
func (h *hotkey) nomination(coldkey Key) (int, bool) {
	return slices.BinarySearchFunc(h.nominations, coldkey, func(n nomination, k Key) int {
		return bytes.Compare(n.coldkey[:], k[:])
	})
}

// setNominations replaces the nominations. Views share lists, so they are never changed in place.
func (h *hotkey) setNominations(all []nomination) {
	h.nominations, h.listed, h.digest = all, false, Digest{}
}

// blank reports whether the part holds nothing.
func (h *hotkey) blank() bool {
	return h.owner == Key{} && h.stakeRao == 0 && !h.delegate && h.take == 0 && h.changedIn == 0 &&
		h.settledRao == 0 && h.spentIn == 0 && h.spent == 0 && h.last == limits{} && len(h.nominations) == 0
}

// layout is the record as a state keeps it.
func (a *account) layout(c *coder) {
	a.with(c, func(h *hotkey) { list(c, &h.nominations, nominationBytes, nominationLayout(c)) })
}

// hashed is the record as its leaf hashes it: with the digest of the nominations in their place.
func (a *account) hashed(c *coder) {
	a.with(c, func(h *hotkey) {
		digest := h.nominationsDigest()
		c.bytes(digest[:])
		if c.reading {
			h.digest = digest
		}
	})
}

// with codes the record; a hotkey's has its nominations in it.
func (a *account) with(c *coder, nominations func(*hotkey)) {
	c.bytes(a.key[:])
	c.u64(&a.freeRao)
	c.u64(&a.nonce)
	form := a.form()
	c.u8(&form)
	if c.reading {
		a.hotkey = noHotkey
		if form&hotForm != 0 {
			a.hotkey = &hotkey{}
		}
		if form&^allForms != 0 || form&(spendingForm|limitedForm) != 0 && form&hotForm == 0 {
			c.err = cmp.Or(c.err, errCanonical)
		}
	}
	if form&hotForm != 0 {
		h := a.hotkey
		c.bytes(h.owner[:])
		c.u64(&h.stakeRao)
		c.flag(&h.delegate)
		c.u16(&h.take)
		c.u64(&h.changedIn)
		c.u64(&h.settledRao)
		if form&spendingForm != 0 {
			c.u64(&h.spentIn)
			c.u64(&h.spent)
		}
		if form&limitedForm != 0 {
			h.last.layout(c)
		}
		nominations(h)
	}
	if form&unbondingForm != 0 {
		list(c, &a.unbonding, unbondingBytes, unbondingLayout(c))
	}
	if form&namedForm != 0 {
		c.u32(&a.refs)
	}
}

// The form of a record is the sum of what it has besides money and nonce.
const (
	hotForm       uint8 = 1 << iota // it is a hotkey's
	spendingForm                    // whose owner paid for it
	limitedForm                     // and that did what is limited in time
	unbondingForm                   // stake is on its way to it
	namedForm                       // other records name it

	allForms = hotForm | spendingForm | limitedForm | unbondingForm | namedForm
)

func (a *account) form() (form uint8) {
	add := func(part uint8, there bool) {
		if there {
			form |= part
		}
	}
	add(hotForm, a.hotkey != nil && !a.blank())
	if form != 0 {
		add(spendingForm, a.spentIn != 0 || a.spent != 0)
		add(limitedForm, a.last != limits{})
	}
	add(unbondingForm, len(a.unbonding) > 0)
	add(namedForm, a.refs > 0)
	return form
}

func nominationLayout(c *coder) func(*nomination) {
	return func(n *nomination) {
		c.bytes(n.coldkey[:])
		c.u64(&n.stakeRao)
		c.u64(&n.settledRao)
	}
}

// nominationsDigest is the hash of the list of nominations, zero where there are none.
func (h *hotkey) nominationsDigest() Digest {
	if h.listed || len(h.nominations) == 0 {
		return h.digest
	}
	c := coder{buf: make([]byte, 0, 5+nominationBytes*len(h.nominations))}
	c.buf = append(c.buf, listDomain)
	list(&c, &h.nominations, nominationBytes, nominationLayout(&c))
	return sha256.Sum256(c.buf)
}
