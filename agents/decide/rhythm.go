package decide

// Rhythm is when an owner decides: at the epochs e with (e + Offset) mod Every = 0. Owners with offsets of
// their own do not all answer one signal at the same time, which damps what they do together.
type Rhythm struct{ Every, Offset uint64 }

// Due reports whether a decision comes once so many epochs have run.
func (r Rhythm) Due(epochs uint64) bool { return r.Every > 0 && (epochs+r.Offset)%r.Every == 0 }

// Wait is the number of epochs, at least 1, from one count of epochs to the next decision.
func (r Rhythm) Wait(epochs uint64) uint64 { return r.Every - (epochs+r.Offset)%r.Every }

// Average is an exponential moving average that begins at its first value.
type Average struct {
	Value float64
	Known bool // it has one
}

// Take moves the average by a share toward a new value.
func (a *Average) Take(x, share float64) {
	if !a.Known {
		a.Value, a.Known = x, true
		return
	}
	a.Value += float64(share * (x - a.Value))
}

// Or is the average, or another value where it has none.
func (a Average) Or(other float64) float64 {
	if a.Known {
		return a.Value
	}
	return other
}
