package consensus

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The vectors were made by executing the arithmetic of opentensor/subtensor; see their README.

func loadVectors(t testing.TB, name string, v any) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "vectors", name)
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there: the vectors lie next to the repository", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

type vectorParams struct {
	Kappa         uint16 `json:"kappa_u16"`
	Penalty       uint16 `json:"bonds_penalty_u16"`
	MovingAverage uint32 `json:"bonds_moving_average_ppm"`
	Yuma3         bool   `json:"yuma3"`
	LiquidAlpha   bool   `json:"liquid_alpha"`
	AlphaLow      uint16 `json:"alpha_low_u16"`
	AlphaHigh     uint16 `json:"alpha_high_u16"`
	Steepness     int16  `json:"alpha_sigmoid_steepness_x100"`
	Cutoff        uint64 `json:"activity_cutoff_blocks"`
	Tempo         uint64 `json:"tempo"`
	LastStep      uint64 `json:"last_mechanism_step_block"`
	Threshold     uint64 `json:"stake_threshold"`
	Owner         *UID   `json:"owner_uid"`
	MaxValidators int    `json:"max_allowed_validators"`
	CommitReveal  bool   `json:"commit_reveal"`
}

type vectorState struct {
	Block        uint64                 `json:"block"`
	Stakes       []uint64               `json:"stakes"`
	RegisteredAt []uint64               `json:"registered_at"`
	LastUpdate   []uint64               `json:"last_update"`
	Permits      []bool                 `json:"validator_permit"`
	Weights      map[string][][2]uint16 `json:"weights"`
	Bonds        map[string][][2]uint16 `json:"bonds"`
}

type vectorOutput struct {
	Server       []uint64               `json:"server_emission"`
	Validator    []uint64               `json:"validator_emission"`
	Emission     []uint64               `json:"emission"`
	Consensus    []uint16               `json:"consensus"`
	Incentive    []uint16               `json:"incentive"`
	Dividends    []uint16               `json:"dividends"`
	Trust        []uint16               `json:"validator_trust"`
	MinerRank    []uint16               `json:"rank"`
	MinerTrust   []uint16               `json:"trust"`
	PruningScore []uint16               `json:"pruning_score"`
	StakeWeight  []uint16               `json:"stake_weight"`
	Active       []uint8                `json:"active"`
	Permits      []uint8                `json:"validator_permit"`
	Bonds        map[string][][2]uint16 `json:"bonds"`
	BondsSummary *struct {
		Entries int    `json:"entries"`
		Sum     uint64 `json:"sum"`
	} `json:"bonds_summary"`
}

type vectorOp struct {
	Op         string          `json:"op"`
	Blocks     uint64          `json:"blocks"`
	Emission   uint64          `json:"emission"`
	UID        UID             `json:"uid"`
	UIDs       []UID           `json:"uids"`
	Stored     []uint16        `json:"stored"`
	Targets    []UID           `json:"targets"`
	StoredEach uint16          `json:"stored_each"`
	Value      uint16          `json:"value"`
	Stake      uint64          `json:"stake"`
	Amount     uint64          `json:"amount"`
	Params     json.RawMessage `json:"params"`
	Expect     *vectorOutput   `json:"expect"`
}

type vectorScenario struct {
	Name    string          `json:"name"`
	Params  vectorParams    `json:"params"`
	Initial json.RawMessage `json:"initial"`
	Ops     []vectorOp      `json:"ops"`
}

// network is the state that the operations of a scenario change.
type network struct{ Input }

func newNetwork(s vectorState) *network {
	n := &network{}
	n.Block = s.Block
	n.StakesRao = slices.Clone(s.Stakes)
	n.RegisteredAt = slices.Clone(s.RegisteredAt)
	n.LastUpdate = slices.Clone(s.LastUpdate)
	n.Permits = slices.Clone(s.Permits)
	for i := range s.Stakes {
		n.Weights = append(n.Weights, weightRow(s.Weights[strconv.Itoa(i)]))
		n.Bonds = append(n.Bonds, bondRow(s.Bonds[strconv.Itoa(i)]))
	}
	return n
}

func weightRow(row [][2]uint16) (out []WeightEntry) {
	for _, e := range row {
		out = append(out, WeightEntry{UID(e[0]), uint32(e[1])})
	}
	return out
}

func bondRow(row [][2]uint16) (out []BondEntry) {
	for _, e := range row {
		out = append(out, BondEntry{UID(e[0]), uint64(e[1])})
	}
	return out
}

func (n *network) setParams(p vectorParams) {
	n.Params = Params{
		TempoBlocks: p.Tempo, Kappa: p.Kappa, BondsPenalty: p.Penalty,
		BondsMovingAveragePPM: p.MovingAverage, ActivityCutoffBlocks: p.Cutoff,
		StakeThresholdRao: p.Threshold, MaxValidators: p.MaxValidators,
		LiquidAlpha: p.LiquidAlpha, AlphaLow: p.AlphaLow, AlphaHigh: p.AlphaHigh,
		AlphaSteepness: p.Steepness,
	}
	if p.Owner != nil {
		n.HasOwner, n.Owner = true, *p.Owner
	}
	n.LastEpochBlock = p.LastStep
	n.Commits = nil
	if p.CommitReveal {
		n.Commits = slices.Repeat([]uint64{NoCommit}, n.N())
	}
}

func (n *network) apply(t *testing.T, op vectorOp) {
	t.Helper()
	setWeights := func(uid UID, row []WeightEntry) {
		n.Weights[uid] = row
		n.LastUpdate[uid] = n.Block
	}
	switch op.Op {
	case "advance":
		n.Block += op.Blocks
	case "set_weights":
		row := make([]WeightEntry, len(op.UIDs))
		for i, j := range op.UIDs {
			row[i] = WeightEntry{j, uint32(op.Stored[i])}
		}
		setWeights(op.UID, row)
	case "set_weights_many":
		row := make([]WeightEntry, len(op.Targets))
		for i, j := range op.Targets {
			row[i] = WeightEntry{j, uint32(op.StoredEach)}
		}
		for _, uid := range op.UIDs {
			setWeights(uid, row)
		}
	case "set_self_weight_many":
		for _, uid := range op.UIDs {
			setWeights(uid, []WeightEntry{{uid, uint32(op.Value)}})
		}
	case "add_stake":
		n.StakesRao[op.UID] += op.Amount
	case "put_stake":
		n.StakesRao[op.UID] = op.Stake
	case "append_neuron":
		n.StakesRao = append(n.StakesRao, op.Stake)
		n.RegisteredAt = append(n.RegisteredAt, n.Block)
		n.LastUpdate = append(n.LastUpdate, n.Block)
		n.Permits = append(n.Permits, false)
		n.Weights = append(n.Weights, nil)
		n.Bonds = append(n.Bonds, nil)
	case "replace_neuron":
		n.StakesRao[op.UID] = op.Stake
		n.RegisteredAt[op.UID], n.LastUpdate[op.UID] = n.Block, n.Block
		n.Permits[op.UID] = false
		n.Weights[op.UID], n.Bonds[op.UID] = nil, nil
		for i, row := range n.Weights {
			n.Weights[i] = slices.Clone(row)
			for k, e := range n.Weights[i] {
				if e.UID == op.UID {
					n.Weights[i][k].Weight = 0
				}
			}
		}
	default:
		t.Fatalf("operation %q is not known", op.Op)
	}
}

// accept stores what an epoch leaves behind, as the chain does.
func (n *network) accept(out *Output) {
	copy(n.Permits, out.Permits)
	for i, row := range out.Bonds {
		n.Bonds[i] = slices.Clone(row)
	}
}

func (want *vectorOutput) compare(t *testing.T, epoch int, got *Output) {
	t.Helper()
	check := func(field string, want, got any) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("epoch %d, %s (-want +got):\n%s", epoch, field, d)
		}
	}
	if want.Emission != nil {
		check("server emission", want.Server, got.ServerEmissionRao)
		check("validator emission", want.Validator, got.ValidatorEmissionRao)
		check("emission", want.Emission, got.EmissionRao)
		check("validator trust", want.Trust, got.ValidatorTrust)
		check("stake weight", want.StakeWeight, got.StakeWeight)
		check("active", want.Active, flags(got.Active))
		check("permits", want.Permits, flags(got.Permits))
	}
	if want.MinerRank != nil {
		check("rank", want.MinerRank, got.Rank)
		check("trust", want.MinerTrust, got.Trust)
		check("pruning score", want.PruningScore, got.PruningScore)
	}
	check("consensus", want.Consensus, got.Consensus)
	check("incentive", want.Incentive, got.Incentive)
	check("dividends", want.Dividends, got.Dividends)
	bonds := map[string][][2]uint16{}
	for i, row := range got.Bonds {
		for _, b := range row {
			key := strconv.Itoa(i)
			bonds[key] = append(bonds[key], [2]uint16{uint16(b.UID), uint16(b.Bond)})
		}
	}
	if want.Bonds != nil {
		check("bonds", want.Bonds, bonds)
	}
	if s := want.BondsSummary; s != nil {
		var entries int
		var sum uint64
		for _, row := range got.Bonds {
			entries += len(row)
			for _, b := range row {
				sum += uint64(b.Bond)
			}
		}
		check("bond entries", s.Entries, entries)
		check("sum of bonds", s.Sum, sum)
	}
}

func flags(v []bool) []uint8 {
	out := make([]uint8, len(v))
	for i, b := range v {
		if b {
			out[i] = 1
		}
	}
	return out
}

// run plays a scenario on ws and returns the number of epochs.
func (s vectorScenario) run(t *testing.T, ws *Workspace, initial vectorState, january bool) int {
	t.Helper()
	n := newNetwork(initial)
	params := s.Params
	epochs := 0
	for _, op := range s.Ops {
		if op.Op == "set_params" {
			if err := json.Unmarshal(op.Params, &params); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if op.Op != "epoch" {
			n.apply(t, op)
			continue
		}
		n.setParams(params)
		name := Yuma2
		switch {
		case january:
			name = Yuma2Liquid
		case params.Yuma3:
			name = Yuma3
		}
		rule, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		out := rule.Epoch(ws, &n.Input, op.Emission)
		op.Expect.compare(t, epochs, out)
		compareToTheBit(t, "the twin", ws, name, &n.Input)
		n.accept(rule.Epoch(ws, &n.Input, op.Emission))
		epochs++
	}
	return epochs
}

// runScenarios plays the scenarios of a file on one workspace for all: nothing may leak from one
// network into the next.
func runScenarios(t *testing.T, name string, january bool, wantScenarios, wantEpochs int) {
	t.Helper()
	var file struct {
		Scenarios []vectorScenario
		Runs      []vectorScenario
		Initial   json.RawMessage `json:"common_initial"`
	}
	loadVectors(t, name, &file)
	var ws Workspace
	scenarios, epochs := 0, 0
	for _, s := range append(file.Scenarios, file.Runs...) {
		t.Run(s.Name, func(t *testing.T) {
			if file.Initial != nil {
				s.Initial = file.Initial
			}
			var initial vectorState
			if err := json.Unmarshal(s.Initial, &initial); err != nil {
				t.Fatal(err)
			}
			scenarios++
			epochs += s.run(t, &ws, initial, january)
		})
	}
	if scenarios != wantScenarios || epochs != wantEpochs {
		t.Errorf("%d scenarios of %d epochs, want %d of %d", scenarios, epochs, wantScenarios, wantEpochs)
	}
}

func TestEpochsHaveTheBitsOfTheOriginal(t *testing.T) {
	runScenarios(t, "epoch_scenarios.json", false, 38, 121)
}

func TestEpochsOfJanuary2025HaveTheBitsOfTheOriginal(t *testing.T) {
	runScenarios(t, "yuma2_2025_liquid_v1.json", true, 3, 19)
}

func TestEpochsOnARecordedNetworkHaveTheBitsOfTheOriginal(t *testing.T) {
	runScenarios(t, "metagraph_sn15.json", false, 4, 44)
}
