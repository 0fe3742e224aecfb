package virtual

import (
	"crypto/ed25519"
	"math"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/snapshot"
)

// producer is the one node that makes blocks: the ledger, the transactions on their way to it, and when
// blocks come.
type producer struct {
	ledger  *host.Ledger
	genesis uint64 // height of the ledger at time 0
	blockNs host.Time
	late    uint64 // blocks that the slowest node may be behind
	links   linkFaults

	txs    pending[travelling]
	nextTx uint64

	pauses      int
	pausedUntil host.Time // by those
	breaks      []ledgerBreak
}

// ledgerBreak is a time without blocks: those above a height come later by a total.
type ledgerBreak struct {
	height uint64
	total  host.Time
}

// openLedger makes the chain, with as many views as the slowest node needs.
func (w *World) openLedger(hotkeys []ed25519.PrivateKey) error {
	var delay host.Time
	public := make([]chain.Key, len(hotkeys))
	for i, private := range hotkeys {
		public[i] = chain.Key(private.Public().(ed25519.PublicKey))
		delay = max(delay, w.cfg.Nodes[i].BlockDelay)
	}
	delay += w.cfg.longestLag()
	w.producer.genesis, w.producer.blockNs = w.cfg.Genesis.Height, w.cfg.BlockNs
	w.producer.late = uint64(delay/w.cfg.BlockNs) + 3
	ledger, err := host.NewLedger(host.LedgerConfig{
		Genesis: w.cfg.Genesis, Hotkeys: public, Views: int(w.producer.late),
		MaxTxs: w.cfg.Chain.MaxTxs, MaxWaiting: w.cfg.Chain.MaxWaiting,
		Signed: w.cfg.Signed, DigestEpochs: w.cfg.DigestEpochs, Checks: w.cfg.checks,
		Recording: w.records, Recorder: w.cfg.Recorder, Last: w.cfg.Blocks,
	})
	w.producer.ledger = ledger
	return err
}

// pause keeps blocks from being made until a time, and until goOn.
func (p *producer) pause(until host.Time) {
	p.pauses++
	p.pausedUntil = max(p.pausedUntil, until)
}

// goOn ends one pause.
func (p *producer) goOn(now host.Time) {
	p.pauses--
	height := p.ledger.Height()
	if due := p.blockTime(height + 1); p.pauses == 0 && due < now {
		p.breaks = append(p.breaks, ledgerBreak{height, now - host.Time(height+1-p.genesis)*p.blockNs})
	}
}

// nextBlock is when the next block is made.
func (p *producer) nextBlock() host.Time {
	due := p.blockTime(p.ledger.Height() + 1)
	if p.pauses > 0 {
		due = max(due, p.pausedUntil)
	}
	return due
}

// blockTime is when a block is or was made, as far as it is known now.
func (p *producer) blockTime(height uint64) host.Time {
	for i := len(p.breaks) - 1; i >= 0; i-- {
		if b := &p.breaks[i]; height > b.height {
			return host.Time(height-p.genesis)*p.blockNs + b.total
		}
	}
	return host.Time(height-p.genesis) * p.blockNs
}

// heightAt is the height of the chain at a time; that of the genesis before the first block.
func (p *producer) heightAt(t host.Time) uint64 {
	if t < 0 {
		return p.genesis
	}
	highest := uint64(math.MaxUint64)
	if p.pauses > 0 {
		highest = p.ledger.Height()
	}
	for i := len(p.breaks) - 1; i >= 0; i-- {
		b := &p.breaks[i]
		if t >= b.total {
			if height := p.genesis + uint64((t-b.total)/p.blockNs); height > b.height {
				return min(height, highest)
			}
		}
		highest = min(highest, b.height)
	}
	return min(p.genesis+uint64(t/p.blockNs), highest)
}

func (p *producer) layout(c *snapshot.Coder) {
	snapshot.Number(c, &p.pauses)
	snapshot.Number(c, &p.pausedUntil)
	snapshot.List(c, &p.breaks, func(b *ledgerBreak) {
		snapshot.Number(c, &b.height)
		snapshot.Number(c, &b.total)
	})
}
