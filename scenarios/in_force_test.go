package scenarios

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"taolab/agents/role"
	"taolab/model/base"
	"taolab/sim/chain"
)

// TestEveryParameterOfTheLedgerIsToldAsItIsInForce changes one after the other.
func TestEveryParameterOfTheLedgerIsToldAsItIsInForce(t *testing.T) {
	file, err := Load("testdata/tiny.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := file.Params()
	if err != nil {
		t.Fatal(err)
	}
	p.ActivityCutoffMilli = 1000 // eras count the cutoff in one of two ways
	told := fmt.Sprint(file.ledgerInForce(p))
	for _, path := range leaves(reflect.TypeFor[chain.Params](), nil) {
		changed := p
		field := reflect.ValueOf(&changed).Elem().FieldByIndex(path)
		name := reflect.TypeFor[chain.Params]().FieldByIndex(path).Name
		switch field.Kind() {
		case reflect.Bool:
			field.SetBool(!field.Bool())
		case reflect.String:
			field.SetString("other")
		case reflect.Int16:
			field.SetInt(field.Int() ^ 0x400)
		default:
			field.SetUint(field.Uint() ^ 0x4000)
		}
		if name == "AdjustmentAlpha" { // a share of 2^64
			field.SetUint(1 << 63)
		}
		if name == "ActivityCutoffBlocks" {
			changed.ActivityCutoffMilli = 0
		}
		if fmt.Sprint(file.ledgerInForce(changed)) == told {
			t.Errorf("%s is %v, and nothing says so", name, field)
		}
	}
}

// leaves are the index paths of the plain fields of a struct and of the structs in it.
func leaves(t reflect.Type, at []int) (paths [][]int) {
	for i := range t.NumField() {
		path := append(slices.Clone(at), i)
		if f := t.Field(i); f.Type.Kind() == reflect.Struct {
			paths = append(paths, leaves(f.Type, path)...)
		} else {
			paths = append(paths, path)
		}
	}
	return paths
}

func inForce(t *testing.T, text string, sets ...string) (map[string]Setting, []string) {
	t.Helper()
	sc, err := Decode("x.toml", text, sets)
	if err != nil {
		t.Fatal(err)
	}
	file := &File{Scenario: sc}
	list, err := file.InForce()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Setting{}
	for _, s := range list {
		if _, twice := byName[s.Name]; twice {
			t.Errorf("%s appears twice", s.Name)
		}
		byName[s.Name] = s
	}
	return byName, file.Warnings()
}

// TestWhatIsInForceIsWhatTheScenarioComesTo reads scaled limits, releases and lanes.
func TestWhatIsInForceIsWhatTheScenarioComesTo(t *testing.T) {
	text := minimal + "rows = 12\n"
	for _, c := range []struct {
		sets              []string
		name, value, note string
	}{
		{nil, "max weight", "1.0000", ""},
		{[]string{"chain.kappa=0"}, "kappa", "0.0000", ""},
		{[]string{"chain.kappa=0.25"}, "kappa", "0.2500", ""},
		{[]string{"chain.era=2026"}, "epoch", "every 72 blocks", "since-last"},
		{nil, "epoch", "every 73 blocks", "by-height"},
		{nil, "validators[0] validator: powers", "0.5, synergy 0.5", "alpha 0.1"},
		{[]string{"validators[0].release=3.3.4"}, "validators[0] validator: powers", "0.5, synergy 0.6", ""},
		{[]string{"validators[0].release=3.3.4", "validators[0].synergy_power=0.7"}, "validators[0] validator: powers", "0.5, synergy 0.7", ""},
		{[]string{"validators[0].power=0.9"}, "validators[0] validator: powers", "0.9, synergy 0.5", ""},
		{nil, "validators[0] validator: inflation", "3.3 to 10 times for generalists, 3 to 62 for specialists", ""},
		{[]string{"validators[0].rows=16"}, "validators[0] validator: inflation", "3.3 times for generalists, 3 for specialists", ""},
		{[]string{"validators[0].rows=64"}, "validators[0] validator: inflation", "below 1.7 times", ""},
		{[]string{"validators[0].release=3.6.0"}, "validators[0] validator: inflation", "none", ""},
		{[]string{"validators[0].batch=subset"}, "validators[0] validator: batch", "subset", "the ranking is reversed"},
		// 7200 blocks of 12 s are more than the run's 1800: 4 of 8 peers every 24 s.
		{nil, "validators[0] validator: questions", "450.0 per uid within immunity", "4 of 4 peers"},
		{[]string{"validators[0].routing=gated", "chain.immunity_blocks=20"}, "validators[0] validator: questions", "2.5 per uid within immunity", "2 of 4 peers"},
		{[]string{"validators[0].routing=gated"}, "validators[0] validator: router", "d32-l1-h2-c24-v512", "begins at a base model of its shape"},
		{[]string{"validators[0].routing=gated", "validators[0].router_base=false"}, "validators[0] validator: router", "d32-l1-h2-c24-v512", "from random weights"},
		{[]string{"network.producer=asia"}, "block producer", "asia", ""},
	} {
		got, _ := inForce(t, text, c.sets...)
		if s := got[c.name]; s.Value != c.value || !strings.Contains(s.Note, c.note) {
			t.Errorf("%v: %s is %q (%s), want %q (%s)", c.sets, c.name, s.Value, s.Note, c.value, c.note)
		}
	}
}

func TestFewRowsAndFewQuestionsAreWarnedOf(t *testing.T) {
	for _, c := range []struct {
		sets []string
		want []string
	}{
		{[]string{"validators[0].rows=16"}, nil},
		{[]string{"validators[0].rows=12"}, []string{"at 12 rows a mean base score overstates that of the mean loss 3.3 to 10 times"}},
		{[]string{"validators[0].rows=12", "validators[0].release=3.6.0"}, nil},
		{[]string{"chain.immunity_blocks=30"}, []string{"7.5 times within immunity"}},
		{[]string{"chain.immunity_blocks=40"}, nil},
	} {
		_, warnings := inForce(t, minimal, c.sets...)
		if len(warnings) != len(c.want) {
			t.Errorf("%v: %q, want %q", c.sets, warnings, c.want)
			continue
		}
		for i := range c.want {
			if !strings.Contains(warnings[i], c.want[i]) {
				t.Errorf("%v: %q, want %q", c.sets, warnings[i], c.want[i])
			}
		}
	}
}

// TestNobodyIsATargetOfItself counts whom a validator asks where validators are asked, too.
func TestNobodyIsATargetOfItself(t *testing.T) {
	file := &File{Scenario: &Scenario{
		Miners: []MinerGroup{{Count: 5, Miner: role.Miner{UIDs: 1}}, {Count: 1, Miner: role.Miner{UIDs: 2}}}, Validators: []ValidatorGroup{{Count: 3}, {Count: 1}},
	}}
	for targets, want := range map[string]int{"serving": 7, "everyone": 10} { // order-free: each case is its own
		if got := file.targets(&ValidatorGroup{Validator: role.Validator{Targets: targets}}); got != want {
			t.Errorf("%s: %d targets, want %d", targets, got, want)
		}
	}
}

func TestTheManifestHoldsWhatIsInForce(t *testing.T) {
	file, err := Load("testdata/tiny.toml", []string{"chain.kappa=0.125"})
	if err != nil {
		t.Fatal(err)
	}
	material, err := file.Prepare(t.Context(), base.Cache{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	network, err := file.Build(material, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var list []Setting
	if err := json.Unmarshal(file.Manifest(material, network).InForce, &list); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, s := range list {
		if s.Name == "kappa" && s.Value == "0.1250" || s.Name == "bytes per token" {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%+v", list)
	}
}

func TestFaultsAreToldWithTheSettingsInForce(t *testing.T) {
	told, _ := inForce(t, `
[[miners]]
name = "honest"
count = 8
[[validators]]
name = "val"
[[faults]]
kind = "loss"
group = "honest"
members = 0.5
direction = "out"
peer_group = "val"
share = 0.25
at_s = 60
[[faults]]
kind = "crash"
group = "honest"
wave = true
duration_s = 30
[waves]
quiet_s = 300
tail_s = 600
`)
	for _, want := range []Setting{
		{"faults[0] loss", "share = 0.25", "0.5 of group honest, out, messages with group val, from 60 s for 600 s"},
		{"faults[1] crash", "every_s = 0, down_s = 0", "honest-1, for 30 s in waves"},
		{"waves", "3 faults within 300 s", "after 300 s of quiet on average"},
		{"quiet tail", "600 s", "without faults at the end of the run"},
	} {
		if got := told[want.Name]; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestMinersThatMayAnswerTooLateAreNamed(t *testing.T) {
	for _, c := range []struct {
		name string
		sets []string
		want string // in a warning; empty: there is none
	}{
		{"market", nil, ""},
		{"market", []string{"miners[0].hardware_mflops=6"}, "validators[0] (validator): miners[0] (miner) may take 12.4 s to answer 32 rows, 8.96 s of them to end a visit to its text, and 12 s"},
		{"market", []string{"miners[0].hardware_mflops=[6, 60]"}, "may take 12.4 s"},
		{"market", []string{"miners[0].hardware_mflops=6", "miners[0].duty=0", "miners[0].decide.adapt_duty=false"}, ""},
		{"market", []string{"miners[0].hardware_mflops=6", "validators[0].timeout_s=30", "validators[1].timeout_s=30"}, ""},
		{"economy/exit", []string{"miners[0].hardware_mflops=0.001"}, ""},
	} {
		file, err := Load(c.name, c.sets)
		if err != nil {
			t.Fatal(err)
		}
		said := strings.Join(file.Warnings(), "\n")
		if c.want == "" && strings.Contains(said, "may take") || !strings.Contains(said, c.want) {
			t.Errorf("%s %v: warnings %q, want %q", c.name, c.sets, said, c.want)
		}
	}
}
