package conformance

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"reflect"
	"slices"
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
	case t == reflect.TypeFor[[]chain.SnapshotAccount]():
		all := ascending(v.Interface().([]chain.SnapshotAccount))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(all)))
		for _, a := range all {
			b = appendAccount(b, a, appendBytes(nil, reflect.ValueOf(a.Nominations)))
		}
		return b
	case t == reflect.TypeFor[chain.Hard]() && v.IsZero():
		return append(b, 0)
	case t.Kind() == reflect.Struct:
		if t == reflect.TypeFor[chain.Hard]() {
			b = append(b, 1)
		}
		costs := true
		if x, ok := v.Interface().(chain.Snapshot); ok {
			costs = x.Params.Hard.FeeRao != 0
		}
		for i := range v.NumField() {
			name := t.Field(i).Name
			priced := slices.Contains([]string{"PriceRao", "WorkUsed", "BytesUsed", "Resets"}, name)
			if (t != reflect.TypeFor[chain.Totals]() || name != "Issuance") && (costs || !priced) {
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

// appendAccount appends the record of an account, given what stands for its nominations.
func appendAccount(b []byte, a chain.SnapshotAccount, nominations []byte) []byte {
	b = append(b, a.Key[:]...)
	b = binary.LittleEndian.AppendUint64(b, a.FreeRao)
	b = binary.LittleEndian.AppendUint64(b, a.Nonce)
	if a.Owner == (chain.Key{}) {
		return append(b, 0)
	}
	form, values := byte(1), []any{a.StakeRao, a.Delegate, a.Take, a.ChangedIn, a.SettledRao}
	if a.SpentIn != 0 {
		form, values = 2, append(values, a.SpentIn, a.Spent)
	}
	b = append(append(b, form), a.Owner[:]...)
	for _, v := range values {
		b = appendBytes(b, reflect.ValueOf(v))
	}
	return append(b, nominations...)
}

// ascending sorts accounts by the hash of their keys.
func ascending(all []chain.SnapshotAccount) []chain.SnapshotAccount {
	return slices.SortedFunc(slices.Values(all), func(a, b chain.SnapshotAccount) int {
		p, q := sha256.Sum256(a.Key[:]), sha256.Sum256(b.Key[:])
		return bytes.Compare(p[:], q[:])
	})
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
	nominator, nominating := keyOf(77)
	txs := []chain.Tx{
		chain.Sign(sampleChain, cold, 10, 100, chain.Delegate{Hotkey: hotkey, Take: 100}),
		chain.Sign(sampleChain, cold, 11, 100, chain.Register{Hotkey: newcomer}),
		chain.Sign(sampleChain, hot, 10, 100, chain.SetWeights{UIDs: []uint16{1}, Values: []uint32{1}}),
		chain.Sign(sampleChain, cold, 12, 100, chain.Transfer{To: nominating, AmountRao: 9}),
		chain.Sign(sampleChain, nominator, 0, 100, chain.AddStake{Hotkey: hotkey, AmountRao: 8}),
	}
	for i := range 60 { // more accounts than a leaf takes
		_, to := keyOf(100 + byte(i))
		txs = append(txs, chain.Sign(sampleChain, cold, 13+uint64(i), 100, chain.Transfer{To: to, AmountRao: 1}))
	}
	for _, tx := range txs {
		if err := s.Apply(tx); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestTheBytesOfAStateAreWhatTheReferenceSays(t *testing.T) {
	s := busyState(t)
	for _, hard := range []chain.Hard{{}, {MaxExpiryBlocks: 1024}, {StrictNonce: true}, {
		FeeRao: 1000, FeeRise: 8, FeeRecycled: true, MaxBlockWork: 1 << 14, MaxBlockBytes: 1 << 20,
	}} {
		x := s.Export()
		if x.Params.Hard = hard; hard.FeeRao != 0 {
			x.PriceRao, x.WorkUsed, x.BytesUsed, x.Resets = 1001, 77, 170, []chain.UID{1, 0}
			hot := slices.IndexFunc(x.Accounts, func(a chain.SnapshotAccount) bool { return a.Owner != (chain.Key{}) })
			x.Accounts[hot].SpentIn, x.Accounts[hot].Spent = 1, 60
		}
		s, err := chain.Import(x)
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendBytes(want[:1:1], reflect.ValueOf(x)); !bytes.Equal(got, want) {
			t.Errorf("%x, want %x", got, want)
		}
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
	var leaves [3][][32]byte
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
	accounts := ascending(x.Accounts)
	x.Accounts, x.Neurons = nil, nil
	header := appendBytes(nil, reflect.ValueOf(x))
	header = header[:len(header)-8] // without the two counts
	top := append([]byte{2}, hashOf([]byte{4}, header)...)
	for kind, list := range leaves {
		all := binary.LittleEndian.AppendUint64([]byte{3, byte(kind)}, uint64(len(list)))
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
			all = append(all, hash[:]...)
		}
		top = append(top, hashOf(all)...)
	}
	if len(accounts) < 60 {
		t.Fatalf("%d accounts", len(accounts))
	}
	count := binary.LittleEndian.AppendUint64([]byte{3, 3}, uint64(len(accounts)))
	top = append(top, hashOf(count, trieOf(accounts, 0))...)
	if got := chain.Digest(hashOf(top)); got != s.Digest() {
		t.Errorf("%s, want %s", got, s.Digest())
	}
}

func hashOf(parts ...[]byte) []byte {
	hash := sha256.Sum256(bytes.Join(parts, nil))
	return hash[:]
}

// trieOf hashes accounts that ascend and agree in the first digits of the hashes of their keys.
func trieOf(all []chain.SnapshotAccount, digits int) []byte {
	if len(all) <= 8 {
		records := []byte{0, 3}
		for _, a := range all {
			nominations := make([]byte, 32)
			if len(a.Nominations) > 0 {
				nominations = hashOf([]byte{5}, appendBytes(nil, reflect.ValueOf(a.Nominations)))
			}
			records = appendAccount(records, a, nominations)
		}
		return hashOf(records)
	}
	var bitmap uint16
	var children []byte
	for digit := range 16 {
		var those []chain.SnapshotAccount
		for _, a := range all {
			hash := sha256.Sum256(a.Key[:])
			if hex.EncodeToString(hash[:])[digits] == "0123456789abcdef"[digit] {
				those = append(those, a)
			}
		}
		if len(those) > 0 {
			bitmap |= 1 << digit
			children = append(children, trieOf(those, digits+1)...)
		}
	}
	return hashOf([]byte{1, 3}, binary.LittleEndian.AppendUint16(nil, bitmap), children)
}
