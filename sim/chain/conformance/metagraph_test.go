package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"taolab/sim/chain"
)

func sampleMetagraph(t testing.TB) []byte {
	t.Helper()
	return sampleFiles("metagraph.json")[0].Text
}

// imported is the state of a metagraph.
func imported(t testing.TB, data []byte) (*chain.State, []Filled) {
	t.Helper()
	g, filled, err := ReadMetagraph(data)
	if err != nil {
		t.Fatal(err)
	}
	s, err := chain.New(g)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CheckInvariants(); err != nil {
		t.Fatal(err)
	}
	return s, filled
}

func TestALedgerGoesOnFromWhatAMetagraphSays(t *testing.T) {
	s, filled := imported(t, sampleMetagraph(t))
	v := s.View()
	n := v.Neuron(1)
	if v.Height() != 5000 || v.N() != 3 || n.RegisteredAt != 4800 || n.Port != 8091 || v.Neuron(0).LastUpdate != 4900 ||
		!v.Neuron(0).Permit || len(v.Weights(0)) != 2 || len(v.Bonds(0)) != 1 || v.Totals().Issuance != 9_000_000*chain.RaoPerTAO {
		t.Errorf("%+v, %+v", n, v.Totals())
	}
	var fields []string
	for _, f := range filled {
		fields = append(fields, fmt.Sprint(f.Field, " ", f.Count))
	}
	want := []string{
		"neurons.coldkey 2", "neurons.registered_at 2", "neurons.last_update 1", "neurons.active 3",
		"neurons.weights 2", "neurons.bonds 2", "last_epoch 1", "epochs 1", "pending_rao 1",
	}
	if !slices.Equal(fields, want) {
		t.Errorf("filled %q, want %q", fields, want)
	}
	// 5000 is 320 blocks after the epoch of 4680, at a TAO each.
	if p := v.Totals().Pending; p != 320*chain.RaoPerTAO {
		t.Errorf("%d rao wait", p)
	}
	s.Advance(40)
	if p := s.Totals().Pending; p != 0 || s.View().Neuron(1).EmissionRao == 0 {
		t.Errorf("after the next epoch %d rao wait, neuron 1 got %d", p, s.View().Neuron(1).EmissionRao)
	}
}

func TestAMetagraphThatCannotBeIsRefusedWithItsPlace(t *testing.T) {
	for _, c := range []struct{ old, now, want string }{
		{`"2026"`, `"2025"`, "era"},
		{`"issuance_rao": 9000000000000000`, `"issuance_rao": 9000`, "are here"},
		{`"stake_rao": 0`, `"stake": 0`, "stake_rao"},
		{`"block": 5000`, `"block": 5000, "last_epoch": 0`, ""}, // much waits, which is possible
		{`"block": 5000`, `"block": 500000000, "last_epoch": 0`, "last_epoch"},
		{`[[1, 65535], [2, 32768]]`, `[[1, 65535], [9, 32768]]`, "weights-on-neurons"},
		{`"registered_at": 4800`, `"registered_at": 6000`, "neurons-of-the-past"},
		{`"block": 5000`, `"block": 5000, "balances": [{"coldkey": "00", "free_rao": 1}]`, "64"},
	} {
		text := strings.Replace(string(sampleMetagraph(t)), c.old, c.now, 1)
		g, _, err := ReadMetagraph([]byte(text))
		if err == nil {
			_, err = chain.New(g)
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.now, err, c.want)
		}
	}
}

// sharedVector reads one of the files that come with the project, which are not part of it.
func sharedVector(t *testing.T, name string, v any) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "vectors", name))
	if err != nil {
		t.Skipf("no vectors next to the repository: %v", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
	return data
}

// A network of 256 neurons as it was recorded is imported; its next epoch is that of the vector, for each
// rule that the vector has.
func TestTheRecordedNetworkIsImportedAndItsEpochIsTheVectors(t *testing.T) {
	var file struct {
		Initial struct {
			Block      uint64                 `json:"block"`
			Stakes     []uint64               `json:"stakes"`
			Registered []uint64               `json:"registered_at"`
			Updated    []uint64               `json:"last_update"`
			Permits    []bool                 `json:"validator_permit"`
			Weights    map[string][][2]uint64 `json:"weights"`
		} `json:"common_initial"`
		Runs []struct {
			Name   string         `json:"name"`
			Params map[string]any `json:"params"`
			Ops    []struct {
				Expect map[string]json.RawMessage `json:"expect"`
			} `json:"ops"`
		} `json:"runs"`
	}
	sharedVector(t, "metagraph_sn15.json", &file)
	for _, run := range file.Runs {
		in := file.Initial
		number := func(name string) uint64 { return uint64(run.Params[name].(float64)) }
		rule := "yuma2"
		if run.Params["yuma3"].(bool) {
			rule = "yuma3"
		}
		var neurons []map[string]any
		for i, stake := range in.Stakes {
			n := map[string]any{
				"hotkey": fmt.Sprintf("%062x%02x", 1, i), "stake_rao": stake, "registered_at": in.Registered[i],
				"last_update": in.Updated[i], "permit": in.Permits[i],
			}
			if row := in.Weights[fmt.Sprint(i)]; row != nil {
				n["weights"] = row
			}
			neurons = append(neurons, n)
		}
		doc := map[string]any{
			"format": MetagraphFormat, "block": in.Block - 1, "era": "2026", "neurons": neurons, "last_epoch": 0,
			"epochs": 0, "pending_rao": 0,
			"params": map[string]any{
				"rule": rule, "tempo_blocks": number("tempo"), "kappa": number("kappa_u16"), "emission": "flat",
				"bonds_penalty": number("bonds_penalty_u16"), "emission_flat_rao": 1_000_000_000,
				"bonds_moving_average_ppm": number("bonds_moving_average_ppm"),
				"liquid_alpha":             run.Params["liquid_alpha"], "alpha_low": number("alpha_low_u16"),
				"alpha_high": number("alpha_high_u16"), "alpha_steepness": number("alpha_sigmoid_steepness_x100"),
				"activity_cutoff_blocks": number("activity_cutoff_blocks"), "activity_cutoff_milli": 0,
				"stake_threshold_rao": number("stake_threshold"), "max_validators": number("max_allowed_validators"),
			},
		}
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		s, _ := imported(t, text)
		s.EndBlock()
		expect := func(name string) (list []uint64) {
			if err := json.Unmarshal(run.Ops[0].Expect[name], &list); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return list
		}
		v := s.View()
		for name, of := range map[string]func(chain.Neuron) uint64{ // order-free: each is compared by itself
			"incentive": func(n chain.Neuron) uint64 { return uint64(n.Incentive) },
			"dividends": func(n chain.Neuron) uint64 { return uint64(n.Dividends) },
			"consensus": func(n chain.Neuron) uint64 { return uint64(n.Consensus) },
		} {
			var got []uint64
			for uid := range v.N() {
				got = append(got, of(v.Neuron(chain.UID(uid))))
			}
			if want := expect(name); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s is\n%v, want\n%v", run.Name, name, got, want)
			}
		}
		server, validator := expect("server_emission"), expect("validator_emission")
		for uid := range v.N() {
			if got, want := v.Neuron(chain.UID(uid)).EmissionRao, server[uid]+validator[uid]; got != want {
				t.Errorf("%s: neuron %d got %d rao, want %d", run.Name, uid, got, want)
			}
		}
	}
}

// The recorded stakes of 2022 are imported as they are, with the free money; both sums are the snapshot's.
func TestTheRecordedStakesAreImported(t *testing.T) {
	var file struct {
		Total uint64 `json:"total_stake_rao"`
		Free  uint64 `json:"total_free_balance_rao"`
		Block uint64 `json:"block"`
	}
	text := sharedVector(t, "nakamoto_snapshot.json", &file)
	s, filled := imported(t, text)
	if m := s.Totals(); m.Staked != file.Total || m.Free != file.Free || s.View().N() != 4096 || s.Height() != file.Block {
		t.Errorf("%+v at block %d with %d neurons, want %d rao staked and %d free", m, s.Height(), s.View().N(), file.Total, file.Free)
	}
	if !slices.ContainsFunc(filled, func(f Filled) bool { return f.Field == "balances" }) {
		t.Errorf("nothing says that one placeholder has the free money: %+v", filled)
	}
	s.Advance(500)
	if err := s.CheckInvariants(); err != nil {
		t.Error(err)
	}
}

func FuzzReadMetagraph(f *testing.F) {
	seed(f, sampleMetagraph(f))
	f.Fuzz(func(t *testing.T, text []byte, place uint16, with string) {
		g, _, err := ReadMetagraph(replaced(text, place, with))
		if err != nil {
			return
		}
		s, err := chain.New(g)
		if err != nil {
			return
		}
		if err := s.CheckInvariants(); err != nil {
			t.Error(err)
		}
	})
}

// given reports whether all that a document gives stands in another, with the same values.
func given(in, out any) bool {
	switch in := in.(type) {
	case map[string]any:
		o, ok := out.(map[string]any)
		for name, v := range in { // order-free: all have to be there
			ok = ok && o[name] != nil && given(v, o[name])
		}
		return ok
	case []any:
		o, ok := out.([]any)
		ok = ok && len(o) == len(in)
		for i := range in {
			ok = ok && given(in[i], o[i])
		}
		return ok
	}
	return reflect.DeepEqual(in, out)
}

// whole is a metagraph in which all members are given but one coldkey.
const whole = `{"format": "taolab-metagraph/1", "chain_id": "whole", "block": 70000, "era": "2026", "uids": 8,
	"params": {"kappa": 30000, "max_nominators": 4, "max_take": 11796},
	"neurons": [
		{"hotkey": "%[1]s", "coldkey": "%[4]s", "stake_rao": 900000000000, "registered_at": 100, "last_update": 69000, "permit": true,
		 "active": true, "weights": [[1, 65535]], "bonds": [[1, 40000]], "ip": "00000000000000000000ffff01020304", "port": 8091},
		{"hotkey": "%[2]s", "stake_rao": 7, "registered_at": 60000, "last_update": 60000, "permit": false, "active": false}],
	"delegates": [{"hotkey": "%[1]s", "take": 11796}],
	"nominations": [{"hotkey": "%[1]s", "coldkey": "%[5]s", "stake_rao": 5000000000}, {"hotkey": "%[3]s", "coldkey": "%[4]s", "stake_rao": 11}],
	"balances": [{"coldkey": "%[5]s", "free_rao": 123456789}], "owner": "%[2]s", "governor": "%[5]s",
	"last_epoch": 69900, "epochs": 190, "burn_price_rao": 700000000, "issuance_rao": 8000000000000000, "pending_rao": 99000000000}`

func wholeMetagraph() []byte {
	keys := make([]any, 5)
	for i := range keys {
		keys[i] = fmt.Sprintf("%02x%062x", i+1, 0)
	}
	return fmt.Appendf(nil, whole, keys...)
}

// A state that is shown as a metagraph has every value that was given, leaves nothing to be filled, and
// becomes the same state again.
func TestAMetagraphIsWhatItWasReadFrom(t *testing.T) {
	documents := map[string][]byte{"sample": sampleMetagraph(t), "whole": wholeMetagraph()}
	for name, text := range documents { // order-free: each is on its own
		s, _ := imported(t, text)
		shown := AppendMetagraph(nil, s)
		var in, out any
		if err := json.Unmarshal(text, &in); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(shown, &out); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, shown)
		}
		if !given(in, out) {
			t.Errorf("%s: shown as\n%s", name, shown)
		}
		again, filled := imported(t, shown)
		if len(filled) > 0 || again.Digest() != s.Digest() {
			t.Errorf("%s: filled %v again, and the digests differ: %t\n%s", name, filled, again.Digest() != s.Digest(), shown)
		}
		s.Advance(500)
		later, filled := imported(t, AppendMetagraph(nil, s))
		if len(filled) > 0 || later.Totals().Issuance != s.Totals().Issuance || later.Height() != s.Height() {
			t.Errorf("%s: later filled %v, %+v, was %+v", name, filled, later.Totals(), s.Totals())
		}
	}
}

func TestMoreMoneyThanTheSupplyIsRefusedInAMetagraph(t *testing.T) {
	for old, now := range map[string]string{ // order-free: each is on its own
		`"stake_rao": 7`:             `"stake_rao": 18446744073709551615`,
		`"free_rao": 123456789`:      `"free_rao": 18446743273709551000`,
		`"pending_rao": 99000000000`: `"pending_rao": 18446744073709551615`,
		`"kappa": 30000`:             `"emission": "height", "halving_blocks": 0`,
	} {
		text := strings.Replace(string(wholeMetagraph()), old, now, 1)
		if _, _, err := ReadMetagraph([]byte(text)); err == nil || text == string(wholeMetagraph()) {
			t.Errorf("%s: %v", now, err)
		}
	}
}

// The file with the recorded network is a metagraph as it is.
func TestTheRecordedFileItselfIsAMetagraph(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "vectors", "metagraph_sn15.json"))
	if err != nil {
		t.Skipf("no vectors next to the repository: %v", err)
	}
	s, filled := imported(t, text)
	v := s.View()
	if v.N() != 256 || v.Height() != 4769278 || v.Neuron(0).StakeRao != 423150093750000 || len(v.Weights(217)) != 256 ||
		fmt.Sprint(filled[0], filled[1]) != "{era 1 2025-01, that of the block} {neurons.hotkey 256 a placeholder for each, for which nobody can sign}" {
		t.Errorf("%d neurons at %d, %+v, filled %v", v.N(), v.Height(), v.Neuron(0), filled)
	}
	again, filled := imported(t, AppendMetagraph(nil, s))
	if len(filled) > 0 || again.Digest() != s.Digest() {
		t.Errorf("shown and read again: filled %v, digests %s and %s", filled, s.Digest(), again.Digest())
	}
	s.Advance(v.Params().TempoBlocks + 1)
	if s.View().Epochs() != v.Epochs()+1 {
		t.Errorf("%d epochs", s.View().Epochs())
	}
}
