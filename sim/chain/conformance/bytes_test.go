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
		x, state := v.Interface().(chain.Snapshot)
		for i := range v.NumField() {
			name := t.Field(i).Name
			if t == reflect.TypeFor[chain.Totals]() && (name == "Issuance" || name == "Unbonding") ||
				state && !kept(x.Params.Hard, name) {
				continue
			}
			if b = appendBytes(b, v.Field(i)); state && name == afterUnbonding(x.Params.Hard) {
				b = binary.LittleEndian.AppendUint64(b, x.Money.Unbonding)
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
		} else if _, ok := v.Interface().(chain.Accused); ok {
			kind = 3
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

// kept reports whether a ledger with these settings keeps a member of the state.
func kept(h chain.Hard, name string) bool {
	switch name {
	case "PriceRao", "WorkUsed", "BytesUsed", "Resets":
		return h.FeeRao != 0
	case "Touched":
		return h.ExistentialRao != 0
	case "Begun", "Proposer", "Tombs", "Operators":
		return h.Seats != 0
	case "Rules", "StoredRules", "Plan", "Council", "Threshold", "NextProposal", "Proposals", "Steps":
		return h.VoteDelayBlocks != 0
	}
	return true
}

// afterUnbonding is the member behind which the unbonding money stands, if it is kept.
func afterUnbonding(h chain.Hard) string {
	switch {
	case h.UnbondEpochs == 0:
		return ""
	case h.ExistentialRao != 0:
		return "Touched"
	case h.FeeRao != 0:
		return "Resets"
	}
	return "Events"
}

// appendAccount appends the record of an account, given what stands for its nominations.
func appendAccount(b []byte, a chain.SnapshotAccount, nominations []byte) []byte {
	b = append(b, a.Key[:]...)
	b = binary.LittleEndian.AppendUint64(b, a.FreeRao)
	b = binary.LittleEndian.AppendUint64(b, a.Nonce)
	form := byte(0)
	add := func(bit byte, there bool, values ...any) (part []byte) {
		if !there {
			return nil
		}
		form |= bit
		for _, v := range values {
			part = appendBytes(part, reflect.ValueOf(v))
		}
		return part
	}
	hot := a.Owner != (chain.Key{})
	parts := [][]byte{
		add(1, hot, a.Owner, a.StakeRao, a.Delegate, a.Take, a.ChangedIn, a.SettledRao),
		add(2, a.SpentIn != 0, a.SpentIn, a.Spent),
		add(4, a.Served|a.Reset|a.TookMore|a.Swapped != 0, a.Served, a.Reset, a.TookMore, a.Swapped),
		nominations,
		add(8, len(a.Unbonding) > 0, a.Unbonding),
		add(16, a.References > 0, a.References),
	}
	if !hot {
		parts[3] = nil
	}
	return append(append(b, form), bytes.Join(parts, nil)...)
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
	}, {Seats: 3, JailWindow: 8}, {UnbondEpochs: 2, VoteDelayBlocks: 5}, {
		ExistentialRao: 5, StrictNonce: true, UnbondEpochs: 1, VoteDelayBlocks: 5, TakeBlocks: 9, ServeBlocks: 9,
	}} {
		x := s.Export()
		if hard.ExistentialRao != 0 {
			referTo(&x)
		}
		if hard.Seats != 0 {
			x.Begun, x.Proposer, x.Tombs = true, x.Neurons[0].Hotkey, []chain.Key{{1}, {2}}
			x.Operators = []chain.SnapshotOperator{{
				Hotkey: x.Neurons[0].Hotkey, ConsensusKey: chain.Key{3}, Next: chain.Key{4}, Pending: true, Power: 5,
				Past: []chain.SnapshotPastKey{{Key: chain.Key{6}, Until: 7}}, Missed: []byte{9}, Over: 1,
			}}
			x.Events = append(x.Events, chain.Accused{Block: x.Height + 1, Hotkey: chain.Key{7}})
		}
		if hard.UnbondEpochs != 0 {
			x.Rules, x.StoredRules, x.Plan, x.Governor = 2, 1, chain.Upgrade{Rules: 3, Height: 1 << 20}, chain.Key{}
			x.Council, x.Threshold, x.NextProposal = []chain.Key{x.Neurons[0].Hotkey}, 1, 2
			x.Proposals = []chain.SnapshotProposal{{ID: 1, Content: chain.Propose{
				Changes: []chain.ParamChange{{Name: "Kappa", Value: 1}}}}}
			x.Steps = []chain.SnapshotStep{{Name: "Rho", Epoch: 0}}
			i := slices.IndexFunc(x.Accounts, func(a chain.SnapshotAccount) bool { return a.FreeRao > 9 })
			x.Accounts[i].FreeRao -= 9
			x.Accounts[i].Unbonding = []chain.Unbonding{{Hotkey: chain.Key{8}, Rao: 9, Begun: 1}}
			x.Money.Free, x.Money.Unbonding = x.Money.Free-9, 9
		}
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

// referTo makes a state one in which accounts take a deposit, and hotkeys have been raised and served.
func referTo(x *chain.Snapshot) {
	named := map[chain.Key]uint32{}
	for _, a := range x.Accounts {
		if a.Owner != (chain.Key{}) {
			named[a.Owner]++
		}
		for _, n := range a.Nominations {
			named[n.Coldkey]++
		}
	}
	for i := range x.Accounts {
		a := &x.Accounts[i]
		if a.References = named[a.Key]; a.Owner != (chain.Key{}) {
			a.Served, a.TookMore = 1, 1
		}
		x.Touched = append(x.Touched, a.Key)
	}
}

// The digest is made once more only from the exported state.
func TestTheDigestOfAStateIsWhatTheReferenceSays(t *testing.T) {
	s := busyState(t)
	compareDigest(t, s)
	x := s.Export()
	x.Params.Hard.Seats = 2
	x.Operators = []chain.SnapshotOperator{{Hotkey: x.Neurons[0].Hotkey, ConsensusKey: chain.Key{1}, Power: 7}}
	s, err := chain.Import(x)
	if err != nil {
		t.Fatal(err)
	}
	compareDigest(t, s)
}

func compareDigest(t *testing.T, s *chain.State) {
	t.Helper()
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
	operators := x.Operators
	x.Operators = nil
	header := appendBytes(nil, reflect.ValueOf(x))
	header = header[:len(header)-8] // without the two counts
	if x.Params.Hard.Seats != 0 {
		header = header[:len(header)-4] // and a third
	}
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
	if len(operators) > 0 {
		all := binary.LittleEndian.AppendUint64([]byte{3, 4}, uint64(len(operators)))
		for i, o := range operators {
			hash := leaf(4, i, appendBytes(nil, reflect.ValueOf(o)))
			all = append(all, hash[:]...)
		}
		top = append(top, hashOf(all)...)
	}
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
