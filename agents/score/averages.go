package score

// Average is an exponential moving average and the number of values in it.
type Average struct {
	Value   float64
	Updates uint64
}

// Smoothing is the weight of a new value in an Average.
const Smoothing = 0.1

// Observe takes a value in; the first one is taken as it is, what is not a number is left out.
func (a *Average) Observe(x float64) {}

// ObserveFromZero takes a value in, starting from zero: a newcomer earns its score step by step.
func (a *Average) ObserveFromZero(x float64) {}

// Entry is what a validator remembers of the peer at one uid.
type Entry struct {
	Hotkey [32]byte
	// Score is updated by every query, with zero when no usable answer came; the others by answers alone.
	Score       Average
	Shapley     Average
	Loss        Average // nats per standard token
	Base        Average
	Synergy     Average
	SynergyLoss Average // nats per standard token
	Route       Average // the gate's score
	LatencyNs   Average
}

// Averages is a table of entries by uid.
type Averages struct {
	entries []Entry
}

// Answered notes a query with its credit.
func (a *Averages) Answered(uid uint16, hotkey [32]byte, c Credit, route float64, latencyNs int64) {}

// Silent notes a query that brought no usable answer.
func (a *Averages) Silent(uid uint16, hotkey [32]byte) {}

// Refresh forgets the entry at a uid whose hotkey changed and reports whether it did.
func (a *Averages) Refresh(uid uint16, hotkey [32]byte) bool { return false }

// Entry returns what is known of a uid; zero if nothing is.
func (a *Averages) Entry(uid uint16) Entry { return Entry{} }

// Len is one more than the highest uid ever noted.
func (a *Averages) Len() int { return len(a.entries) }

// AppendBinary appends the table, little-endian.
func (a *Averages) AppendBinary(b []byte) ([]byte, error) { return b, nil }

// UnmarshalBinary replaces the table by what AppendBinary wrote.
func (a *Averages) UnmarshalBinary(b []byte) error { return nil }
