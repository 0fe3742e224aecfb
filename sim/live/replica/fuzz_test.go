package replica

import (
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"taolab/sim/chain"
)

// What comes over the network comes to these entrances. None may panic, and none may change the ledger.

func FuzzReadGenesis(f *testing.F) {
	g := testGenesis(f, 1, 1, time.Second, nil)
	data, err := g.MarshalJSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format":"taolab-genesis/1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if g, err := ReadGenesis(data); err == nil {
			readAgain(t, g)
		}
	})
}

// Behind the form and the hash of a genesis is the state that a stranger wrote.
func FuzzTheStateOfAGenesis(f *testing.F) {
	for _, g := range []Genesis{testGenesis(f, 1, 1, time.Second, nil), testGenesis(f, 3, 9, time.Hour, nil)} {
		f.Add(g.state, g.Time.UnixNano(), int64(g.Interval))
	}
	f.Fuzz(func(t *testing.T, state []byte, at, interval int64) {
		g := Genesis{ChainID: "fuzz-00000000", Time: time.Unix(0, at).UTC(), Interval: time.Duration(interval), state: state}
		s, err := g.State()
		if err != nil {
			return
		}
		x := s.Export()
		x.ChainID = "fuzz"
		nameless, err := chain.Import(x)
		if err != nil {
			t.Fatalf("a state that is read cannot be imported: %v", err)
		}
		b, err := nameless.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		x.ChainID = chainID("fuzz", g.Time, g.Interval, b)
		named, err := chain.Import(x)
		if err != nil {
			t.Fatal(err)
		}
		if g.state, err = named.AppendBinary(nil); err != nil {
			t.Fatal(err)
		}
		g.ChainID = x.ChainID
		data, err := g.MarshalJSON()
		if err != nil {
			return // a year that JSON has no form for
		}
		if g, err := ReadGenesis(data); err == nil {
			readAgain(t, g)
			a := loneApplication(t, g)
			if a.mayGoOn() == nil { // else an upgrade at the first block, to rules that nobody knows
				decide(t, a, nil)
			}
		}
	})
}

// readAgain checks that a genesis is read as it is written, and has a state.
func readAgain(t *testing.T, g Genesis) {
	t.Helper()
	if _, err := g.State(); err != nil {
		t.Error(err)
	}
	data, err := g.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ReadGenesis(data); err != nil || again.ChainID != g.ChainID {
		t.Errorf("%q is read again as %q, %v", g.ChainID, again.ChainID, err)
	}
}

func FuzzPool(f *testing.F) {
	g := testGenesis(f, 1, 3, time.Second, nil)
	a := loneApplication(f, g)
	f.Add(signedTransfer(f, g.ChainID, "user0", 0, 9, 0, 1), false)
	f.Add(signedTransfer(f, g.ChainID, "user0", 1, 9, 1, 1), true)
	f.Add([]byte{2, 3}, false)
	before := a.state.Digest()
	f.Fuzz(func(t *testing.T, tx []byte, again bool) {
		kind := abci.CheckTxType_New
		if again {
			kind = abci.CheckTxType_Recheck
		}
		r, err := a.CheckTx(ctx, &abci.RequestCheckTx{Tx: tx, Type: kind})
		if err != nil {
			t.Fatal(err)
		}
		if r.Code != 0 && refusal(r.Code, r.Data, r.Log).Error() == "" {
			t.Errorf("refused without a reason: %+v", r)
		}
		if a.state.Digest() != before {
			t.Error("the ledger has changed")
		}
	})
}

func FuzzProposal(f *testing.F) {
	g := testGenesis(f, 1, 3, time.Second, nil)
	a := loneApplication(f, g)
	good := signedTransfer(f, g.ChainID, "user0", 0, 9, 0, 1)
	f.Add(good, good, []byte{1}, int64(5))
	before := a.state.Digest()
	f.Fuzz(func(t *testing.T, one, other, proposer []byte, at int64) {
		r, err := a.ProcessProposal(ctx, &abci.RequestProcessProposal{
			Height: 1, Txs: [][]byte{one, other}, Time: time.Unix(0, at), ProposerAddress: proposer,
			Misbehavior: []abci.Misbehavior{{Height: at, Validator: abci.Validator{Address: proposer}}},
		})
		if err != nil || r.IsStatusUnknown() {
			t.Errorf("%+v, %v", r, err)
		}
		if a.state.Digest() != before {
			t.Error("the ledger has changed")
		}
		a.kept = nil
	})
}

func FuzzSnapshot(f *testing.F) {
	g := testGenesis(f, 2, 20, time.Second, nil)
	s, err := g.State()
	if err != nil {
		f.Fatal(err)
	}
	digest := s.Seal()
	m := s.Manifest()
	meta, err := m.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	for i := range m.Chunks() {
		f.Add(meta, uint32(i), s.Chunk(m, i))
	}
	f.Add([]byte{}, uint32(99), []byte{})
	a := loneApplication(f, g)
	f.Fuzz(func(t *testing.T, offered []byte, index uint32, chunk []byte) {
		for _, data := range [][]byte{offered, meta} {
			_, err := a.OfferSnapshot(ctx, &abci.RequestOfferSnapshot{AppHash: digest[:], Snapshot: &abci.Snapshot{
				Format: snapshotFormat, Chunks: uint32(m.Chunks()), Metadata: data,
			}})
			if err != nil {
				t.Fatal(err)
			}
			r, err := a.ApplySnapshotChunk(ctx, &abci.RequestApplySnapshotChunk{Index: index, Chunk: chunk, Sender: "x"})
			if err != nil {
				t.Fatal(err)
			}
			if r.Result == abci.ResponseApplySnapshotChunk_ACCEPT && string(chunk) != string(s.Chunk(m, int(index))) {
				t.Errorf("chunk %d is accepted with other bytes", index)
			}
		}
		if a.state.Digest() != digest {
			t.Error("the ledger has changed")
		}
	})
}
