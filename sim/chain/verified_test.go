package chain

import (
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
