package chain

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// fullState is a state in which every list of a snapshot has an element.
func fullState(t *testing.T) *State {
	t.Helper()
	params, err := Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	params = params.Scaled(4)
	owner, hotkey, second, nominator := Key{1}, Key{2}, Key{3}, Key{4}
	s, err := New(Genesis{
		ChainID: "full", Params: params, Governor: Key{7}, Owner: hotkey,
		Balances: []Balance{{owner, 50 * RaoPerTAO}},
		Neurons:  []GenesisNeuron{{hotkey, owner, 10 * RaoPerTAO}, {second, owner, 20 * RaoPerTAO}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Advance(s.NextEvent() + 3)
	a := s.hotkey(hotkey)
	a.delegate, a.take, a.nominations = true, 1000, []nomination{{nominator, RaoPerTAO, 6}}
	a.changedIn, a.settledRao = s.epochs+1, 5
	n := s.neuron(0)
	n.ip, n.port, n.consensusKey = [16]byte{15: 1}, 8091, Key{9}
	n.commits = []commit{{Digest{1}, s.height, s.epochs}}
	s.setWeights(0, []WeightEntry{{UID: 1, Weight: 65535}})
	s.setBonds(0, []BondEntry{{UID: 1, Bond: 65535}})
	s.marks = []mark{{s.height, Digest{2}}}
	s.works = []usedWork{{s.height, Digest{3}}}
	s.inBlock = 1
	s.events = []Event{Registered{s.height + 1, 1, second, 5}, Replaced{s.height + 1, 1, Key{8}}}
	return s
}

func TestAnExportedStateIsImportedAsItWas(t *testing.T) {
	s := fullState(t)
	again, err := Import(s.Export())
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := again.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) || s.Digest() != again.Digest() {
		t.Errorf("digest %s, want %s", again.Digest(), s.Digest())
	}
	if got, want := again.Export(), s.Export(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// A snapshot shares nothing with its state.
	x := s.Export()
	x.Neurons[0].Weights[0].Weight++
	x.Events[0] = nil
	if s.Digest() != again.Digest() || s.neurons.get(0).weights[0].Weight != 65535 || s.events[0] == nil {
		t.Error("a change of the snapshot changed the state")
	}
}

// Every field is part of the state: a change of it alone is refused or changes the digest.
func TestEveryFieldOfASnapshotIsPartOfTheState(t *testing.T) {
	s := fullState(t)
	digest := s.Digest()
	var accepted, refused []string
	for place := 0; ; place++ {
		x := s.Export()
		left := place
		path := change(reflect.ValueOf(&x).Elem(), "", &left)
		if path == "" {
			break
		}
		again, err := Import(x)
		if err != nil {
			refused = append(refused, path)
			continue
		}
		accepted = append(accepted, path)
		if again.Digest() == digest {
			t.Errorf("%s: changed, and the digest is the same", path)
		}
		if !reflect.DeepEqual(again.Export(), x) {
			t.Errorf("%s: the change did not arrive", path)
		}
	}
	if len(accepted) < 100 || len(refused) < 10 {
		t.Errorf("%d changes accepted, %d refused: %s", len(accepted), len(refused),
			strings.Join(refused, " "))
	}
}

// change changes the leaf that comes after *left others, and returns its path, "" if there is none.
func change(v reflect.Value, path string, left *int) string {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if p := change(v.Field(i), path+"."+v.Type().Field(i).Name, left); p != "" {
				return p
			}
		}
		return ""
	case reflect.Slice:
		for i := range v.Len() {
			if p := change(v.Index(i), fmt.Sprintf("%s[%d]", path, i), left); p != "" {
				return p
			}
		}
		return ""
	case reflect.Interface:
		fields := reflect.New(v.Elem().Type()).Elem()
		fields.Set(v.Elem())
		p := change(fields, path, left)
		v.Set(fields)
		return p
	}
	if *left--; *left >= 0 {
		return ""
	}
	switch {
	case v.Kind() == reflect.Array:
		v.Index(v.Len() - 1).SetUint(v.Index(v.Len()-1).Uint() ^ 1)
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.Kind() == reflect.String:
		v.SetString(v.String() + "x")
	case v.CanInt():
		v.SetInt(v.Int() + 1)
	default:
		v.SetUint(v.Uint() + 1)
	}
	return path
}

func TestEpochsAreCountedFromTheBlockItself(t *testing.T) {
	for _, tc := range []struct {
		due                EpochDue
		tempo, last, block uint64
		want               uint64
	}{
		{DueSinceLast, 10, 100, 100, 10},
		{DueSinceLast, 10, 100, 109, 1},
		{DueSinceLast, 10, 100, 110, 0},
		{DueSinceLast, 10, 100, 1000, 0},
		{DueSinceLast, 10, 100, 50, 10},
		{DueSinceLast, 0, 0, 50, never},
		{DueByHeight, 10, 100, 9, 0},
		{DueByHeight, 10, 0, 10, 10},
		{DueByHeight, 10, 0, 19, 1},
		{DueByHeight, 0, 0, 19, never},
	} {
		if got := BlocksToEpoch(tc.due, tc.tempo, tc.last, tc.block); got != tc.want {
			t.Errorf("%+v: %d", tc, got)
		}
	}
}
