package chain

// Event is something that happened in a block: one of the types below.
type Event interface{ event() }

// The events.
type (
	// EpochRan says that an epoch ran at the end of Block and drained the pending emission.
	EpochRan struct {
		Block          uint64
		Epoch          uint64 // running number, from 0
		EmissionRao    uint64 // drained = paid + dust + unallocated
		PaidRao        uint64
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
