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
)

func (EpochRan) event()   {}
func (Registered) event() {}
func (Replaced) event()   {}

// eventBytes is the size of the smallest event.
const eventBytes = 1 + 8 + 2 + 32

// eventLayout codes the events that may wait for the end of their block: a kind, its fields.
func eventLayout(c *coder, e *Event) {
	var kind uint8
	var joined Registered
	var left Replaced
	switch v := (*e).(type) {
	case Registered:
		kind, joined = 1, v
	case Replaced:
		kind, left = 2, v
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
	default:
		if c.err == nil {
			c.err = fmt.Errorf("has event kind %d, which is unknown", kind)
		}
	}
}
