package chain

import "fmt"

// Event is something that happened in a block: one of the types below.
type Event interface{ event() }

// The events.
type (
	// EpochRan says that an epoch ran at the end of Block and drained the pending emission:
	// Emission = Paid + Dust + Unallocated.
	EpochRan struct {
		Block          uint64
		Epoch          uint64 // running number, from 0
		EmissionRao    uint64
		PaidRao        uint64
		OwnerRao       uint64 // part of what was paid: the owner's cut
		DustRao        uint64
		UnallocatedRao uint64
	}
	// Registered says that Hotkey got UID and what was burned for it.
	Registered struct {
		Block   uint64
		UID     UID
		Hotkey  Key
		BurnRao uint64
	}
	// Replaced says that the neuron Old lost UID; a Registered event for the newcomer follows.
	Replaced struct {
		Block uint64
		UID   UID
		Old   Key
	}
	// Accused says what came of evidence that a consensus key signed twice: nothing, if nobody has
	// the key or its hotkey paid for it before.
	Accused struct {
		Block      uint64
		Address    Address
		Hotkey     Key // zero: nobody has the key
		SlashedRao uint64
	}
	// Seated says at an epoch's end which seats changed. Kept means that nobody would have been left,
	// so that all stayed.
	Seated struct {
		Block   uint64
		Kept    bool
		Changes []SeatChange
	}
	// Decided says what became of a proposal of the council: it is in force, or dropped for a reason.
	Decided struct {
		Block   uint64
		ID      uint64
		InForce bool
		Reason  string // "expired" or "impossible"
	}
	// Upgraded says that Block, the next, is the first under a version of the rules.
	Upgraded struct {
		Block uint64
		Rules uint32
	}
)

func (EpochRan) event()   {}
func (Registered) event() {}
func (Replaced) event()   {}
func (Accused) event()    {}
func (Seated) event()     {}
func (Decided) event()    {}
func (Upgraded) event()   {}

// eventBytes is the size of the smallest event.
const eventBytes = 1 + 8 + 2 + 32

// eventLayout codes the events that may wait for the end of their block: a kind, its fields.
func eventLayout(c *coder, e *Event) {
	var kind uint8
	var joined Registered
	var left Replaced
	var accused Accused
	switch v := (*e).(type) {
	case Registered:
		kind, joined = 1, v
	case Replaced:
		kind, left = 2, v
	case Accused:
		kind, accused = 3, v
	}
	c.u8(&kind)
	switch kind {
	case 1:
		c.u64(&joined.Block)
		c.u16((*uint16)(&joined.UID))
		c.bytes(joined.Hotkey[:])
		c.u64(&joined.BurnRao)
		if c.reading {
			*e = joined
		}
	case 2:
		c.u64(&left.Block)
		c.u16((*uint16)(&left.UID))
		c.bytes(left.Old[:])
		if c.reading {
			*e = left
		}
	case 3:
		c.u64(&accused.Block)
		c.bytes(accused.Address[:])
		c.bytes(accused.Hotkey[:])
		c.u64(&accused.SlashedRao)
		if c.reading {
			*e = accused
		}
	default:
		if c.err == nil {
			c.err = fmt.Errorf("has event kind %d, which is unknown", kind)
		}
	}
}
