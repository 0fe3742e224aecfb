package lm

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"math"
	"strings"
	"testing"

	"taolab/model/num"
)

type form interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// forms are one value of each kind that has a binary form, and an empty one to read into.
func forms() (names []string, full, empty []form) {
	c := Config{Vocab: 7, Context: 5, Width: 4, Layers: 1, Heads: 2}
	s := num.NewStream(1, "binary")
	m, st, mom, w := New(c, s), new(AdamState), new(Momentum), new(Workspace)
	tokens := randomTokens(10, 7, s)
	w.Train(m, adamW, st, tokens, tokens, 2, 5)
	st16 := new(AdamState16)
	w.Train16(m, adamW, st16, tokens, tokens, 2, 5)
	r := NewRouter(c, 3, s)
	w.TrainSGD(m, SGD{Rate: 0.1}, mom, tokens, tokens, 2, 5)
	routerState := new(RouterState)
	for range 3 {
		w.TrainRouter(r, RouterTraining{SGD{Rate: 0.1}, 2}, routerState, tokens, 2, 5, []uint16{1}, []float32{1})
	}
	byRow, rowAdam := NewRowRouter(New(c, s), 3, 2), new(RowAdam)
	w.TrainRows(byRow, DefaultRowTraining, rowAdam, tokens, 2, 5, []uint16{1, 0}, nil, []RowPair{{1, 2, 0.7}})
	return []string{"model", "AdamW state", "router", "momentum", "AdamW state in bfloat16", "row router",
			"row router's Adam", "router's state"},
		[]form{m, st, r, mom, st16, byRow, rowAdam, routerState},
		[]form{new(Model), new(AdamState), new(Router), new(Momentum), new(AdamState16), new(RowRouter),
			new(RowAdam), new(RouterState)}
}

func TestBinaryFormsRoundTrip(t *testing.T) {
	names, full, empty := forms()
	for i, name := range names {
		data, err := full[i].AppendBinary([]byte("before"))
		if err != nil || string(data[:6]) != "before" {
			t.Fatalf("%s: %v, starts with %q", name, err, data[:6])
		}
		data = data[6:]
		if err := empty[i].UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		if again, _ := empty[i].AppendBinary(nil); !bytes.Equal(again, data) {
			t.Errorf("%s: read and written again, the bytes differ", name)
		}
		for cut := range len(data) {
			if empty[i].UnmarshalBinary(data[:cut]) == nil {
				t.Errorf("%s: %d bytes of %d pass", name, cut, len(data))
			}
		}
		err = empty[i].UnmarshalBinary(append(data, 0))
		if err == nil || !strings.Contains(err.Error(), "left over") {
			t.Errorf("%s with a byte too many: %v", name, err)
		}
		if again, _ := empty[i].AppendBinary(nil); !bytes.Equal(again, data) {
			t.Errorf("%s: a refused form changed the value", name)
		}
		for at := range 4 {
			data[len(data)-4+at] = 0xff
		}
		if err := empty[i].UnmarshalBinary(data); err == nil || !strings.Contains(err.Error(), "NaN") {
			t.Errorf("%s that ends in a NaN: %v", name, err)
		}
	}
}

// A model could not be trained on with it.
func TestAnAdamWStateThatLostItsMomentsIsRefused(t *testing.T) {
	lost := AdamState{Step: 3, Beta1Product: 0.5, Beta2Product: 0.5}
	data, _ := lost.AppendBinary(nil)
	err := new(AdamState).UnmarshalBinary(data)
	if err == nil || !strings.Contains(err.Error(), "no moments after 3 steps") {
		t.Errorf("error %v", err)
	}
}

func TestADigestIsTheHashOfTheBinaryForm(t *testing.T) {
	m := New(Config{Vocab: 300, Context: 5, Width: 32, Layers: 2, Heads: 2}, num.NewStream(1, "digest"))
	data, _ := m.AppendBinary(nil)
	if m.Digest() != sha256.Sum256(data) {
		t.Error("digest and hash differ")
	}
	other := m.Clone()
	other.Weights[len(other.Weights)-1] = 1e-30
	if other.Digest() == m.Digest() || m.Weights[len(m.Weights)-1] != 0 {
		t.Error("a clone's change does not show in its digest, or shows in its origin")
	}
}

func TestTrainingGoesOnFromAStoredState(t *testing.T) {
	c := Config{Vocab: 12, Context: 6, Width: 8, Layers: 2, Heads: 2}
	s := num.NewStream(2, "resume")
	m, st, w := New(c, s), new(AdamState), new(Workspace)
	tokens, targets := randomTokens(12, 12, s), randomTokens(12, 12, s)
	w.Train(m, adamW, st, tokens, targets, 2, 6)
	modelBytes, _ := m.AppendBinary(nil)
	stateBytes, _ := st.AppendBinary(nil)
	var m2 Model
	var st2 AdamState
	if err := m2.UnmarshalBinary(modelBytes); err != nil {
		t.Fatal(err)
	}
	if err := st2.UnmarshalBinary(stateBytes); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		a := w.Train(m, adamW, st, tokens, targets, 2, 6)
		b := new(Workspace).Train(&m2, adamW, &st2, tokens, targets, 2, 6)
		if math.Float32bits(a) != math.Float32bits(b) {
			t.Fatalf("losses %v and %v", a, b)
		}
	}
	if m.Digest() != m2.Digest() {
		t.Error("the models differ after three more steps")
	}
}

func FuzzBinaryForms(f *testing.F) {
	_, full, _ := forms()
	for _, v := range full {
		data, _ := v.AppendBinary(nil)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, v := range []form{
			new(Model), new(AdamState), new(Router), new(Momentum), new(AdamState16), new(RowRouter),
			new(RowAdam), new(RouterState),
		} {
			if v.UnmarshalBinary(data) != nil {
				continue
			}
			if again, err := v.AppendBinary(nil); err != nil || !bytes.Equal(again, data) {
				t.Errorf("%T: bytes that pass are written differently: %v", v, err)
			}
		}
	})
}
