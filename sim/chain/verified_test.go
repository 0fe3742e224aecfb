package chain

import (
	"crypto/sha256"
	"errors"
	"testing"
)

func TestAStateIsTheSameWhetherItsTransactionsWereSignedOrNot(t *testing.T) {
	signed, unsigned := mustNew(t, testGenesis(3, nil)), mustNew(t, testGenesis(3, nil))
	for i := range uint64(6) {
		msg := Transfer{pub("bob"), 1 + i}
		tx := Sign("test", testKey("cold0"), i, 99, msg)
		bare := tx
		bare.Signature = [64]byte{}
		if err := signed.Apply(bare); !errors.Is(err, BadSignature) {
			t.Fatalf("without a signature: %v", err)
		}
		errSigned, errBare := signed.Apply(tx), unsigned.ApplyVerified(bare)
		if errSigned != nil || errBare != nil {
			t.Fatalf("transfer %d: %v, unsigned %v", i, errSigned, errBare)
		}
		if a, b := signed.Digest(), unsigned.Digest(); a != b {
			t.Fatalf("within block %d: %s, unsigned %s", i+1, a, b)
		}
		if i%2 == 1 {
			signed.EndBlock()
			unsigned.EndBlock()
		}
	}
}

func TestWhatIsInadmissibleIsRefusedVerifiedOrNot(t *testing.T) {
	s := mustNew(t, testGenesis(3, nil))
	for _, c := range []struct {
		tx   Tx
		want Code
	}{
		{Tx{Signer: pub("cold0"), Expiry: 9}, MissingMessage},
		{Tx{Signer: pub("cold0"), Msg: Transfer{pub("bob"), 1}}, Expired},
		{Tx{Signer: pub("cold0"), Expiry: 9, Nonce: 1<<64 - 1, Msg: Transfer{pub("bob"), 1}}, NonceTooHigh},
		{Tx{Signer: pub("cold0"), Expiry: 9, Msg: Transfer{pub("bob"), 1 << 63}}, InsufficientFree},
	} {
		if err := s.ApplyVerified(c.tx); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, expected %s", c.tx, err, c.want.Name())
		}
	}
	once := Tx{Signer: pub("cold0"), Expiry: 9, Nonce: 4, Msg: Transfer{pub("bob"), 1}}
	if err := s.ApplyVerified(once); err != nil {
		t.Fatal(err)
	}
	if err := s.ApplyVerified(once); !errors.Is(err, NonceTooLow) {
		t.Errorf("a second time: %v", err)
	}
}

func TestASignatureIsJudgedOnceAndOnlyWhereNothingElseIsWrong(t *testing.T) {
	s := mustNew(t, testGenesis(3, nil))
	var txs [][]byte
	for _, tx := range []Tx{
		Sign("test", testKey("cold0"), 0, 99, Transfer{pub("bob"), 1}),
		Sign("another chain", testKey("cold0"), 1, 99, Transfer{pub("bob"), 1}),
		Sign("another chain", testKey("cold0"), 1, 0, Transfer{pub("bob"), 1}), // it has expired
	} {
		data, err := tx.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		txs = append(txs, data)
	}
	asked := map[[32]byte]int{}
	o, err := s.Execute(Block{Height: 1, Txs: txs}, func(tx Tx, hash [32]byte) bool {
		asked[hash]++
		return tx.Verify("test")
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		err  error
		asks int
	}{{nil, 1}, {BadSignature, 1}, {Expired, 0}} {
		if got := o.Delivered[i].Err; !errors.Is(got, want.err) || asked[sha256.Sum256(txs[i])] != want.asks {
			t.Errorf("transaction %d: %v after %d questions, want %v after %d", i, got, asked[sha256.Sum256(txs[i])], want.err, want.asks)
		}
	}
	if o, err = mustNew(t, testGenesis(3, nil)).Execute(Block{Height: 1, Txs: txs[:1]}, func(Tx, [32]byte) bool { return false }); err != nil ||
		!errors.Is(o.Delivered[0].Err, BadSignature) {
		t.Errorf("a signature that its judge calls bad: %v, %v", o.Delivered[0].Err, err)
	}
}
