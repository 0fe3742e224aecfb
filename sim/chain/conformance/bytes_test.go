package conformance

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"testing"

	"taolab/sim/chain"
)

// appendBytes appends v as the reference says: fields in the order of the tables, numbers
// little-endian and of fixed width, a list after its count in four bytes, a text after its length
// in one, an event after its kind in one. The issuance, a sum, is not kept.
func appendBytes(b []byte, v reflect.Value) []byte {
	switch t := v.Type(); {
	case isBytes(t):
		raw := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(raw), v)
		return append(b, raw...)
	case t.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if t != reflect.TypeFor[chain.Totals]() || t.Field(i).Name != "Issuance" {
				b = appendBytes(b, v.Field(i))
			}
		}
		return b
	case t.Kind() == reflect.Slice:
		b = binary.LittleEndian.AppendUint32(b, uint32(v.Len()))
		for i := range v.Len() {
			b = appendBytes(b, v.Index(i))
		}
		return b
	case t.Kind() == reflect.Interface:
		kind := byte(1)
		if _, ok := v.Interface().(chain.Replaced); ok {
			kind = 2
		}
		return appendBytes(append(b, kind), v.Elem())
	case t.Kind() == reflect.String:
		return append(append(b, byte(v.Len())), v.String()...)
	case t.Kind() == reflect.Bool:
		return append(b, byte(fromBit(v.Bool())))
	}
	bits := v.Type().Bits()
	var u uint64
	if v.CanInt() {
		u = uint64(v.Int())
	} else {
		u = v.Uint()
	}
	return append(b, binary.LittleEndian.AppendUint64(nil, u)[:bits/8]...)
}

// busyState is the sample in the middle of a block, with an epoch behind it.
func busyState(t *testing.T) *chain.State {
	t.Helper()
	s := sampleState(t)
	if _, err := sampleBlock(t).Apply(s); err != nil {
		t.Fatal(err)
	}
	cold, _ := keyOf(1)
	hot, hotkey := keyOf(2)
	_, newcomer := keyOf(5)
	for _, tx := range []chain.Tx{
		chain.Sign(sampleChain, cold, 10, 100, chain.Delegate{Hotkey: hotkey, Take: 100}),
		chain.Sign(sampleChain, cold, 11, 100, chain.Register{Hotkey: newcomer}),
		chain.Sign(sampleChain, hot, 10, 100, chain.SetWeights{UIDs: []uint16{1}, Values: []uint32{1}}),
	} {
		if err := s.Apply(tx); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestTheBytesOfAStateAreWhatTheReferenceSays(t *testing.T) {
	s := busyState(t)
	want, err := s.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := appendBytes(want[:1:1], reflect.ValueOf(s.Export())); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// The digest is made once more from the exported state alone.
func TestTheDigestOfAStateIsWhatTheReferenceSays(t *testing.T) {
	s := busyState(t)
	x := s.Export()
	leaf := func(kind byte, index int, record []byte) (leaf [32]byte) {
		if len(record) == 0 {
			return leaf
		}
		head := binary.LittleEndian.AppendUint32([]byte{0, kind}, uint32(index))
		return sha256.Sum256(append(head, record...))
	}
	var leaves [4][][32]byte
	for uid, n := range x.Neurons {
		weights, bonds := n.Weights, n.Bonds
		record := appendBytes(nil, reflect.ValueOf(n))
		rows := len(appendBytes(appendBytes(nil, reflect.ValueOf(weights)), reflect.ValueOf(bonds)))
		leaves[0] = append(leaves[0], leaf(0, uid, record[:len(record)-rows]))
		row := func(list reflect.Value) []byte {
			if list.Len() == 0 {
				return nil
			}
			return appendBytes(nil, list)
		}
		leaves[1] = append(leaves[1], leaf(1, uid, row(reflect.ValueOf(weights))))
		leaves[2] = append(leaves[2], leaf(2, uid, row(reflect.ValueOf(bonds))))
	}
	var buckets [4096][]byte
	for _, a := range x.Accounts {
		b := &buckets[int(a.Key[0])<<4|int(a.Key[1])>>4]
		*b = appendBytes(*b, reflect.ValueOf(a))
	}
	for i, record := range buckets {
		leaves[3] = append(leaves[3], leaf(3, i, record))
	}
	x.Accounts, x.Neurons = nil, nil
	header := appendBytes(nil, reflect.ValueOf(x))
	root := append([]byte{2}, header[:len(header)-8]...) // without the two counts
	for kind, list := range leaves {
		root = binary.LittleEndian.AppendUint32(root, uint32(len(list)))
		for first := 0; first < len(list); first += 16 {
			node := binary.LittleEndian.AppendUint32([]byte{1, byte(kind)}, uint32(first/16))
			empty := true
			for _, l := range list[first:min(first+16, len(list))] {
				node = append(node, l[:]...)
				empty = empty && l == [32]byte{}
			}
			hash := sha256.Sum256(node)
			if empty {
				hash = [32]byte{}
			}
			root = append(root, hash[:]...)
		}
	}
	if got := chain.Digest(sha256.Sum256(root)); got != s.Digest() {
		t.Errorf("%s, want %s", got, s.Digest())
	}
}
