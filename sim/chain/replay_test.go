package chain

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// blocksForReplay are a state and blocks after it, with transactions that are refused and one that is none.
func blocksForReplay(t *testing.T) (*State, []Block) {
	t.Helper()
	s := mustNew(t, testGenesis(4, func(p *Params) { p.TempoBlocks = 3 }))
	first := s.Fork()
	var blocks []Block
	nonce := uint64(0)
	for h := uint64(1); h <= 12; h++ {
		b := Block{Height: h, Begin: Begin{Hash: Digest{byte(h)}, TimeNs: -int64(h), Votes: []Vote{{Address{1}, h%2 == 0}},
			Misbehavior: []Misbehavior{{Address{2}, h}}}}
		for i := range h % 4 {
			tx := Sign("test", testKey("cold0"), nonce, 99, Transfer{pub(fmt.Sprint("to", h, i)), 1 + i})
			if i == 2 { // inadmissible
				tx.Nonce = 0
			} else {
				nonce++
			}
			data, err := tx.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			b.Txs = append(b.Txs, data)
		}
		if h == 7 {
			b.Txs = append(b.Txs, []byte("no transaction"))
		}
		blocks = append(blocks, b)
	}
	return first, blocks
}

func TestRunIsBeginDeliverAndEnd(t *testing.T) {
	first, blocks := blocksForReplay(t)
	whole, steps := first.Fork(), first.Fork()
	for _, b := range blocks {
		o, err := whole.Run(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		steps.BeginBlock(b.Begin)
		for i, data := range b.Txs {
			tx, err := DecodeTx(data)
			if err == nil {
				_, err = steps.Deliver(tx)
			}
			if got := o.Delivered[i].Err; fmt.Sprint(got) != fmt.Sprint(err) {
				t.Errorf("block %d, transaction %d: %v, in steps %v", b.Height, i, got, err)
			}
		}
		if events := steps.EndBlock(); !reflect.DeepEqual(events, o.Events) {
			t.Errorf("block %d: events %v, in steps %v", b.Height, o.Events, events)
		}
		if steps.Digest() != o.Digest {
			t.Errorf("block %d: digest %s, in steps %s", b.Height, o.Digest, steps.Digest())
		}
	}
	if _, err := whole.Run(blocks[3], nil); err == nil || !strings.Contains(err.Error(), "want block 13") {
		t.Errorf("a block at the wrong height: %v", err)
	}
}

func TestABlockIsReadAsItWasWritten(t *testing.T) {
	_, blocks := blocksForReplay(t)
	for _, b := range blocks {
		data, err := b.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeBlock(data); err != nil || !reflect.DeepEqual(got, b) {
			t.Errorf("block %d: %+v, %v", b.Height, got, err)
		}
		for cut := range data {
			if _, err := DecodeBlock(data[:cut]); err == nil {
				t.Fatalf("block %d cut at %d of %d bytes is one", b.Height, cut, len(data))
			}
		}
		if _, err := DecodeBlock(append(data, 0)); err == nil {
			t.Errorf("block %d with a byte more is one", b.Height)
		}
	}
}

func TestBlocksAreEqualIfTheirBytesAre(t *testing.T) {
	b := Block{
		Height: 3, Begin: Begin{Hash: Digest{1}, TimeNs: 7, Proposer: Address{2}, Votes: []Vote{{Address: Address{3}}}, Misbehavior: []Misbehavior{{Height: 4}}},
		Txs: [][]byte{{1, 2}, {3}},
	}
	data, err := b.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := DecodeBlock(data); err != nil || !again.Equal(b) {
		t.Errorf("it is not equal to itself, %v", err)
	}
	others := 0
	for i := range data {
		data[i] ^= 1
		if other, err := DecodeBlock(data); err == nil {
			if others++; other.Equal(b) {
				t.Errorf("with byte %d another it is equal", i)
			}
		}
		data[i] ^= 1
	}
	if want := 8 + 32 + 8 + 20 + 21 + 28 + 3; others < want {
		t.Errorf("%d blocks are compared, want %d", others, want)
	}
	for _, txs := range [][][]byte{{{1, 2}}, {{1, 2}, {3}, {}}, {{1}, {2, 3}}} {
		other := b
		if other.Txs = txs; other.Equal(b) {
			t.Errorf("with the transactions %v it is equal", txs)
		}
	}
}

func TestTheRecordsOfAStoreAreTheStateWhateverTheirHistory(t *testing.T) {
	s, blocks := blocksForReplay(t)
	store := map[string][]byte{}
	writes := 0
	save := func(since View) {
		s.Records(since, func(k, v []byte) { store[string(k)] = bytes.Clone(v); writes++ }, func(k []byte) { delete(store, string(k)) })
	}
	check := func() {
		t.Helper()
		var all []byte
		for _, k := range slices.Sorted(maps.Keys(store)) {
			all = append(all, store[k]...)
		}
		want, err := s.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(all, want) {
			t.Fatalf("block %d: the records have %d bytes, the state %d", s.Height(), len(all), len(want))
		}
		if err := new(State).UnmarshalBinary(all); err != nil {
			t.Fatal(err)
		}
	}
	save(View{})
	check()
	for _, b := range blocks {
		since := s.View()
		if b.Height%2 == 0 { // what a fork did is as good
			s = s.Fork()
		}
		if _, err := s.Run(b, nil); err != nil {
			t.Fatal(err)
		}
		writes = 0
		save(since)
		check()
		if most := len(store); b.Height%3 != 0 && writes >= most {
			t.Errorf("block %d: %d records written of %d", b.Height, writes, most)
		}
	}
}

func TestARecordReplaysAndSaysWhereItParts(t *testing.T) {
	s, blocks := blocksForReplay(t)
	var out bytes.Buffer
	w, err := NewRecordWriter(&out, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		o, err := s.Run(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(b, o.Digest); err != nil {
			t.Fatal(err)
		}
	}
	heights := 0
	last, err := Replay(bytes.NewReader(out.Bytes()), func(s *State, b Block, o Outcome) error {
		heights++
		if s.Height() != b.Height || s.Digest() != o.Digest {
			t.Errorf("block %d: the state is that after %d", b.Height, s.Height())
		}
		return nil
	})
	if err != nil || last.Digest() != s.Digest() || heights != len(blocks) {
		t.Errorf("%d blocks, %v", heights, err)
	}
	data := out.Bytes()
	for cut := len(data) - 1; cut > 0; cut -= 97 {
		switch got, err := Replay(bytes.NewReader(data[:cut]), nil); {
		case err == nil && got.Height() == s.Height():
			t.Errorf("cut at %d of %d bytes it is whole", cut, len(data))
		case err != nil && cut > len(recordMagic) && !strings.Contains(err.Error(), "copy or export it again"):
			t.Errorf("cut at %d of %d bytes: %v, which does not say what to do", cut, len(data), err)
		}
	}
	// The last block's digest stands before its bytes.
	b, err := blocks[len(blocks)-1].AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-len(b)-1] ^= 1
	var parts *Mismatch
	if _, err := Replay(bytes.NewReader(data), nil); !errors.As(err, &parts) || parts.Height != uint64(len(blocks)) {
		t.Errorf("with another digest: %v", err)
	}
	if _, err := Replay(strings.NewReader("taolab blocks 2\n"), nil); err == nil {
		t.Error("another version is read")
	}
}

func TestAPoolKnowsWhatATransactionCostsWhateverItsNonce(t *testing.T) {
	s := mustNew(t, testGenesis(3, func(p *Params) { *p = p.Live() }))
	free := s.View().FreeOf(pub("cold0"))
	tx := SignPriced("test", testKey("cold0"), 1<<60, 9, 1_000_000, 5, Transfer{pub("cold1"), 7})
	c, err := s.CostOf(tx)
	if err != nil || c.Payer != pub("cold0") || c.FreeRao != free || c.MostRao != 1_000_007 || c.FeeRao != c.Work*s.View().PriceRao() {
		t.Errorf("%+v, %v", c, err)
	}
	tx.Msg = Transfer{pub("cold1"), free - 999_999}
	if _, err := s.CostOf(tx); !errors.Is(err, InsufficientFree) {
		t.Errorf("with fee and amount beyond what is free: %v", err)
	}
	tx.Msg, tx.MaxFeeRao = Transfer{pub("cold1"), 7}, 1
	if _, err := s.CostOf(tx); !errors.Is(err, FeeAboveMaximum) {
		t.Errorf("with too small a maximum: %v", err)
	}
	tx.Priced = false
	if _, err := s.CostOf(tx); !errors.Is(err, FeesOn) {
		t.Errorf("without a price: %v", err)
	}
	if _, err := s.CostOf(Tx{}); !errors.Is(err, MissingMessage) {
		t.Errorf("without a message: %v", err)
	}
}

func FuzzDecodeBlock(f *testing.F) {
	b, _ := Block{Height: 3, Begin: Begin{Votes: []Vote{{}}, Misbehavior: []Misbehavior{{}}}, Txs: [][]byte{{1, 2}}}.AppendBinary(nil)
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := DecodeBlock(data)
		if err != nil {
			return
		}
		again, err := b.AppendBinary(nil)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%x is read as %+v, which is written %x, %v", data, b, again, err)
		}
	})
}
