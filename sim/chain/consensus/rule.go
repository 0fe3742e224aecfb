package consensus

import "fmt"

// Name names a rule of the family.
type Name string

// The rules.
const (
	Nakamoto    Name = "nakamoto"     // 2022
	Yuma2       Name = "yuma2"        // 2023, with what came until 2026
	Yuma2Liquid Name = "yuma2-liquid" // as it was in January 2025
	Yuma3       Name = "yuma3"        // 2025
)

// Rule is one member of the family.
type Rule interface {
	// Epoch distributes emissionRao. The output belongs to ws and is valid until its next epoch.
	Epoch(ws *Workspace, in *Input, emissionRao uint64) *Output
}

// Names lists the rules that Lookup knows.
func Names() []Name { return []Name{Nakamoto, Yuma2, Yuma2Liquid, Yuma3} }

// StoresRank reports whether the rule gives neurons a rank and a trust as miners.
func (n Name) StoresRank() bool { return n == Nakamoto || n == Yuma2Liquid }

// Lookup returns the rule of a name.
func Lookup(name Name) (Rule, error) {
	switch name {
	case Nakamoto:
		return nakamoto{}, nil
	case Yuma2:
		return yuma{bonds: columnBonds}, nil
	case Yuma2Liquid:
		return yuma2Liquid{}, nil
	case Yuma3:
		return yuma{bonds: pairBonds}, nil
	}
	return nil, fmt.Errorf("consensus rule %q: want one of %q", name, Names())
}
