package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"taolab/sim/trace"
)

// findings is the result of one pass over each table. Summary and figures are made from it.
// Everything in it belongs to a node, not to a uid, for a seat can change hands.
type findings struct {
	run        *Run
	span       span
	wish       wishes
	nodes      []Node
	seat       []actor // by node
	parties    []*party
	powers     []float64    // by node: the exponent of its scores, 0 without any
	power      float64      // that of the first validator that scores
	miners     []*miner     // in node order
	validators []*validator // in node order
	callers    []*caller    // applications, in node order

	windowEpochs int    // recorded epochs in the window
	epoch        uint32 // the one whose rows are read
	epochSeen    bool
	toValidators [timeBins]uint64 // rao, besides what parties of miners earned
	toOthers     uint64           // rao paid to hotkeys of no node
	stakeOf      [timeBins][3]stakeFacts
	terms        *terms

	weights matrix // mean over the window
	bonds   matrix
	support map[int]mean // consensus by node, over the window

	blocks     series[trace.Block]
	totals     series[trace.Totals]
	ledgerRows int
	firstStake holdings // at the first recorded epoch
	lastStake  holdings // at the last
	course     supplyFacts
	yearly     yearlyMoney
	worstRao   int64 // largest difference between minted money and where it is

	subsets     []string // in order of appearance
	mixCourse   topicCourse
	apartCourse topicCourse // of one number for all subsets
	lossCourse  topicCourse
	queries     queryFacts
	choice      choiceFacts
	faults      []faultCount
	serves      []bool // by node, as its owner decided last; nil: none decided
}

// wishes is the part of the resolved scenario that a report reads.
type wishes struct {
	Description string        `json:"description"`
	Expect      []Expectation `json:"expect"`
	Time        struct {
		Start string `json:"start"`
	} `json:"time"`
	Validators []struct {
		Name  string   `json:"name"`
		Power *float64 `json:"power"` // nil: the release's
	} `json:"validators"`
	unreadable bool
}

type faultCount struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
}

// gather reads every table of the run, the epochs and blocks twice: once for the run's extent.
func gather(r *Run) (*findings, error) {
	f := &findings{run: r, support: make(map[int]mean), nodes: r.Manifest.Nodes}
	f.blocks.limit, f.totals.limit = maxBlocks, maxBlocks
	f.queries.latency.limit = maxSample
	if len(r.Manifest.Scenario) > 0 && json.Unmarshal(r.Manifest.Scenario, &f.wish) != nil {
		f.wish = wishes{unreadable: true}
	}
	f.course.calendar = newCalendar(f.wish.Time.Start, r.Manifest.VirtualNs)
	f.course.ends = f.course.calendar.years()
	if len(f.nodes) == 0 { // of a run that a killed process left early
		if err := pass(r, f.addNode); err != nil {
			return nil, err
		}
	}
	f.cast()
	f.terms = newTerms(f)
	if err := f.measure(); err != nil {
		return nil, err
	}
	err := errors.Join(
		pass(r, f.addSeat), pass(r, f.epochRows()), pass(r, f.weightRows()), pass(r, f.bondRows()), pass(r, f.addTrain),
		pass(r, f.addTotals), pass(r, f.addQuery), pass(r, f.addAnswer),
		pass(r, f.addApplication), pass(r, f.addFault), pass(r, f.addDecision),
	)
	f.queries.closeStep()
	f.closeGaps()
	f.yearly.close()
	return f, err
}

// pass reads one table; one that was not recorded leaves its findings empty.
func pass[T trace.Row](r *Run, add func(T) error) error {
	err := Rows(r, add)
	if errors.Is(err, ErrNoTable) {
		return nil
	}
	return err
}

// addNode takes the nodes from their table where the manifest does not have them yet.
func (f *findings) addNode(n trace.Node) error {
	node := Node{
		Index: int(n.Node), Name: n.Name, Group: n.Group, Kind: n.Role, Behaviour: n.Behaviour,
		Region: n.Region, Hotkey: n.Hotkey, StakeRao: n.StakeRao,
	}
	if n.Width != nil && n.Layers != nil {
		node.Width, node.Layers = int(*n.Width), int(*n.Layers)
	}
	if node.Index != len(f.nodes) {
		return fmt.Errorf("nodes: node %d in place %d", node.Index, len(f.nodes))
	}
	f.nodes = append(f.nodes, node)
	return nil
}

// epochRows gathers what each neuron got from each epoch.
func (f *findings) epochRows() func(trace.Epoch) error {
	var before uint64 // block of the epoch before
	var block uint64
	return func(e trace.Epoch) error {
		w := &f.span.window
		if !f.epochSeen || e.Epoch != f.epoch {
			before, block = block, e.Block
			if e.Epoch >= w.From && e.Epoch <= w.Until {
				if f.windowEpochs == 0 {
					w.FromBlock = before + 1
				}
				f.windowEpochs++
				w.Epochs, w.UntilBlock = f.windowEpochs, e.Block
			}
			f.epochSeen, f.epoch = true, e.Epoch
			f.yearly.begin(f.course.ends, e.Epoch, f.span.timeOf(e.Block))
			for _, m := range f.miners {
				m.ranked = false
			}
		}
		place := f.who(e.Node)
		f.terms.seated(e.UID, place, e.Block, before)
		f.addNeuron(e, place)
		if e.Epoch == f.span.first {
			f.firstStake.add(e)
		}
		f.lastStake.add(e)
		return nil
	}
}

// addNeuron adds one neuron's outcome of an epoch to the node that held the seat.
func (f *findings) addNeuron(e trace.Epoch, place int) {
	bin := f.span.bin(e.Block)
	batch, within := 0, f.span.window.From <= e.Epoch && e.Epoch <= f.span.window.Until
	if within {
		batch, _ = f.span.batch(e.Epoch)
		support := f.support[place]
		support.add(share(e.Consensus))
		f.support[place] = support
	}
	f.yearly.add(e, f.at(place))
	switch a := f.at(place); {
	case a.miner != nil:
		m := a.miner
		m.last, m.ranked = e.Incentive, true
		m.emission += e.EmissionRao
		m.party.incentive[bin].add(share(e.Incentive))
		m.party.earned[bin] += e.EmissionRao
		f.stakeOf[bin][0].add(e)
		if within {
			m.incentive[batch].add(share(e.Incentive))
		}
	case a.validator != nil:
		v := a.validator
		v.curve.add(e)
		v.emission += e.EmissionRao
		v.party.earned[bin] += e.EmissionRao
		f.toValidators[bin] += e.EmissionRao
		f.stakeOf[bin][1].add(e)
		if within {
			v.earned[batch] += float64(e.EmissionRao)
			v.staked[batch].add(float64(e.StakeRao - min(e.EmissionRao, e.StakeRao)))
			v.trust.add(share(e.ValidatorTrust))
		}
	default:
		f.toOthers += e.EmissionRao
		f.stakeOf[bin][2].add(e)
	}
}

// stakeFacts is the stake of a role at the last epoch of a part of the run.
type stakeFacts struct {
	seen  bool
	epoch uint32
	rao   uint64
}

func (s *stakeFacts) add(e trace.Epoch) {
	if !s.seen || s.epoch != e.Epoch {
		*s = stakeFacts{true, e.Epoch, 0}
	}
	s.rao += e.StakeRao
}

func share(v uint16) float64 { return float64(v) / math.MaxUint16 }

// allSubsets is the name under which a miner's mean over subsets is recorded.
const allSubsets = "all"

func (f *findings) addTrain(t trace.Train) error {
	if int(t.Node) >= len(f.nodes) || !finite(float64(t.HeldOutLoss)) {
		return nil
	}
	m := f.seat[t.Node].miner
	switch {
	case m == nil:
	case t.Subset != allSubsets:
		f.lossCourse.reach(f.span.bin(t.Block), f.bestLosses)
		i := f.subset(t.Subset)
		for len(m.held) <= i {
			m.held, m.heldFirst = append(m.held, math.NaN()), append(m.heldFirst, math.NaN())
		}
		if math.IsNaN(m.heldFirst[i]) {
			m.heldFirst[i] = float64(t.HeldOutLoss)
		}
		m.held[i] = float64(t.HeldOutLoss)
	default:
		if !m.measured {
			m.measured, m.first = true, float64(t.HeldOutLoss)
		}
		m.loss = float64(t.HeldOutLoss)
		m.curve.add(t)
		if f.span.window.holds(t.Block) {
			m.settled.add(m.loss)
		}
	}
	return nil
}

// subset is the place of a subset's name, a new one for a new name.
func (f *findings) subset(name string) int {
	for i, s := range f.subsets {
		if s == name {
			return i
		}
	}
	f.subsets = append(f.subsets, name)
	return len(f.subsets) - 1
}

func (f *findings) addTotals(t trace.Totals) error {
	f.totals.add(t)
	f.yearly.account(f.course.ends, f.span.timeOf(t.Block), t)
	f.ledgerRows++
	if d := unaccounted(t); abs(d) > abs(f.worstRao) {
		f.worstRao = d
	}
	return nil
}

// unaccounted is minted money less all the places where it can be, in rao: 0 in a sound ledger.
func unaccounted(t trace.Totals) int64 {
	places := t.FreeRao + t.StakedRao + t.UnbondingRao + t.PendingRao + t.BurnedRao + t.DustRao + t.UnallocatedRao
	return int64(t.MintedRao - places)
}

func abs(v int64) int64 { return max(v, -v) }

func (f *findings) addFault(fault trace.Fault) error {
	for i := range f.faults {
		if f.faults[i].Kind == fault.Kind {
			f.faults[i].Count++
			return nil
		}
	}
	f.faults = append(f.faults, faultCount{fault.Kind, 1})
	return nil
}
