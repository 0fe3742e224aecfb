package conformance

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	expectedPath = regexp.MustCompile(`\.expect\.|\.out\b|\.out_20|^table\[\d+\]\[1\]|^schedule_|^final_|^first_` +
		`|total_rao|eras_with|factor_q32|blocks_until|should_run|\.stored\b|\.stored_each`)
	notePath = regexp.MustCompile(`asserted|\.test$|^source|^tolerance|\.note$|\.rule$|_dec$`)
)

// Every expected value of a file is compared: another one in its place is noticed.
func TestEveryExpectedValueCounts(t *testing.T) {
	for _, f := range SampleVectors() {
		d, err := parse(f.Text)
		if err != nil {
			t.Fatal(err)
		}
		changed := 0
		for i, n := range d.Nodes {
			path := d.Path(i)
			if !expectedPath.MatchString(path) || notePath.MatchString(path) {
				continue
			}
			var other string
			switch raw := string(f.Text[n.Start:n.End]); d.Kind(i) {
			case '0':
				if v, err := strconv.ParseUint(raw, 10, 64); err == nil && v == 1<<64-1 {
					other = "0"
				} else if err == nil {
					other = strconv.FormatUint(v+1, 10)
				} else if v, err := strconv.ParseInt(raw, 10, 64); err == nil {
					other = strconv.FormatInt(v+1, 10)
				}
			case 't':
				other = "false"
			case 'f':
				other = "true"
			default:
				continue
			}
			changed++
			if r, err := Check(replaced(f.Text, uint16(i), other)); err == nil && r.OK() {
				t.Errorf("%s: %s: %s was changed to %s, and nobody noticed", f.Name, path,
					f.Text[n.Start:n.End], other)
			}
		}
		if changed < 10 {
			t.Errorf("%s: only %d values are expected", f.Name, changed)
		}
	}
}

// No member of any document is ignored: under another name it is refused.
func TestEveryMemberIsRead(t *testing.T) {
	type document struct {
		name string
		text []byte
		read func([]byte) error
	}
	var documents []document
	for _, f := range SampleVectors() {
		check := func(b []byte) error {
			r, err := Check(b)
			if err == nil && r.Faulty > 0 {
				return &r.Faults[0].Error
			}
			return err
		}
		documents = append(documents, document{f.Name, f.Text, check})
	}
	s := sampleState(t)
	if _, err := sampleBlock(t).Apply(s); err != nil {
		t.Fatal(err)
	}
	files := SampleTransition()
	documents = append(documents,
		document{"state", AppendState(nil, s), func(b []byte) error { _, err := ReadState(b); return err }},
		document{"genesis", files[0].Text, func(b []byte) error { _, err := ReadGenesis(b); return err }},
		document{"block", files[1].Text, func(b []byte) error { _, err := ReadBlock(b); return err }})
	for _, doc := range documents {
		d, err := parse(doc.text)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range d.Nodes {
			isKey := d.Kind(i) == '"' && strings.HasPrefix(strings.TrimLeft(string(doc.text[n.End:]), " "), ":")
			if !isKey || notePath.MatchString(d.Path(i)) {
				continue
			}
			if err := doc.read(replaced(doc.text, uint16(i), `"zzz"`)); err == nil {
				t.Errorf("%s: %s may be called zzz", doc.name, d.Path(i))
			}
		}
	}
}
