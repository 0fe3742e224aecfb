package replica

import (
	"crypto/sha256"
	"errors"
	"math/rand"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"taolab/sim/chain"
)

// loneApplication is an application that a test drives in place of the engine.
func loneApplication(t testing.TB, g Genesis) *application {
	t.Helper()
	store, err := openStore(memory(), "store", discard, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.close() })
	figures := newMetrics()
	verified := newSignatures(g.ChainID, figures)
	a := &application{
		genesis: g, store: store, log: discard, pool: newPool(verified, figures), verified: verified, metrics: figures, end: newEnding(discard),
		feed: &feed{all: map[*Subscription]bool{}}, snaps: &snapshots{every: 1000, log: discard, chunks: chunks{fs: memory(), dir: "chunks"}}, proposalTime: time.Minute,
	}
	s, err := g.State()
	if err != nil {
		t.Fatal(err)
	}
	first := int64(s.Height() + 1)
	if _, err := a.InitChain(ctx, &abci.RequestInitChain{ChainId: g.ChainID, InitialHeight: first}); err != nil {
		t.Fatal(err)
	}
	return a
}

// signed is a transfer with a nonce and a tip.
func signedTransfer(t testing.TB, id, from string, nonce, expiry, tip, rao uint64) []byte {
	t.Helper()
	b, err := chain.SignPriced(id, testKey(from), nonce, expiry, 10_000_000+tip, tip,
		chain.Transfer{To: public("user1"), AmountRao: rao}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// prepare is what the application would propose of some transactions.
func prepare(t testing.TB, a *application, txs [][]byte) [][]byte {
	t.Helper()
	r, err := a.PrepareProposal(ctx, &abci.RequestPrepareProposal{
		Height: int64(a.tip.height + 1), Txs: txs, MaxTxBytes: 4 << 20, Time: time.Unix(1, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.Txs
}

func process(t testing.TB, a *application, txs [][]byte) bool {
	t.Helper()
	r, err := a.ProcessProposal(ctx, &abci.RequestProcessProposal{Height: int64(a.tip.height + 1), Txs: txs, Time: time.Unix(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return r.IsAccepted()
}

// decide makes a block of transactions the newest.
func decide(t testing.TB, a *application, txs [][]byte) *abci.ResponseFinalizeBlock {
	t.Helper()
	hash := sha256.Sum256([]byte(strconv.Itoa(int(a.tip.height))))
	r, err := a.FinalizeBlock(ctx, &abci.RequestFinalizeBlock{
		Height: int64(a.tip.height + 1), Txs: txs, Time: time.Unix(1, 0), Hash: hash[:],
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Commit(ctx, &abci.RequestCommit{}); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestShuffledGossipLosesNothing(t *testing.T) {
	const senders, each = 16, 200
	g := testGenesis(t, 1, senders, time.Second, nil)
	a := loneApplication(t, g)
	var waiting [][]byte
	for u := range senders {
		for nonce := range uint64(each) {
			waiting = append(waiting, signedTransfer(t, g.ChainID, "user"+strconv.Itoa(u), nonce, 500, 0, 1))
		}
	}
	rand.New(rand.NewSource(1)).Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	for _, tx := range waiting {
		if err := a.pool.admit(tx, false); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for range 20 {
		chosen := prepare(t, a, waiting)
		if !process(t, a, chosen) {
			t.Fatal("the application rejects what it proposed")
		}
		for i, r := range decide(t, a, chosen).TxResults {
			if r.Code != 0 {
				t.Fatalf("transaction %d: %+v", i, r)
			}
		}
		total += len(chosen)
		in := map[string]bool{}
		for _, tx := range chosen {
			in[string(tx)] = true
		}
		var left [][]byte
		for _, tx := range waiting { // what the engine does after a block
			if !in[string(tx)] {
				if err := a.pool.admit(tx, true); err != nil {
					t.Fatalf("again: %v", err)
				}
				left = append(left, tx)
			}
		}
		if waiting = left; len(waiting) == 0 {
			break
		}
	}
	if total != senders*each {
		t.Errorf("%d of %d transactions are in blocks", total, senders*each)
	}
}

func TestThePoolRefusesWhatCouldNotPayOrHasNoPlace(t *testing.T) {
	g := testGenesis(t, 1, 3, time.Second, nil)
	a := loneApplication(t, g)
	id := g.ChainID
	admit := func(tx []byte) error { return a.pool.admit(tx, false) }
	rao := uint64(40 * chain.RaoPerTAO)
	wrong := signedTransfer(t, "another-00000000", "user0", 0, 9, 0, 1)
	for _, c := range []struct {
		name string
		tx   []byte
		want error
	}{
		{"garbage", []byte("garbage"), nil},
		{"expired", signedTransfer(t, id, "user0", 0, 0, 0, 1), chain.Expired},
		{"expiry too far", signedTransfer(t, id, "user0", 0, 2000, 0, 1), chain.ExpiryTooFar},
		{"beyond the window", signedTransfer(t, id, "user0", nonceWindow, 9, 0, 1), chain.NonceTooHigh},
		{"another chain's", wrong, chain.BadSignature},
		{"more than there is", signedTransfer(t, id, "user0", 0, 9, 0, 1000*chain.RaoPerTAO), chain.InsufficientFree},
	} {
		err := admit(c.tx)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		code, data := coded(err)
		if again := refusal(code, data, err.Error()); again.Error() != err.Error() {
			t.Errorf("%s: told as %v, the refusal is %v", c.name, again, err)
		}
	}
	for nonce := range uint64(2) {
		if err := admit(signedTransfer(t, id, "user0", nonce, 9, 0, rao)); err != nil {
			t.Fatal(err)
		}
	}
	if err := admit(signedTransfer(t, id, "user0", 2, 9, 0, rao)); !errors.Is(err, chain.InsufficientFree) {
		t.Errorf("three times 40 of 100 TAO: %v", err)
	}
	var full *Refused
	if err := admit(signedTransfer(t, id, "user0", 1, 9, 0, 7)); !errors.As(err, &full) || !strings.Contains(err.Error(), "a tip of 1 rao") {
		t.Errorf("another with the same nonce: %v", err)
	}
	replaced, dear := signedTransfer(t, id, "user0", 1, 9, 0, rao), signedTransfer(t, id, "user0", 1, 9, 100, 7)
	if err := admit(dear); err != nil {
		t.Errorf("another with the same nonce and a tip: %v", err)
	}
	if err := admit(signedTransfer(t, id, "user0", 2, 9, 0, rao)); err != nil {
		t.Errorf("what the replaced one would have taken is not free: %v", err)
	}
	if err := admit(signedTransfer(t, id, "user0", 1, 9, 109, 7)); !errors.As(err, &full) {
		t.Errorf("a tip of 109 in place of 100: %v", err)
	}
	decide(t, a, nil)
	if err := a.pool.admit(replaced, true); !errors.As(err, &full) {
		t.Errorf("the replaced one after a block: %v", err)
	}
	if err := a.pool.admit(dear, true); err != nil {
		t.Errorf("the one in its place after a block: %v", err)
	}
}

func TestAPoolFullOfOneSendersTransactionsTakesAnothers(t *testing.T) {
	g := testGenesis(t, 1, 3, time.Second, nil)
	a := loneApplication(t, g)
	for nonce := range uint64(nonceWindow) {
		if err := a.pool.admit(signedTransfer(t, g.ChainID, "user0", nonce, 9, 0, 0), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.pool.admit(signedTransfer(t, g.ChainID, "user0", nonceWindow, 9, 0, 0), false); err == nil {
		t.Error("one sender has more than its window")
	}
	if err := a.pool.admit(signedTransfer(t, g.ChainID, "user2", 0, 9, 0, 1), false); err != nil {
		t.Errorf("another sender's: %v", err)
	}
	a.pool.count[moneyLane] = poolTxs / 2
	if err := a.pool.admit(signedTransfer(t, g.ChainID, "user2", 1, 9, 0, 1), false); err == nil {
		t.Error("a full lane takes one more")
	}
	tx, err := chain.SignPriced(g.ChainID, testKey("hot0"), 0, 9, 10_000_000, 0, chain.ServeAxon{Port: 1}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.pool.admit(tx, false); err != nil {
		t.Errorf("another lane's: %v", err)
	}
	again, _ := chain.SignPriced(g.ChainID, testKey("hot0"), 1, 9, 10_000_000, 0, chain.ServeAxon{Port: 2}).AppendBinary(nil)
	if err := a.pool.admit(again, false); err == nil {
		t.Error("a second one of a hotkey and kind waits")
	}
}

func TestAProposalWithWhatBelongsInNoBlockIsRejected(t *testing.T) {
	g := testGenesis(t, 1, 3, time.Second, nil)
	a := loneApplication(t, g)
	good := signedTransfer(t, g.ChainID, "user0", 0, 9, 0, 1)
	pays := signedTransfer(t, g.ChainID, "user0", 1, 9, 0, 0) // refused, and pays
	for name, bad := range map[string][]byte{
		"garbage": []byte("x"), "a gap": signedTransfer(t, g.ChainID, "user0", 5, 9, 0, 1),
		"another chain's": signedTransfer(t, "another-00000000", "user2", 0, 9, 0, 1),
		"too many bytes":  make([]byte, maxProposalBytes),
	} {
		if process(t, a, [][]byte{good, pays, bad}) {
			t.Errorf("with %s it is accepted", name)
		}
		if got := prepare(t, a, [][]byte{bad, pays, good}); len(got) != 2 {
			t.Errorf("of a pool with %s %d are proposed, want 2", name, len(got))
		}
	}
	a.kept = nil
	if process(t, a, make([][]byte, maxProposalBytes/bytesAround+1)) || len(a.kept) > 0 {
		t.Error("a proposal full of empty transactions is accepted, or run before it is rejected")
	}
	if !process(t, a, [][]byte{good, pays}) {
		t.Fatal("without it is rejected")
	}
	if len(a.kept) == 0 {
		t.Error("no fork of the proposal is kept")
	}
	adopted := decide(t, a, [][]byte{good, pays})
	if adopted.TxResults[0].Code != 0 || adopted.TxResults[1].Code != uint32(chain.ZeroAmount) || adopted.TxResults[1].GasUsed == 0 {
		t.Errorf("%+v", adopted.TxResults)
	}
	b := loneApplication(t, g)
	computed := decide(t, b, [][]byte{good, pays})
	if string(adopted.AppHash) != string(computed.AppHash) {
		t.Error("a block that was a proposal before has another digest than one that was not")
	}
	// Block sync shows a node blocks that it never judged.
	c := loneApplication(t, g)
	r := decide(t, c, [][]byte{good, []byte("x")})
	if len(r.TxResults) != 2 || r.TxResults[1].Codespace != inadmissible {
		t.Errorf("%+v", r.TxResults)
	}
}

func TestAProposerDoesNotRunItsProposalAgain(t *testing.T) {
	g := testGenesis(t, 1, 3, time.Second, nil)
	a, b := loneApplication(t, g), loneApplication(t, g)
	good := signedTransfer(t, g.ChainID, "user0", 0, 9, 5, 1)
	pays := signedTransfer(t, g.ChainID, "user0", 1, 9, 0, 0)
	late := signedTransfer(t, g.ChainID, "user0", 7, 9, 0, 1)
	for height := range 2 {
		chosen := prepare(t, a, [][]byte{[]byte("x"), late, pays, good})
		var proposed *executed
		for _, e := range a.kept {
			proposed = e
		}
		if want := 2 - 2*height; len(chosen) != want || len(a.kept) != 1 {
			t.Fatalf("block %d: %d are chosen, want %d, %d forks are kept, want 1", height+1, len(chosen), want, len(a.kept))
		}
		if !process(t, a, chosen) || !process(t, b, chosen) || len(a.kept) != 1 {
			t.Fatalf("block %d: the proposal is not accepted as it was made", height+1)
		}
		adopted, computed := decide(t, a, chosen), decide(t, b, chosen)
		if a.state != proposed.state {
			t.Errorf("block %d: the fork of the proposal is not what is committed", height+1)
		}
		if !reflect.DeepEqual(adopted, computed) {
			t.Errorf("block %d: the proposer answers %+v, another %+v", height+1, adopted, computed)
		}
	}
}

func TestTipsGoFirstWithinALaneAndLanesHaveTheirShares(t *testing.T) {
	g := testGenesis(t, 1, 40, time.Second, func(g *chain.Genesis) { g.Params.Hard.MaxBlockWork = 1 << 14 })
	a := loneApplication(t, g)
	var txs [][]byte
	for u := range 40 {
		for nonce := range uint64(10) {
			txs = append(txs, signedTransfer(t, g.ChainID, "user"+strconv.Itoa(u), nonce, 9, uint64(u), 1))
		}
	}
	work, err := chain.SignPriced(g.ChainID, testKey("hot0"), 0, 9, 10_000_000, 0, chain.ServeAxon{Port: 1}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	chosen := prepare(t, a, append(txs, work))
	if len(chosen) >= len(txs) || len(chosen) < 200 {
		t.Fatalf("%d of %d are chosen", len(chosen), len(txs))
	}
	served := false
	last := uint64(1 << 60)
	for i, data := range chosen {
		tx, _ := chain.DecodeTx(data)
		if _, ok := tx.Msg.(chain.ServeAxon); ok {
			served = true
			continue
		}
		if tx.TipRao > last {
			t.Errorf("transaction %d has a tip of %d after one of %d", i, tx.TipRao, last)
		}
		last = tx.TipRao
	}
	if !served {
		t.Error("the work of a neuron is crowded out by money")
	}
	if !process(t, a, chosen) {
		t.Error("the proposal is rejected")
	}
}
