package bridge

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// Rules are how long a bridge waits.
type Rules struct {
	Confirmations uint64 // blocks after which it believes the other chain
	DelayBlocks   uint64 // besides those
	Remembers     uint64 // blocks for which it knows what it minted, in case they are reorganised
}

// Stage is where a transfer is.
type Stage uint8

// The stages of a transfer.
const (
	Coming    Stage = iota // out: locked here, and not minted there
	Minted                 // out: minted there
	Returning              // back: burned there, and not paid here
	Paid                   // back: paid here
	Undone                 // back: the burn was reorganised away before it was paid, and comes again
	Cheated                // back: the burn was reorganised away after it was paid
)

// Transfer is money on its way from one side to the other. A transfer is known by its ID.
type Transfer struct {
	ID        uint64
	AmountRao uint64
	Due       uint64 // block at which it arrives
	There     uint64 // block at which the other chain minted or burned it
	Stage     Stage
}

// Totals is all money that a bridge knows of.
type Totals struct{ LockedRao, MintedRao, PendingOutRao, PendingBackRao, ShortfallRao uint64 }

// Check says how the totals are wrong, if they are.
func (t Totals) Check() error {
	if have, want := t.LockedRao+t.ShortfallRao, t.MintedRao+t.PendingOutRao+t.PendingBackRao; have != want {
		return fmt.Errorf("bridge: %d rao locked and %d missing, but %d minted, %d on their way out and %d on their way back",
			t.LockedRao, t.ShortfallRao, t.MintedRao, t.PendingOutRao, t.PendingBackRao)
	}
	return nil
}

// Bridge is a bridge's books.
type Bridge struct {
	rules     Rules
	height    uint64
	last      uint64 // newest ID
	transfers []Transfer
	totals    Totals
}

// maxTransfers bounds what a bridge remembers.
const maxTransfers = 1 << 20

// New returns empty books at a height.
func New(rules Rules, height uint64) *Bridge { return &Bridge{rules: rules, height: height} }

// Totals is all money that the bridge knows of.
func (b *Bridge) Totals() Totals { return b.totals }

// Out locks money here, to be minted there. It is refused where too much is on its way.
func (b *Bridge) Out(rao uint64) (id uint64, err error) {
	if err := b.room(rao); err != nil {
		return 0, err
	}
	b.last++
	b.transfers = append(b.transfers, Transfer{ID: b.last, AmountRao: rao, Due: b.due(), Stage: Coming})
	b.totals.LockedRao += rao
	b.totals.PendingOutRao += rao
	return b.last, nil
}

// Back burns money there, to be paid here once it is due.
func (b *Bridge) Back(rao uint64) (id uint64, err error) {
	if err := b.room(rao); err != nil {
		return 0, err
	}
	if rao > b.totals.MintedRao {
		return 0, fmt.Errorf("bridge: %d rao to burn, %d are minted", rao, b.totals.MintedRao)
	}
	b.last++
	b.transfers = append(b.transfers, Transfer{ID: b.last, AmountRao: rao, Due: b.due(), There: b.height, Stage: Returning})
	b.totals.MintedRao -= rao
	b.totals.PendingBackRao += rao
	return b.last, nil
}

func (b *Bridge) room(rao uint64) error {
	if rao == 0 || len(b.transfers) >= maxTransfers {
		return fmt.Errorf("bridge: a transfer of %d rao with %d remembered; expected money, and at most %d", rao, len(b.transfers), maxTransfers)
	}
	return nil
}

func (b *Bridge) due() uint64 { return b.height + b.rules.Confirmations + b.rules.DelayBlocks }

// Advance goes to a height: what is due there is minted, and what burns were undone come again. It returns
// the transfers that are due here, oldest first: they stay on their way until Pay.
func (b *Bridge) Advance(height uint64) (due []Transfer) {
	b.height = max(b.height, height)
	for i := range b.transfers {
		t := &b.transfers[i]
		switch {
		case t.Stage == Coming && t.Due <= b.height:
			t.Stage, t.There = Minted, b.height
			b.totals.PendingOutRao -= t.AmountRao
			b.totals.MintedRao += t.AmountRao
		case t.Stage == Undone && t.AmountRao <= b.totals.MintedRao:
			t.Stage, t.There, t.Due = Returning, b.height, b.due()
			b.totals.MintedRao -= t.AmountRao
			b.totals.PendingBackRao += t.AmountRao
		case t.Stage == Returning && t.Due <= b.height:
			due = append(due, *t)
		}
	}
	b.transfers = slices.DeleteFunc(b.transfers, func(t Transfer) bool {
		over := t.Stage == Minted || t.Stage == Paid || t.Stage == Cheated
		return over && t.There+b.rules.Remembers < b.height
	})
	return due
}

// Pay says that a transfer that was due was paid here. It does nothing where it was paid before. A burn that
// was reorganised away while its payment was under way is missing from then on.
func (b *Bridge) Pay(id uint64) {
	t := b.find(id)
	switch {
	case t == nil:
		return
	case t.Stage == Returning:
		t.Stage = Paid
		b.totals.PendingBackRao -= t.AmountRao
	case t.Stage == Undone:
		t.Stage = Cheated
		b.totals.ShortfallRao += t.AmountRao
	default:
		return
	}
	b.totals.LockedRao -= t.AmountRao
}

// AmountRao is that of a transfer; 0 where it is not remembered.
func (b *Bridge) AmountRao(id uint64) uint64 {
	if t := b.find(id); t != nil {
		return t.AmountRao
	}
	return 0
}

// find is a remembered transfer.
func (b *Bridge) find(id uint64) *Transfer {
	i, known := slices.BinarySearchFunc(b.transfers, id, func(t Transfer, id uint64) int { return cmp.Compare(t.ID, id) })
	if !known {
		return nil
	}
	return &b.transfers[i]
}

// Reorganise takes back what the other chain did in its last blocks, the newest first. Mints come again by
// ID; so do burns, unless they were paid here meanwhile: those are missing from then on.
func (b *Bridge) Reorganise(depth uint64) {
	for i := len(b.transfers) - 1; i >= 0; i-- {
		t := &b.transfers[i]
		if t.There == 0 || t.There+depth <= b.height {
			continue
		}
		switch t.Stage {
		case Returning:
			t.Stage = Undone
			b.totals.PendingBackRao -= t.AmountRao
			b.totals.MintedRao += t.AmountRao
		case Paid:
			t.Stage = Cheated
			b.totals.MintedRao += t.AmountRao
			b.totals.ShortfallRao += t.AmountRao
		}
	}
	for i := range b.transfers { // with all burns back, what was minted is there to be taken
		if t := &b.transfers[i]; t.Stage == Minted && t.There+depth > b.height && t.AmountRao <= b.totals.MintedRao {
			t.Stage, t.There = Coming, 0
			b.totals.MintedRao -= t.AmountRao
			b.totals.PendingOutRao += t.AmountRao
		}
	}
}

// AppendBinary appends the books without the rules.
func (b *Bridge) AppendBinary(data []byte) ([]byte, error) {
	le := binary.LittleEndian
	for _, x := range []uint64{b.height, b.last, b.totals.ShortfallRao, b.totals.LockedRao, b.totals.MintedRao, uint64(len(b.transfers))} {
		data = le.AppendUint64(data, x)
	}
	for _, t := range b.transfers {
		for _, x := range []uint64{t.ID, t.AmountRao, t.Due, t.There, uint64(t.Stage)} {
			data = le.AppendUint64(data, x)
		}
	}
	return data, nil
}

const (
	headBytes     = 6 * 8
	transferBytes = 5 * 8
)

// UnmarshalBinary reads what AppendBinary wrote. After an error the books are as they were.
func (b *Bridge) UnmarshalBinary(data []byte) error {
	if len(data) < headBytes {
		return fmt.Errorf("bridge: %d bytes, expected at least %d", len(data), headBytes)
	}
	next := func() uint64 {
		x := binary.LittleEndian.Uint64(data)
		data = data[8:]
		return x
	}
	r := Bridge{rules: b.rules, height: next(), last: next()}
	r.totals.ShortfallRao, r.totals.LockedRao, r.totals.MintedRao = next(), next(), next()
	n := next()
	if n > maxTransfers || uint64(len(data)) != n*transferBytes {
		return fmt.Errorf("bridge: %d bytes of %d transfers, expected %d for each of at most %d", len(data), n, transferBytes, maxTransfers)
	}
	for range n {
		t := Transfer{ID: next(), AmountRao: next(), Due: next(), There: next()}
		if stage := next(); stage > uint64(Cheated) || t.ID > r.last || len(r.transfers) > 0 && r.transfers[len(r.transfers)-1].ID >= t.ID {
			return fmt.Errorf("bridge: transfer %d in stage %d; expected a known stage, and IDs that rise to %d", t.ID, stage, r.last)
		} else if t.Stage = Stage(stage); t.Stage == Coming {
			r.totals.PendingOutRao += t.AmountRao
		} else if t.Stage == Returning {
			r.totals.PendingBackRao += t.AmountRao
		}
		r.transfers = append(r.transfers, t)
	}
	if err := r.totals.Check(); err != nil {
		return err
	}
	*b = r
	return nil
}
