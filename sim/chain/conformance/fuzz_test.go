package conformance

import (
	"bytes"
	"slices"
	"testing"
)

// replaced is a document with one of its values replaced by a text, so that most documents that are
// tried are JSON and nearly right; any text stands for itself if nothing replaces.
func replaced(text []byte, place uint16, with string) []byte {
	d, err := parse(text)
	if err != nil || with == "" {
		return text
	}
	n := d.Nodes[int(place)%len(d.Nodes)]
	return slices.Concat(text[:n.Start], []byte(with), text[n.End:])
}

// seed adds a document with some replacements.
func seed(f *testing.F, text []byte) {
	for i, with := range []string{
		"", "0", "1", "-1", "2.5", "65535", "65536", "4294967296", "9223372036854775807",
		"18446744073709551615", "null", "true", `""`, `"put_stake"`, "[]", "{}", "[0, 1]", "[[0, 1]]",
	} {
		f.Add(text, uint16(i*31), with)
	}
}

// FuzzCheck: no file makes Check panic, it says the same of the same file twice, and it passes no more
// than there is.
func FuzzCheck(f *testing.F) {
	for _, s := range SampleVectors() {
		seed(f, s.Text)
	}
	f.Fuzz(func(t *testing.T, text []byte, place uint16, with string) {
		text = replaced(text, place, with)
		a, errA := Check(text)
		b, errB := Check(text)
		if (errA == nil) != (errB == nil) || a.Checks != b.Checks || a.Passed != b.Passed {
			t.Errorf("%+v, %v and then %+v, %v", a, errA, b, errB)
		}
		if a.Passed > a.Cases || errA == nil && a.OK() != (a.Passed == a.Cases && a.Faulty == 0) {
			t.Errorf("%d of %d cases passed, first difference %v", a.Passed, a.Cases, a.First)
		}
		if len(a.Faults) > maxFaults || len(a.Faults) > a.Faulty || (len(a.Faults) == 0) != (a.Faulty == 0) {
			t.Errorf("%d faults, of which %d are named", a.Faulty, len(a.Faults))
		}
	})
}

// FuzzReadState: a state that is read is written as one that reads the same, and blocks end on it.
func FuzzReadState(f *testing.F) {
	s := sampleState(f)
	seed(f, AppendState(nil, s))
	if _, err := sampleBlock(f).Apply(s); err != nil {
		f.Fatal(err)
	}
	seed(f, AppendState(nil, s))
	f.Fuzz(func(t *testing.T, text []byte, place uint16, with string) {
		text = replaced(text, place, with)
		s, err := ReadState(text)
		if err != nil {
			return
		}
		written := AppendState(nil, s)
		again, err := ReadState(written)
		if err != nil {
			t.Fatalf("a state is not read again: %v\n%s", err, written)
		}
		for range 3 {
			s.EndBlock()
			again.EndBlock()
		}
		if s.Digest() != again.Digest() {
			t.Errorf("the digests differ\n%s", written)
		}
	})
}

// FuzzReadGenesis: a genesis gives a state that is read as it is written, or an error.
func FuzzReadGenesis(f *testing.F) {
	seed(f, SampleTransition()[0].Text)
	f.Fuzz(func(t *testing.T, text []byte, place uint16, with string) {
		text = replaced(text, place, with)
		s, err := ReadGenesis(text)
		if err != nil {
			return
		}
		written := AppendState(nil, s)
		if again, err := ReadState(written); err != nil || !bytes.Equal(AppendState(nil, again), written) {
			t.Errorf("a genesis gives a state that is not read again: %v\n%s", err, written)
		}
	})
}

// FuzzReadBlock: what a block holds is applied or refused, and receipts say which.
func FuzzReadBlock(f *testing.F) {
	seed(f, SampleTransition()[1].Text)
	f.Fuzz(func(t *testing.T, text []byte, place uint16, with string) {
		text = replaced(text, place, with)
		b, err := ReadBlock(text)
		if err != nil || b.Advance > 1000 {
			return
		}
		s := sampleState(t)
		done, err := b.Apply(s)
		if err != nil {
			return
		}
		if len(done.Receipts) != len(b.Transactions) || s.Height() != 1+b.Advance {
			t.Errorf("%d receipts for %d transactions, height %d", len(done.Receipts),
				len(b.Transactions), s.Height())
		}
		for _, r := range done.Receipts {
			if r.OK != (r.Code == "") {
				t.Errorf("a receipt is neither: %+v", r)
			}
		}
		if _, err := ReadState(done.AppendJSON(nil, s)); err != nil {
			t.Errorf("the state after it is not read: %v", err)
		}
	})
}
