package consensus

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The vectors of this rule were made by executing the step of the chain of March 2022.

type wideVectorParams struct {
	Rho                  uint16
	KappaInverse         uint16 `json:"kappa_inverse"`
	SelfOwnershipInverse uint16 `json:"self_ownership_inverse"`
	MovingAverage        uint32 `json:"bonds_moving_average_ppm"`
	Cutoff               uint64 `json:"activity_cutoff_blocks"`
}

func (p wideVectorParams) params() Params {
	return Params{Rho: p.Rho, KappaInverse: p.KappaInverse, SelfOwnershipInverse: p.SelfOwnershipInverse,
		BondsMovingAveragePPM: p.MovingAverage, ActivityCutoffBlocks: p.Cutoff}
}

type wideVectorRows map[string][][2]uint64

type wideVectorOutput struct {
	Active       []uint8
	Stake        []uint64
	Rank         []uint64
	Trust        []uint64
	Consensus    []uint64
	Incentive    []uint64
	Dividends    []uint64
	Emission     []uint64
	Bonds        wideVectorRows
	BondsSummary *struct {
		Entries int
		Sum     uint64
		Row0    [][2]uint64
	} `json:"bonds_summary"`
	Paid       uint64 `json:"total_emission"`
	Issuance   uint64
	TotalStake uint64 `json:"total_stake"`
}

// wideNetwork is the state that the operations of a scenario change.
type wideNetwork struct {
	Input
	issuance uint64
}

func (n *wideNetwork) put(stakes, lastUpdate []uint64) {
	n.StakesRao, n.LastUpdate = slices.Clone(stakes), slices.Clone(lastUpdate)
	n.RegisteredAt = make([]uint64, len(stakes))
	n.Permits, n.Pruned = make([]bool, len(stakes)), make([]bool, len(stakes))
	n.Weights, n.Bonds = make([][]WeightEntry, len(stakes)), make([][]BondEntry, len(stakes))
}

// step runs one step, compares it and stores what it leaves behind, as the chain did.
func (n *wideNetwork) step(t *testing.T, ws *Workspace, number int, emission uint64,
	want wideVectorOutput) {
	t.Helper()
	check := func(field string, want, got any) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("step %d, %s (-want +got):\n%s", number, field, d)
		}
	}
	rule, err := Lookup(Nakamoto)
	if err != nil {
		t.Fatal(err)
	}
	out := rule.Epoch(ws, &n.Input, emission)
	var paid, staked, bonds uint64
	entries := 0
	rows := wideVectorRows{}
	for i, e := range out.EmissionRao {
		paid += e
		n.StakesRao[i] += e
		staked += n.StakesRao[i]
		n.Bonds[i] = slices.Clone(out.Bonds[i])
		for _, b := range out.Bonds[i] {
			key := strconv.Itoa(i)
			rows[key] = append(rows[key], [2]uint64{uint64(b.UID), b.Bond})
			entries++
			bonds += b.Bond
		}
	}
	clear(n.Pruned)
	n.issuance += paid
	check("emission", want.Emission, out.EmissionRao)
	check("total emission", want.Paid, paid)
	check("issuance", want.Issuance, n.issuance)
	if want.Stake == nil {
		return // the steps between are told in short
	}
	check("active", want.Active, flags(out.Active))
	check("stake", want.Stake, n.StakesRao)
	check("rank", want.Rank, out.Wide.Rank)
	check("trust", want.Trust, out.Wide.Trust)
	check("consensus", want.Consensus, out.Wide.Consensus)
	check("incentive", want.Incentive, out.Wide.Incentive)
	check("dividends", want.Dividends, out.Wide.Dividends)
	check("total stake", want.TotalStake, staked)
	if s := want.BondsSummary; s != nil {
		check("bond entries", s.Entries, entries)
		check("sum of bonds", s.Sum, bonds)
		check("first bonds of 0", s.Row0, rows["0"][:len(s.Row0)])
	} else {
		check("bonds", want.Bonds, rows)
	}
}

func TestNakamotoStepsHaveTheBitsOfTheOriginal(t *testing.T) {
	var file struct {
		Scenarios []struct {
			Name    string
			Params  wideVectorParams
			Initial struct {
				Block      uint64
				Stakes     []uint64
				LastUpdate []uint64       `json:"last_update"`
				Weights    wideVectorRows `json:"weights_u32"`
				Bonds      wideVectorRows `json:"bonds_u64"`
				Issuance   uint64
			}
			Ops []struct {
				Op       string
				Blocks   uint64
				Emission uint64
				UID      UID
				UIDs     []UID
				Stored   []uint32
				Expect   wideVectorOutput
			}
		}
	}
	loadVectors(t, "nakamoto_steps.json", &file)
	var ws Workspace // one for all: nothing may leak from one network into the next
	steps := 0
	for _, s := range file.Scenarios {
		t.Run(s.Name, func(t *testing.T) {
			n := wideNetwork{issuance: s.Initial.Issuance}
			n.Params, n.Block = s.Params.params(), s.Initial.Block
			n.put(s.Initial.Stakes, s.Initial.LastUpdate)
			for i := range n.Weights {
				for _, e := range s.Initial.Weights[strconv.Itoa(i)] {
					n.Weights[i] = append(n.Weights[i], WeightEntry{UID(e[0]), uint32(e[1])})
				}
				for _, e := range s.Initial.Bonds[strconv.Itoa(i)] {
					n.Bonds[i] = append(n.Bonds[i], BondEntry{UID(e[0]), e[1]})
				}
			}
			for _, op := range s.Ops {
				switch op.Op {
				case "advance":
					n.Block += op.Blocks
				case "set_weights":
					n.Weights[op.UID], n.LastUpdate[op.UID] = nil, n.Block
					for k, uid := range op.UIDs {
						n.Weights[op.UID] = append(n.Weights[op.UID], WeightEntry{uid, op.Stored[k]})
					}
				case "mark_pruned":
					n.Pruned[op.UID] = true
				case "step":
					n.step(t, &ws, steps, op.Emission, op.Expect)
					steps++
				default:
					t.Fatalf("operation %q is not known", op.Op)
				}
			}
		})
	}
	t.Logf("%d steps", steps)
	if steps == 0 {
		t.Error("nothing was compared")
	}
}

// wideGraph is a recorded network of 815 neurons in May 2021 and what steps on it gave.
type wideGraph struct {
	Block   uint64
	Params  wideVectorParams
	Initial struct {
		Stakes     []uint64
		LastUpdate []uint64       `json:"last_update"`
		Weights    wideVectorRows `json:"weights_ppm_rows"`
		Issuance   uint64
	}
	Steps struct {
		Emission uint64 `json:"emission_each"`
		Blocks   uint64 `json:"blocks_between"`
		Count    int
	}
	Expected []struct{ Expect wideVectorOutput }
}

func loadGraph(t testing.TB) (wideGraph, *wideNetwork) {
	t.Helper()
	var g wideGraph
	loadVectors(t, "kusanagi_graph_nakamoto.json", &g)
	n := &wideNetwork{issuance: g.Initial.Issuance}
	n.Params, n.Block = g.Params.params(), g.Block
	n.put(g.Initial.Stakes, g.Initial.LastUpdate)
	for i := range n.Weights {
		row := g.Initial.Weights[strconv.Itoa(i)]
		if row == nil {
			n.Weights[i] = []WeightEntry{{UID(i), 1<<32 - 1}}
		}
		var sum uint64
		for _, e := range row {
			sum += e[1]
		}
		for _, e := range row {
			n.Weights[i] = append(n.Weights[i], WeightEntry{UID(e[0]), uint32(e[1] * (1<<32 - 1) / sum)})
		}
	}
	return g, n
}

func TestNakamotoStepsOnARecordedNetworkHaveTheBitsOfTheOriginal(t *testing.T) {
	g, n := loadGraph(t)
	var ws Workspace
	for i, e := range g.Expected {
		n.step(t, &ws, i, g.Steps.Emission, e.Expect)
		n.Block += g.Steps.Blocks
	}
	if len(g.Expected) == 0 || len(g.Expected) != g.Steps.Count {
		t.Errorf("%d steps were compared, want %d", len(g.Expected), g.Steps.Count)
	}
	if a := testing.AllocsPerRun(2, func() { nakamoto{}.Epoch(&ws, &n.Input, g.Steps.Emission) }); a > 0 {
		t.Errorf("%v allocations in a step", a)
	}
}

func BenchmarkNakamotoStep(b *testing.B) {
	g, n := loadGraph(b)
	rule, err := Lookup(Nakamoto)
	if err != nil {
		b.Fatal(err)
	}
	var ws Workspace
	for b.Loop() {
		out := rule.Epoch(&ws, &n.Input, g.Steps.Emission)
		for i, row := range out.Bonds {
			n.Bonds[i] = append(n.Bonds[i][:0], row...)
		}
	}
	entries, counted := 0, 0
	for i, row := range n.Weights {
		entries += len(row)
		if ws.out.Active[i] {
			counted += len(row)
		}
	}
	b.ReportMetric(float64(entries), "weights")
	b.ReportMetric(float64(counted), "counted")
}
