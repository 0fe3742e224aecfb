package live

import (
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// record hands a row on. Nodes record from their own goroutines.
func (w *World) record(r trace.Row) {
	if w.cfg.Recorder == nil {
		return
	}
	w.recording.Lock()
	defer w.recording.Unlock()
	trace.Record(w.cfg.Recorder, r)
}

// beginChronicle begins to record the rows of the chain, where the config asks for any.
func (w *World) beginChronicle(first chain.View) {
	if w.cfg.Recorder == nil || w.cfg.Trace == (host.Recording{}) {
		return
	}
	hotkeys := make([]chain.Key, len(w.nodes))
	for i, n := range w.nodes {
		hotkeys[i] = n.ids[0].self.Hotkey
	}
	w.chronicle = host.NewChronicle(w.cfg.Trace, w.cfg.Recorder, hotkeys, first)
	for _, x := range w.identities() {
		if x.id > 0 {
			w.chronicle.Assign(x.self.Hotkey, int32(x.self.Node))
		}
	}
}

// chronicleBlock records a block.
func (w *World) chronicleBlock(b *Block) {
	if w.chronicle == nil {
		return
	}
	shown := host.Shown{
		TimeNs: host.Time(b.Begin.TimeNs - w.cfg.Genesis.UnixNano()), Digest: b.Hash, View: b.View, Events: b.Outcome.Events,
	}
	for i, d := range b.Outcome.Delivered {
		tx, err := chain.DecodeTx(b.Txs[i])
		if err != nil {
			continue // nobody's
		}
		r := host.Receipt{Transit: host.Transit{From: w.sender(tx.Signer), Tx: tx, Bytes: len(b.Txs[i])}, Fate: trace.Included, FeeRao: d.FeeRao}
		if err = d.Err; err == nil && d.Refusal != nil {
			err = d.Refusal
		}
		if err != nil {
			r.Fate, r.Reason = trace.Rejected, err.Error()
		}
		shown.Receipts = append(shown.Receipts, r)
	}
	w.recording.Lock()
	defer w.recording.Unlock()
	w.chronicle.Block(shown)
}

// sender is the first node that signs with a key; -1 for somebody else's key.
func (w *World) sender(key chain.Key) int32 {
	for _, x := range w.identities() {
		if x.self.Hotkey == key || x.self.Coldkey == key {
			return int32(x.self.Node)
		}
	}
	return -1
}

// endChronicle records what only the end shows.
func (w *World) endChronicle() {
	if w.chronicle == nil {
		return
	}
	w.recording.Lock()
	defer w.recording.Unlock()
	w.chronicle.Close()
}
