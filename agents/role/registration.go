package role

import (
	"cmp"

	"taolab/sim/chain"
)

// Registration overrides the rules that move the price of a seat, and the proof of work.
type Registration struct {
	Seal                  string   `toml:"seal" one:",sha256,keccak,keccak-hotkey,keccak-hotkey-le,granted" doc:"hash of a proof of work; granted: the ledger takes the work as done, so that high hash rates cost no computing time; empty keeps the era's"`
	AdjustBy              string   `toml:"adjust_by" one:",target,target-2023,double-halve" doc:"how difficulty and price move: target, after too many registrations the one rises by which more of them came, after too few the other falls; target-2023, as in May 2023, where the difficulty also falls after too few registrations of which most came by work; double-halve, as in 2022; empty keeps the era's"`
	Difficulty            *uint64  `toml:"difficulty" unit:"hashes" min:"1" max:"4611686018427387904" doc:"difficulty of a proof of work at genesis; the chain's minimum is lowered to it if larger"`
	AdjustmentBlocks      *uint64  `toml:"adjustment_blocks" unit:"blocks" min:"1" max:"1000000" doc:"blocks between two moves of difficulty and price"`
	AdjustmentAlpha       *float64 `toml:"adjustment_alpha" unit:"share" min:"0" max:"1" doc:"part of the old difficulty and price that such a move keeps"`
	TargetRegistrations   *uint64  `toml:"target_registrations" unit:"neurons" min:"1" max:"20000" doc:"registrations in that time that leave difficulty and price unchanged"`
	RegistrationsPerBlock *uint64  `toml:"registrations_per_block" unit:"neurons" min:"1" max:"65535" doc:"most registrations in a block"`
}

// override copies the keys that the file sets.
func (r *Registration) override(p *chain.Params) {
	p.Seal = cmp.Or(r.Seal, p.Seal)
	p.AdjustBy = chain.AdjustBy(cmp.Or(r.AdjustBy, string(p.AdjustBy)))
	if set(&p.Difficulty, r.Difficulty, same); r.Difficulty != nil {
		p.MinDifficulty, p.MaxDifficulty = min(p.MinDifficulty, p.Difficulty), max(p.MaxDifficulty, p.Difficulty)
	}
	set(&p.AdjustmentIntervalBlocks, r.AdjustmentBlocks, same)
	set(&p.AdjustmentAlpha, r.AdjustmentAlpha, share64)
	set(&p.TargetRegistrations, r.TargetRegistrations, count16)
	set(&p.MaxRegistrationsPerBlock, r.RegistrationsPerBlock, count16)
}

// share64 converts a share to units of 1/(2^64-1).
func share64(x float64) uint64 {
	if x >= 1 {
		return 1<<64 - 1
	}
	return uint64(float64(x*(1<<63))) << 1
}
