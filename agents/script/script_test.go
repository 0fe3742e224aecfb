package script

import (
	"slices"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/host"
)

func values(row []Entry) []int64 {
	var list []int64
	for _, e := range row {
		list = append(list, e.Value)
	}
	return list
}

func TestScriptsGiveTheRowOfAnEpoch(t *testing.T) {
	parse := func(text string) *Formula {
		f, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	formulas := &Formulas{First: 2, Targets: []Target{{Weight: parse("7")}, {Weight: parse("t * 10 + step"), J: 1}}}
	table := &Table{Hotkeys: make([]chain.Key, 2), Rows: [][]int64{{1, 2}, {3, -1}}}
	list := List{{Epoch: 1, Row: []Entry{{Value: 5}}}, {Epoch: 4, Row: []Entry{{Value: 6}}}}
	for _, c := range []struct {
		name   string
		script Script
		epoch  uint64
		want   []int64
	}{
		{"formulas", formulas, 2, []int64{7, 20}}, {"formulas", formulas, 5, []int64{7, 53}},
		{"table", table, 0, []int64{1, 2}}, {"table", table, 1, []int64{3, -1}}, {"table, beyond its end", table, 9, []int64{3, -1}},
		{"empty table", &Table{}, 0, nil},
		{"list", list, 0, nil}, {"list", list, 1, []int64{5}}, {"list", list, 2, nil}, {"list", list, 4, []int64{6}},
	} {
		if got := values(c.script.Row(c.epoch)); !slices.Equal(got, c.want) {
			t.Errorf("%s, epoch %d: %v, expected %v", c.name, c.epoch, got, c.want)
		}
	}
}

func TestWeightsAboveTheLimitAreScaledInProportion(t *testing.T) {
	for _, c := range []struct{ in, want []int64 }{
		{[]int64{1, 65535}, []int64{1, 65535}},
		{[]int64{126000, 90000, 0}, []int64{65535, 46811, 0}},
		{[]int64{1 << 62, 1 << 61, 1}, []int64{65535, 32768, 0}},
	} {
		if got := scaled(slices.Clone(c.in), 65535); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, expected %v", c.in, got, c.want)
		}
	}
}

func TestAValidatorComesBackFromItsBytes(t *testing.T) {
	config := Config{Script: List{}, EveryEpochs: 1}
	a, b := New(config), New(config)
	a.timer = 17
	state := a.AppendState(nil)
	if err := b.RestoreState(state); err != nil || b.timer != 17 {
		t.Fatalf("timer %d, %v", b.timer, err)
	}
	for n := range state {
		if b.RestoreState(state[:n]) == nil {
			t.Errorf("%d of %d bytes are a state", n, len(state))
		}
	}
	if (Config{Script: List{}}).Validate() == nil || (Config{EveryEpochs: 1}).Validate() == nil {
		t.Error("no script, or one for every 0 epochs, is taken")
	}
}

// asked counts the requests that are refused.
type asked struct {
	host.Env
	refused int
}

func (a *asked) Reply(_ host.CallID, r host.Response) {
	if r.Code == host.NotImplemented {
		a.refused++
	}
}

func TestAScriptedValidatorServesNobody(t *testing.T) {
	env := new(asked)
	if New(Config{Script: List{}, EveryEpochs: 1}).Handle(env, host.Incoming{}); env.refused != 1 {
		t.Errorf("%d requests were refused, expected 1", env.refused)
	}
}
