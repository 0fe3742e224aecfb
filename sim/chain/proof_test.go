package chain

import (
	"fmt"
	"reflect"
	"testing"
)

// flips calls f with each number in v changed in its lowest bit, one after the other.
func flips(v reflect.Value, f func()) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			flips(v.Field(i), f)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			flips(v.Index(i), f)
		}
	case reflect.Int:
		v.SetInt(v.Int() ^ 1)
		f()
		v.SetInt(v.Int() ^ 1)
	default:
		v.SetUint(v.Uint() ^ 1)
		f()
		v.SetUint(v.Uint() ^ 1)
	}
}

func TestProofsShowWhatAStateHolds(t *testing.T) {
	for _, more := range []uint64{0, 500} {
		s := rich(t)
		for i := range more {
			s.account(numbered(i)).freeRao = i
		}
		for _, seal := range []bool{false, true} {
			if seal {
				s.Seal()
			}
			root := s.Digest()
			present, absent := 0, 0
			for _, k := range []Key{colds[0].key, hots[0].key, hots[1].key, numbered(3), numbered(7777), {9}} {
				p := s.ProveAccount(k)
				got, found, err := p.Verify(root, k)
				if err != nil {
					t.Fatalf("%s: %v", k, err)
				}
				want := s.accounts.get(k)
				if has := s.behind(k) != nil; has != found {
					t.Fatalf("%s: found %v, want %v", k, found, has)
				}
				if found {
					present++
					if got != (ProvenAccount{k, want.freeRao, want.nonce, want.owner, want.stakeRao, want.delegate,
						want.take, want.nominationsDigest()}) {
						t.Errorf("%s: %+v, want %+v", k, got, want)
					}
				} else {
					absent++
				}
				flips(reflect.ValueOf(&p).Elem(), func() {
					if _, _, err := p.Verify(root, k); err == nil {
						t.Fatalf("%s: a changed proof is good: %+v", k, p)
					}
				})
				p.Leaf = nil // as if there were nothing on the path
				if _, _, err := p.Verify(root, k); err == nil && found {
					t.Fatalf("%s: a proof without its leaf is good", k)
				}
			}
			if present == 0 || absent == 0 {
				t.Fatalf("%d accounts are there, %d are not", present, absent)
			}
		}
	}
}

func TestProofsShowTheRecordsOfNeurons(t *testing.T) {
	for _, n := range []int{1, 16, 17, 40} {
		s := crowded(t, n)
		s.Seal()
		s.neuron(0).port = 77
		root := s.Digest()
		for _, uid := range []UID{0, UID(n - 1), UID(n / 2)} {
			p := s.ProveNeuron(uid)
			got, err := p.Verify(root)
			want := exportNeuron(s.neurons.get(uid))
			want.Weights, want.Bonds = nil, nil
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("neuron %d of %d: %v, %+v, want %+v", uid, n, err, got, want)
			}
			own := int(uid) % nodeLeaves
			flips(reflect.ValueOf(&p).Elem(), func() {
				again, err := p.Verify(root)
				// The leaf and the node on the way are made of the record.
				p.Leaves[own], p.Nodes[int(uid)/nodeLeaves] = Digest{}, Digest{}
				if _, without := p.Verify(root); err == nil && (without != nil || !reflect.DeepEqual(again, want)) {
					t.Fatalf("neuron %d of %d: a changed proof is good: %+v", uid, n, p)
				}
			})
		}
	}
}

// FuzzProofs: whatever a proof says, verifying it neither panics nor finds what is not there.
func FuzzProofs(f *testing.F) {
	s := rich(f)
	root, k := s.Seal(), hots[0].key
	f.Add([]byte{1, 2, 3}, uint16(0xffff), uint8(3), uint64(9), uint8(1))
	f.Add([]byte{}, uint16(1), uint8(0), uint64(0), uint8(64))
	f.Fuzz(func(t *testing.T, leaf []byte, bitmap uint16, children uint8, count uint64, nodes uint8) {
		p := AccountProof{Count: count, Leaf: leaf}
		for range nodes {
			p.Nodes = append(p.Nodes, ProofNode{bitmap, make([]Digest, children)})
		}
		q := NeuronProof{Count: count, UID: UID(bitmap), Nodes: make([]Digest, children), Leaves: make([]Digest, nodes),
			Record: leaf}
		for _, place := range []int{0, -1, 1} {
			p.Top.Place, q.Top.Place = place, place
			if _, _, err := p.Verify(root, k); err == nil {
				t.Errorf("%+v is good", p)
			}
			if _, err := q.Verify(root); err == nil {
				t.Errorf("%+v is good", q)
			}
		}
	})
}

func ExampleState_ProveAccount() {
	p, _ := Era("2026")
	s, err := New(Genesis{ChainID: "example", Params: p, Balances: []Balance{{Key{1}, 100}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := s.Seal() // all that the other side knows
	for _, k := range []Key{{1}, {2}} {
		a, found, err := s.ProveAccount(k).Verify(digest, k)
		fmt.Println(found, a.FreeRao, err)
	}
	// Output:
	// true 100 <nil>
	// false 0 <nil>
}
