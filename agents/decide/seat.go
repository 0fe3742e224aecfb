package decide

import (
	"math"

	"taolab/sim/chain"
)

// HoursPerYear are those of a Julian year.
const HoursPerYear = 8766.0

// Costs is what it takes to run a node, in units of account.
type Costs struct {
	HardwarePerH float64 // for each hour that it is there
	Watts        float64 // while it computes
	PerKWh       float64 // price of energy
}

// RaoPerHour is the running cost at a price of a unit of account in TAO.
func (c Costs) RaoPerHour(price, duty float64) float64 {
	energy := float64(float64(c.Watts/1000) * float64(duty*c.PerKWh))
	return float64(float64(price*chain.RaoPerTAO) * (c.HardwarePerH + energy))
}

// Seat is what decides whether an owner holds a seat.
type Seat struct {
	Discount   float64 // of the next epoch's money against this one's
	Patience   uint32  // decisions with income below cost, one after the other, before it leaves
	Hysteresis float64 // by how much income must exceed cost before it enters
	Factor     float64 // by how much the seat's worth must exceed its price; 1: at once
	Survival   float64 // chance to outlast an immunity in which it earns nothing; 0: it expects its income from the first epoch on
}

// Value is what a seat is worth whose income less cost per epoch stays while it lasts: hazard is the chance
// per epoch to lose it.
func (s Seat) Value(net, hazard float64) float64 {
	keep := float64((1 - hazard) / (1 + s.Discount))
	return float64(net*keep) / (1 - keep)
}

// Enters reports whether to take a seat at a price, with what is free to pay it, and what the seat is worth that
// is immune for so many epochs.
func (s Seat) Enters(income, cost, hazard float64, immune uint64, priceRao, freeRao float64) (worth float64, choice string) {
	if worth = s.Value(income-cost, hazard); s.Survival > 0 {
		worth = s.Trial(immune, 0, income, cost, s.Survival, hazard)
	}
	switch {
	case income <= float64(cost*(1+s.Hysteresis)):
		return worth, Unprofitable
	case worth <= float64(priceRao*s.Factor):
		return worth, Dear
	case freeRao < priceRao:
		return worth, Poor
	}
	return worth, Enter
}

// Stays reports whether a seat is kept. Strikes counts the decisions in a row at which it did not pay.
func (s Seat) Stays(income, cost float64, strikes *uint32) bool {
	if income >= cost {
		*strikes = 0
		return true
	}
	*strikes++
	return *strikes < s.Patience
}

// Trial is what a seat is worth whose first epochs are immune: income y0 in those, then y if it survives
// their end.
func (s Seat) Trial(immune uint64, y0, y, cost, survival, hazard float64) float64 {
	k, q := 1/(1+s.Discount), 1-hazard
	worth, factor := 0.0, 1.0
	for range immune {
		factor = float64(factor * k)
		worth += float64(factor * (y0 - cost))
	}
	later := float64(survival * float64(factor*k))
	return worth + float64(later*(y-cost))/(1-float64(k*q))
}

// WaitFactor is by how much the worth of something must exceed its price before it pays to buy it rather
// than to wait: drift, spread and discount are those of the worth, per year.
func WaitFactor(drift, spread, discount float64) float64 {
	variance := float64(spread * spread)
	if variance == 0 {
		return 1
	}
	a := float64(drift/variance) - 0.5
	b := math.Sqrt(float64(a*a)+float64(2*discount)/variance) - a
	return b / (b - 1)
}

// The choices of an owner about its seat.
const (
	Enter        = "enter"        // it pays, and the registration is on its way
	Hash         = "hash"         // it pays, and it looks for a seal
	Return       = "return"       // its seat is still there, and pays again
	Stay         = "stay"         // it goes on
	Leave        = "leave"        // it does not pay: the node stops serving
	Lost         = "lost"         // somebody else has the seat
	Unprofitable = "unprofitable" // income would not exceed cost
	Dear         = "dear"         // the seat would not be worth its price
	Poor         = "poor"         // the price exceeds what is free
)
