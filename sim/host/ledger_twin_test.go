package host

import (
	"fmt"
	"slices"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/trace"
)

// kept is a recorder that keeps rows as bytes.
type kept struct{ rows []string }

func (k *kept) Record(row trace.Row) {
	k.rows = append(k.rows, string(row.Table())+" "+string(trace.AppendRow(nil, row)))
}

// twins are two ledgers of one network: one ends quiet blocks in one step, the other every block by
// itself and with every signature.
type twins struct {
	jumps, steps     *Ledger
	jumped, stepped  kept
	jumpDs, stepDs   []chain.Digest
	nodes            []string
	lastID           SubmitID
	onTheWay, stepTx [][]byte
	senders          []int32
	ids              []SubmitID
}

func newTwins(t *testing.T, tempo, recordEvery, digestEpochs uint64) *twins {
	w := &twins{nodes: []string{"a", "b", "c", "d"}}
	open := func(signed bool, to *kept) *Ledger {
		cfg := LedgerConfig{
			Genesis: toyGenesis(w.nodes, 3, func(p *chain.Params) { p.TempoBlocks = tempo }),
			MaxTxs:  2, MaxWaiting: 3, Signed: signed, DigestEpochs: digestEpochs, Recorder: to,
			Recording: Recording{Blocks: recordEvery, Ledger: recordEvery, Digests: recordEvery, Epochs: 1, Weights: 1,
				Bonds: 1, Seats: true, Transactions: true},
		}
		for _, name := range w.nodes {
			cfg.Hotkeys = append(cfg.Hotkeys, public(name))
		}
		l, err := NewLedger(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	w.jumps, w.steps = open(false, &w.jumped), open(true, &w.stepped)
	return w
}

// submit lets a node send a message; what comes of it is on its way.
func (w *twins) submit(node int32, msg chain.Msg, role string) {
	w.lastID++
	expiry := w.jumps.Height() + 4
	key := named(w.nodes[node] + role)
	a, sentA := w.jumps.Submit(node, w.lastID, w.jumps.Open(key), expiry, msg)
	b, sentB := w.steps.Submit(node, w.lastID, w.steps.Open(key), expiry, msg)
	if sentA && sentB {
		w.onTheWay, w.stepTx = append(w.onTheWay, a), append(w.stepTx, b)
		w.senders, w.ids = append(w.senders, node), append(w.ids, w.lastID)
	}
}

// receive lets the k-th transaction on its way arrive.
func (w *twins) receive(k int) {
	node, id := w.senders[k], w.ids[k]
	w.jumps.Receive(node, id, w.onTheWay[k], 0)
	w.steps.Receive(node, id, w.stepTx[k], 0)
	w.onTheWay, w.stepTx = slices.Delete(w.onTheWay, k, k+1), slices.Delete(w.stepTx, k, k+1)
	w.senders, w.ids = slices.Delete(w.senders, k, k+1), slices.Delete(w.ids, k, k+1)
}

// pass ends blocks up to a height.
func (w *twins) pass(t *testing.T, to uint64) {
	for w.jumps.Height() < to {
		if err := w.jumps.Skip(w.jumps.Quiet(to)); err != nil {
			t.Fatal(err)
		}
		ended, err := w.jumps.End(Time(w.jumps.Height()+1) * Second)
		if err != nil {
			t.Fatal(err)
		}
		if ended.Digest != nil {
			w.jumpDs = append(w.jumpDs, *ended.Digest)
		}
	}
	for w.steps.Height() < to {
		ended, err := w.steps.End(Time(w.steps.Height()+1) * Second)
		if err != nil {
			t.Fatal(err)
		}
		if ended.Digest != nil {
			w.stepDs = append(w.stepDs, *ended.Digest)
		}
	}
}

// FuzzQuietBlocksInOneStepAreTheSameOneByOne drives both ledgers by pairs of bytes: what to do, and
// with what.
func FuzzQuietBlocksInOneStepAreTheSameOneByOne(f *testing.F) {
	f.Add([]byte{3, 2, 1, 0, 5, 4, 0, 5, 40, 1, 9, 4, 1, 5, 90, 2, 3, 4, 0, 5, 7, 3, 1, 5, 200})
	f.Add([]byte{7, 0, 0, 3, 2, 2, 7, 4, 0, 4, 0, 5, 1, 5, 1, 5, 1, 1, 2, 4, 0, 5, 99})
	f.Add([]byte{1, 1, 2, 5, 255, 0, 200, 4, 0, 5, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 3 || len(b) > 400 {
			return
		}
		w := newTwins(t, 1+uint64(b[0]%16), uint64(b[1]%8), uint64(b[2]%4))
		for i := 3; i+2 <= len(b); i += 2 {
			x, node := b[i+1], int32(b[i+1]%4)
			switch b[i] % 6 {
			case 0:
				w.submit(node, chain.Transfer{To: public(w.nodes[x/64] + " cold"), AmountRao: uint64(x) * 1e9}, " cold")
			case 1:
				w.submit(node, chain.SetWeights{UIDs: []uint16{uint16(x % 3)}, Values: []uint32{uint32(x)}}, "")
			case 2:
				w.submit(node, chain.Register{Hotkey: public(fmt.Sprint(w.nodes[node], x/128))}, " cold")
			case 3:
				w.submit(node, chain.AddStake{Hotkey: public(w.nodes[node]), AmountRao: uint64(x) * 1e8}, " cold")
			case 4:
				if n := len(w.ids); n > 0 {
					w.receive(int(x) % n)
				}
			case 5:
				w.pass(t, w.jumps.Height()+1+uint64(x%64))
			}
		}
		w.pass(t, w.jumps.Height()+1)
		w.jumps.Close()
		w.steps.Close()
		if a, b := w.jumps.Digest(), w.steps.Digest(); a != b {
			t.Fatalf("at block %d the state is %v in one step and %v one by one", w.jumps.Height(), a, b)
		}
		if !slices.Equal(w.jumpDs, w.stepDs) {
			t.Fatalf("digests %v in one step, %v one by one", w.jumpDs, w.stepDs)
		}
		if !slices.Equal(w.jumped.rows, w.stepped.rows) {
			t.Fatalf("%d rows in one step, %d one by one, or other ones", len(w.jumped.rows), len(w.stepped.rows))
		}
	})
}
