package replica

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"taolab/sim/chain"
)

// verdicts compares what the pool and the standard library say about a signature, and counts their answers.
type verdicts struct {
	t        *testing.T
	judge    *signatures
	yes, not int
}

func (v *verdicts) compare(what string, key, message, signature []byte) {
	v.t.Helper()
	want := ed25519.Verify(key, message, signature)
	for range 2 { // a key that is new, and one that is known
		if got := v.judge.verify(chain.Key(key), message, signature); got != want {
			v.t.Errorf("%s, key %x, signature %x: %t, the standard library says %t", what, key, signature, got, want)
		}
	}
	if want {
		v.yes++
	} else {
		v.not++
	}
}

func newVerdicts(t *testing.T) *verdicts {
	return &verdicts{t: t, judge: newSignatures("test", newMetrics())}
}

func (v *verdicts) mustHaveBoth() {
	v.t.Helper()
	if v.yes == 0 || v.not == 0 {
		v.t.Errorf("%d signatures are good and %d bad: one side was not compared", v.yes, v.not)
	}
}

func TestEachBitOfASignatureCounts(t *testing.T) {
	v := newVerdicts(t)
	key, message := testKey("signer"), []byte("a message")
	public := []byte(key.Public().(ed25519.PublicKey))
	signature := ed25519.Sign(key, message)
	v.compare("as it was made", public, message, signature)
	for _, of := range [][]byte{public, message, signature} {
		for bit := range 8 * len(of) {
			of[bit/8] ^= 1 << (bit % 8)
			v.compare("with a bit changed", public, message, signature)
			of[bit/8] ^= 1 << (bit % 8)
		}
	}
	v.mustHaveBoth()
}

// Where keys or the points of signatures have a part of small order, implementations part (Chalkias, Garillot and
// Nikolaenko, Taming the many EdDSAs, 2020).
func TestOddSignaturesAreJudgedAsByTheStandardLibrary(t *testing.T) {
	v := newVerdicts(t)
	draw := rand.NewChaCha8([32]byte{1})
	random := func() *scalar.Scalar {
		var wide [64]byte
		draw.Read(wide[:])
		return must(t)(scalar.New().SetBytesModOrderWide(wide[:]))
	}
	encode := func(p *curve.EdwardsPoint) []byte {
		return slices.Clone(new(curve.CompressedEdwardsY).SetEdwardsPoint(p)[:])
	}
	odd := func(s *scalar.Scalar, small *curve.EdwardsPoint) *curve.EdwardsPoint {
		p := curve.NewEdwardsPoint().MulBasepoint(curve.ED25519_BASEPOINT_TABLE, s)
		return p.Add(p, small)
	}
	var zero scalar.Scalar
	for round := range uint64(16) {
		message := binary.LittleEndian.AppendUint64(nil, round)
		for _, inKey := range curve.EIGHT_TORSION {
			for _, inPoint := range curve.EIGHT_TORSION {
				secret, nonce := random(), random()
				switch round { // points of small order only
				case 0:
					nonce = &zero
				case 1:
					secret = &zero
				case 2:
					secret, nonce = &zero, &zero
				}
				public := encode(odd(secret, inKey))
				point := encode(odd(nonce, inPoint))
				for _, r := range append([][]byte{point}, otherForms(point)...) {
					hash := sha512.Sum512(slices.Concat(r, public, message))
					h := must(t)(scalar.New().SetBytesModOrderWide(hash[:]))
					sum := scalar.New().Add(nonce, scalar.New().Mul(h, secret))
					s := make([]byte, scalar.ScalarSize)
					if err := sum.ToBytes(s); err != nil {
						t.Fatal(err)
					}
					signature := slices.Concat(r, s)
					v.compare("odd points", public, message, signature)
					v.compare("a sum above the order", public, message, slices.Concat(r, aboveOrder(s)))
					for _, key := range otherForms(public) {
						v.compare("another form of the key", key, message, signature)
					}
				}
			}
		}
	}
	v.mustHaveBoth()
	t.Logf("%d accepted, %d refused", v.yes, v.not)
}

// must ends the test at an error.
func must(t *testing.T) func(*scalar.Scalar, error) *scalar.Scalar {
	return func(s *scalar.Scalar, err error) *scalar.Scalar {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// otherForms are other bytes for a point: the other sign, and, for the few whose number is below 19, that number
// and the prime.
func otherForms(point []byte) (forms [][]byte) {
	sign := slices.Clone(point)
	sign[31] ^= 0x80
	forms = append(forms, sign)
	if point[0] < 19 && !slices.ContainsFunc(point[1:31], func(b byte) bool { return b != 0 }) && point[31]&0x7f == 0 {
		for _, top := range []byte{0x7f, 0xff} {
			above := slices.Repeat([]byte{0xff}, 32)
			above[0], above[31] = point[0]+0xed, top
			forms = append(forms, above)
		}
	}
	return forms
}

// aboveOrder adds the order of the base point to a number.
func aboveOrder(s []byte) []byte {
	order := []byte{
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
	}
	sum, carry := make([]byte, 32), 0
	for i := range sum {
		carry += int(s[i]) + int(order[i])
		sum[i], carry = byte(carry), carry>>8
	}
	return sum
}

func TestWhatIsRememberedOfSignaturesIsBounded(t *testing.T) {
	g := generations[int]{most: 10}
	key := func(i int) (k [32]byte) {
		binary.LittleEndian.PutUint64(k[:], uint64(i))
		return k
	}
	for i := range 1000 {
		g.put(key(i), i)
		if n := len(g.young) + len(g.old); n > 20 {
			t.Fatalf("%d are remembered, want at most 20", n)
		}
		if v, ok := g.get(key(max(i-3, 0))); !ok || v != max(i-3, 0) {
			t.Fatalf("after %d the one of three before is forgotten, or another: %d, %t", i, v, ok)
		}
		if _, ok := g.get(key(0)); !ok {
			t.Fatal("what is asked for all the time is forgotten")
		}
	}
	if _, ok := g.get(key(500)); ok {
		t.Error("what nobody asked for any more is remembered")
	}
}
