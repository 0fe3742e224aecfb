package state

import (
	"slices"
	"strings"
	"testing"
)

// blob is another package's part.
type blob []byte

func (p blob) AppendBinary(b []byte) ([]byte, error) { return append(b, p...), nil }

func written() []byte {
	b := Begin(nil, "miner")
	b = AppendBool(b, true)
	b = AppendU16s(b, []uint16{1, 2})
	b = AppendF64s(b, []float64{-0.5})
	b = AppendPart(b, blob("part"))
	return append(b, "the rest"...)
}

func TestAStateReadsBackAsItWasWritten(t *testing.T) {
	c := Open("miner", written())
	if !c.Bool("flag") || !slices.Equal(c.U16s("ids"), []uint16{1, 2}) || !slices.Equal(c.F64s("sums"), []float64{-0.5}) {
		t.Error("lists or numbers read back as others")
	}
	var part string
	c.Part("part", func(b []byte) error { part = string(b); return nil })
	if rest := string(c.Rest()); part != "part" || rest != "the rest" || c.End() != nil {
		t.Errorf("part %q, rest %q, error %v", part, rest, c.End())
	}
}

func TestAStateOfAnotherAgentOrLayoutIsRefused(t *testing.T) {
	other := written()
	other[0]++
	for name, c := range map[string]*Cursor{
		"another agent": Open("validator", written()), "another layout": Open("miner", other), "no bytes": Open("miner", nil),
	} {
		if err := c.End(); err == nil || !strings.HasPrefix(err.Error(), "agents: state of a ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALengthThatTheBytesCannotHoldIsRefused(t *testing.T) {
	c := Open("miner", AppendU32(Begin(nil, "miner"), 1<<31))
	if got := c.F64s("sums"); len(got) != 0 || c.End() == nil {
		t.Errorf("%d elements, error %v", len(got), c.End())
	}
}
