package report

import (
	"fmt"

	"gonum.org/v1/plot/plotter"

	"taolab/sim/trace"
)

// presence is how many members of a party served, as their owners decided.
type presence struct {
	serving int
	decided bool
	bins    [timeBins]struct {
		serving int
		seen    bool
	} // after the last decision of each part of the run
}

// addDecision takes a choice of an owner.
func (f *findings) addDecision(d trace.Decision) error {
	switch {
	case int(d.Node) >= len(f.nodes):
	case d.Kind == "seat":
		f.addSeatDecision(d)
	case d.Kind == "mix":
		f.addMixDecision(d)
	}
	return nil
}

// addSeatDecision takes a choice about a seat.
func (f *findings) addSeatDecision(d trace.Decision) {
	p := f.partyOf(f.nodes[d.Node])
	if f.serves == nil {
		f.serves = make([]bool, len(f.nodes))
	}
	on := d.Choice == "stay" || d.Choice == "return"
	switch was := f.serves[d.Node]; {
	case on && !was:
		p.owners.serving++
	case was && !on:
		p.owners.serving--
	}
	f.serves[d.Node], p.owners.decided = on, true
	bin := &p.owners.bins[f.span.bin(d.Block)]
	bin.serving, bin.seen = p.owners.serving, true
}

// ownersFigure shows how many members of each group serve because that pays.
func (f *findings) ownersFigure() (*figure, error) {
	if f.serves == nil {
		return nil, without("owners", "no owner decided about a seat in table", string(trace.Decisions))
	}
	fig := &figure{
		name: "owners", title: "Entry and exit: who serves because it pays",
		caption: "Members of each group whose owners chose to hold a seat and serve, at the end of equal parts of the run.",
		columns: []string{"group", "time", "members that serve"},
	}
	return f.groupLines(fig, "members that serve", KindMiner, func(p *party) plotter.XYs {
		var xy plotter.XYs
		if !p.owners.decided {
			return nil
		}
		_, unit, length := f.clock()
		fig.columns[1] = fmt.Sprintf("time (%s)", unit)
		now, begun := 0, false
		for i, bin := range p.owners.bins {
			if bin.seen {
				now, begun = bin.serving, true
			}
			if begun {
				at := plotter.XY{X: f.binTime(i, length), Y: float64(now)}
				xy = append(xy, at)
				fig.row(p.name, at.X, now)
			}
		}
		return xy
	})
}
