package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// ones is a JSON list of n times v.
func ones(n int, v string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(v+",", n), ",") + "]"
}

func numbers(from, to int) string {
	var list []int
	for i := from; i < to; i++ {
		list = append(list, i)
	}
	b, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// crowd is a file of one case of n neurons with these operations.
func crowd(n int, ops string) []byte {
	return fmt.Appendf(nil, `{"format": "epoch-scenarios/1", "count": 1, "scenarios": [{
"params": {"max_allowed_validators": 4096},
"initial": {"block": 9, "stakes": %s, "registered_at": %[2]s, "last_update": %[2]s,
"validator_permit": %s, "weights": {}, "bonds": {}}, "ops": [%s]}]}`, ones(n, "1"), ones(n, "0"), ones(n, "true"), ops)
}

func TestWhatAFileMayCauseIsBounded(t *testing.T) {
	many := fmt.Sprintf(`{"op": "set_weights_many", "uids": %s, "targets": %s, "stored_each": 1}`,
		numbers(0, 4096), numbers(0, 1025))
	for _, tc := range []struct {
		what string
		file []byte
		want string
	}{
		{"neurons", crowd(4097, ""), "more than 4096 elements"},
		{"appended neurons", crowd(4096, `{"op": "append_neuron", "stake": 1}`), "more than 4096 neurons"},
		{"entries", crowd(4096, many), "the rows hold more than 4194304 entries"},
		{"bytes", make([]byte, MaxBytes+1), "at most 67108864 are allowed"},
		{"depth", []byte(strings.Repeat("[", 5000) + strings.Repeat("]", 5000)), "nested deeper than 16"},
		{"no text", []byte("{\"format\": \"\xff\"}"), "column 13: not UTF-8"},
	} {
		r, err := Check(tc.file)
		if err == nil && r.Faulty == 1 {
			err = &r.Faults[0].Error
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.what, err, tc.want)
		}
	}
}

// Of many faults the first are named and all are counted; what stands between them runs.
func TestFaultsAreNamedUpToALimit(t *testing.T) {
	var rows []string
	for range maxFaults + 10 {
		rows = append(rows, "[0, -1]", "[0, 1000000000]")
	}
	r, err := Check(fmt.Appendf(nil, `{"format": "emission/1", "count": %d, "table": [%s]}`, len(rows), strings.Join(rows, ", ")))
	if err != nil {
		t.Fatal(err)
	}
	if r.Cases != len(rows) || r.Passed != len(rows)/2 || r.Faulty != len(rows)/2 || len(r.Faults) != maxFaults || r.OK() {
		t.Errorf("%d of %d cases passed, %d faulty, %d named", r.Passed, r.Cases, r.Faulty, len(r.Faults))
	}
	if last := r.Faults[maxFaults-1]; last.Case != fmt.Sprintf("table[%d]", 2*(maxFaults-1)) || last.Path != last.Case+"[1]" {
		t.Errorf("the last that is named is %s", last.String())
	}
}

// Work is counted before it is done, over all cases of a file.
func TestTheEpochsOfAFileAreCounted(t *testing.T) {
	d, err := parse([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	c := &comparison{document: d}
	c.spend(0, maxWork)
	if c.err != nil {
		t.Error(c.err)
	}
	if c.spend(0, 1); c.err == nil {
		t.Error("more was spent than there is")
	}
}

// Every member's place is found again, whatever its depth.
func TestPathsNameTheirValues(t *testing.T) {
	d, err := parse([]byte(`{"a": [1, {"b": [[2], []]}], "c": {"\u0064": 3}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range d.Nodes {
		got = append(got, d.Path(i))
	}
	want := "|a|a|a[0]|a[1]|a[1].b|a[1].b|a[1].b[0]|a[1].b[0][0]|a[1].b[1]|c|c|c.d|c.d"
	if strings.Join(got, "|") != want {
		t.Errorf("%s, want %s", strings.Join(got, "|"), want)
	}
}

func TestDecimalNumbersAreReadInWholeUnits(t *testing.T) {
	for _, tc := range []struct {
		text  string
		scale uint64
		want  uint64
		exact bool
		fault bool
	}{
		{"1.26", 100, 126, true, false},
		{"2", 100, 200, true, false},
		{"2.000000000000", 100, 200, true, false},
		{"1.005", 100, 101, false, false},
		{"0.25", 1 << 32, 1 << 30, true, false},
		{"0.1", 1 << 32, 429496730, false, false},
		{"1073741823.999999999", 1 << 32, 1<<62 - 4, false, false},
		{"1073741824", 100, 0, false, true},
		{"-1", 100, 0, false, true},
		{"1e2", 100, 0, false, true},
		{"0.12345678901", 100, 0, false, true},
		{`"1"`, 100, 0, false, true},
	} {
		d, err := parse([]byte(tc.text))
		if err != nil {
			t.Fatal(err)
		}
		got, exact := d.scaled(0, tc.scale)
		if got != tc.want || exact != tc.exact || (d.err != nil) != tc.fault {
			t.Errorf("%s in 1/%d: %d, exact %v, %v", tc.text, tc.scale, got, exact, d.err)
		}
	}
}
