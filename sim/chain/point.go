package chain

import (
	"math/big"
	"slices"
)

// The curve of ed25519: -x²+y² = 1+dx²y² over the integers modulo fieldPrime.
var (
	fieldPrime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	curveD, _  = new(big.Int).SetString("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3", 16)
)

// canonical reports whether the number in the key is below the prime. Each key has one such form.
func (k Key) canonical() bool {
	k[31] &= 0x7f // the sign
	if k[0] < 0xed || k[31] != 0x7f {
		return true
	}
	return slices.ContainsFunc(k[1:31], func(b byte) bool { return b != 0xff })
}

// sound reports whether k can be the key of exactly one party: the canonical form of a point of the
// curve that is not of small order.
func (k Key) sound() bool { return k.canonical() && !k.weak() && k.onCurve() }

// onCurve reports whether there is an x for the y in the key: x² = (y²-1)/(dy²+1), which is a square if
// the product of the two is.
func (k Key) onCurve() bool {
	slices.Reverse(k[:])
	k[0] &= 0x7f
	one := big.NewInt(1)
	y2 := new(big.Int).SetBytes(k[:])
	y2.Mod(y2.Mul(y2, y2), fieldPrime)
	u := new(big.Int).Sub(y2, one)
	v := y2.Mul(y2, curveD)
	v.Add(v, one)
	return big.Jacobi(u.Mod(u.Mul(u, v), fieldPrime), fieldPrime) == 1
}

// mayEnter checks a key that is new to the ledger.
func (s *State) mayEnter(k Key) error {
	if s.params.Hard.SoundKeys && !k.sound() {
		return refuse(KeyUnsound, 0, 0)
	}
	return nil
}

// knownOrSound is mayEnter for a key that may have an account.
func (s *State) knownOrSound(k Key) error {
	p := pathOf(k)
	if s.accounts.find(&k, &p) != nil {
		return nil
	}
	return s.mayEnter(k)
}
