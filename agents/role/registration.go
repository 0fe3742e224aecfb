package role

import (
	"cmp"

	"taolab/sim/chain"
)

// Registration overrides how the price of a seat moves, and what work is.
type Registration struct {
	Seal                  string   `toml:"seal" one:",sha256,keccak,keccak-hotkey,keccak-hotkey-le,granted" doc:"how a proof of work is hashed; granted: the ledger believes that it was done, so that hash rates cost no time; empty keeps the era's"`
	AdjustBy              string   `toml:"adjust_by" one:",target,target-2023,double-halve" doc:"how difficulty and price move: target, of the two the one that more or fewer came by; target-2023, as the chain did in May 2023, where difficulty falls also after too few works; double-halve, as in 2022; empty keeps the era's"`
	Difficulty            *uint64  `toml:"difficulty" unit:"hashes" min:"1" max:"4611686018427387904" doc:"difficulty of a proof of work at genesis; it lowers the least one that the chain knows, where that is larger"`
	AdjustmentBlocks      *uint64  `toml:"adjustment_blocks" unit:"blocks" min:"1" max:"1000000" doc:"blocks between two moves of difficulty and price"`
	AdjustmentAlpha       *float64 `toml:"adjustment_alpha" unit:"share" min:"0" max:"1" doc:"part of the old difficulty and price that such a move keeps"`
	TargetRegistrations   *uint64  `toml:"target_registrations" unit:"neurons" min:"1" max:"20000" doc:"registrations in that time that leave difficulty and price where they are"`
	RegistrationsPerBlock *uint64  `toml:"registrations_per_block" unit:"neurons" min:"1" max:"65535" doc:"registrations in a block at most"`
}

// override sets what the file sets.
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

// share64 is a share in 1/(2^64-1).
func share64(x float64) uint64 {
	if x >= 1 {
		return 1<<64 - 1
	}
	return uint64(float64(x*(1<<63))) << 1
}
