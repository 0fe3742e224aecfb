package script

import (
	"cmp"
	"slices"

	"taolab/sim/chain"
)

// Entry is a weight on a hotkey. A negative value leaves the entry out; 0 is an entry of 0.
type Entry struct {
	Hotkey chain.Key
	Value  int64
}

// Script prescribes a validator's weights.
type Script interface {
	// Row returns the weights that are to count in an epoch. Nil: it sets none, and its last row stays.
	// The result is valid until the next call.
	Row(epoch uint64) []Entry
}

// Target is a hotkey with the formula of the weight on it.
type Target struct {
	Hotkey chain.Key
	Weight *Formula
	J, M   int64 // its places, see Variables
}

// Formulas are weights by formulas, one for each target.
type Formulas struct {
	Of      Variables // the validator's own: I, K and Seed
	First   uint64    // epoch in which Step is 0
	Targets []Target

	row   []Entry
	moves []int // targets whose weight depends on the epoch
}

// Row implements Script.
func (f *Formulas) Row(epoch uint64) []Entry {
	if f.row == nil {
		f.row = make([]Entry, len(f.Targets))
		for i, target := range f.Targets {
			f.row[i] = Entry{target.Hotkey, f.value(target, epoch)}
			if target.Weight.Moves() {
				f.moves = append(f.moves, i)
			}
		}
		return f.row
	}
	for _, i := range f.moves {
		f.row[i].Value = f.value(f.Targets[i], epoch)
	}
	return f.row
}

func (f *Formulas) value(target Target, epoch uint64) int64 {
	v := f.Of
	v.T, v.Step, v.J, v.M = int64(epoch), int64(epoch-f.First), target.J, target.M
	return target.Weight.Value(v)
}

// Table holds weights by epoch: rows[e] counts in epoch e, and the last row from then on.
type Table struct {
	Hotkeys []chain.Key // of the columns
	Rows    [][]int64

	row []Entry
}

// Row implements Script.
func (t *Table) Row(epoch uint64) []Entry {
	if len(t.Rows) == 0 {
		return nil
	}
	values := t.Rows[min(epoch, uint64(len(t.Rows)-1))]
	t.row = t.row[:0]
	for i, value := range values {
		t.row = append(t.row, Entry{t.Hotkeys[i], value})
	}
	return t.row
}

// Dated is a row that counts from an epoch on.
type Dated struct {
	Epoch uint64
	Row   []Entry
}

// List holds rows by ascending epoch. In epochs without a row it sets nothing.
type List []Dated

// Row implements Script.
func (l List) Row(epoch uint64) []Entry {
	i, found := slices.BinarySearchFunc(l, epoch, func(d Dated, epoch uint64) int { return cmp.Compare(d.Epoch, epoch) })
	if !found {
		return nil
	}
	return l[i].Row
}
