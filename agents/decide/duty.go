package decide

// dutySteps are the shares of its time that a miner may train, as quarters.
const dutySteps = 4

// Effort is what a miner learns about the income that its duty brings.
type Effort struct {
	Quarters uint8   // of its time that it trains
	Before   float64 // income at the last decision
	Up       bool    // direction of the change that it made
	Begun    bool    // there was one
	Slope    Average // income per quarter
}

// Next takes the income since the last call and returns the quarters for the time until the next: one more
// where the last quarter's expected income exceeds its energy, one less where it does not.
func (e *Effort) Next(income, energyPerQuarter, share float64) uint8 {
	if e.Begun {
		change := income - e.Before
		if !e.Up {
			change = -change
		}
		e.Slope.Take(change, share)
	}
	e.Before, e.Begun = income, true
	if e.Up = e.Slope.Or(energyPerQuarter) >= energyPerQuarter; e.Up {
		e.Quarters = min(e.Quarters+1, dutySteps)
	} else {
		e.Quarters = max(e.Quarters, 1) - 1
	}
	return e.Quarters
}

// Share is the duty as a share.
func (e *Effort) Share() float64 { return float64(e.Quarters) / dutySteps }
