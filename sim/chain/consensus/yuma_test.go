package consensus

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// yumaScript is a network that the directives of testdata/yuma change and carry from epoch to epoch:
//
//	network           a new one, of lines "uid stake [uid=weight ...]"; who has stake has a permit
//	params [key=n]    what follows runs under: rule, kappa, penalty, keep (ppm), k, cutoff, tempo,
//	                  threshold, owner, liquid (0 or 1), low, high, steepness, share
//	weights           lines "uid [uid=weight ...]", set in this block
//	updated           lines "uid block": when its weights were set
//	registered        lines "uid block"
//	committed         lines "uid block": of its earliest unexpired commit
//	permits [uid...]  who has one, in place of those of the epoch before
//	bonds             lines "uid [uid=bond ...]"
//	epoch [emission=n] [blocks=n]
//	                  advances (by 10 blocks) and prints for every neuron consensus, incentive,
//	                  dividends and validator trust in 1/65535, what it is paid = as a server + as a
//	                  validator, and its bonds; + has a permit for the next epoch
type yumaScript struct {
	in   Input
	rule Name
	ws   Workspace
}

func (s *yumaScript) run(t *testing.T, d *datadriven.TestData) string {
	set := func(v []uint64) {
		for _, f := range fields(d.Input) {
			v[f.head[0]] = f.head[1]
		}
	}
	switch d.Cmd {
	case "network":
		s.network(fields(d.Input))
	case "params":
		s.params(t, d)
	case "weights":
		for _, f := range fields(d.Input) {
			uid := f.head[0]
			s.in.LastUpdate[uid] = s.in.Block
			s.in.Weights[uid] = nil
			for _, p := range f.pairs {
				s.in.Weights[uid] = append(s.in.Weights[uid], WeightEntry{UID(p[0]), uint32(p[1])})
			}
		}
	case "updated":
		set(s.in.LastUpdate)
	case "registered":
		set(s.in.RegisteredAt)
	case "committed":
		s.in.Commits = slices.Repeat([]uint64{NoCommit}, s.in.N())
		set(s.in.Commits)
	case "permits":
		clear(s.in.Permits)
		for _, arg := range d.CmdArgs {
			uid, err := strconv.Atoi(arg.Key)
			if err != nil {
				t.Fatal(err)
			}
			s.in.Permits[uid] = true
		}
	case "bonds":
		for _, f := range fields(d.Input) {
			uid := f.head[0]
			s.in.Bonds[uid] = nil
			for _, p := range f.pairs {
				s.in.Bonds[uid] = append(s.in.Bonds[uid], BondEntry{UID(p[0]), p[1]})
			}
		}
	case "epoch":
		emission, blocks := uint64(1_000_000), uint64(10)
		d.MaybeScanArgs(t, "emission", &emission)
		d.MaybeScanArgs(t, "blocks", &blocks)
		s.in.Block += blocks
		return s.epoch(t, emission)
	default:
		t.Fatalf("directive %s is not known", d.Cmd)
	}
	return ""
}

func (s *yumaScript) network(lines []line) {
	s.rule = Yuma2
	s.in = Input{Block: 1000, Params: Params{TempoBlocks: 10, Kappa: 32767, BondsPenalty: 65535,
		BondsMovingAveragePPM: 500_000, ActivityCutoffBlocks: 100, MaxValidators: 64,
		AlphaLow: 45875, AlphaHigh: 58982, AlphaSteepness: 1000}}
	for _, f := range lines {
		s.in.StakesRao = append(s.in.StakesRao, f.head[1])
		s.in.LastUpdate = append(s.in.LastUpdate, 1000)
		s.in.RegisteredAt = append(s.in.RegisteredAt, 0)
		s.in.Permits = append(s.in.Permits, f.head[1] > 0)
		s.in.Bonds = append(s.in.Bonds, nil)
		var row []WeightEntry
		for _, p := range f.pairs {
			row = append(row, WeightEntry{UID(p[0]), uint32(p[1])})
		}
		s.in.Weights = append(s.in.Weights, row)
	}
}

func (s *yumaScript) params(t *testing.T, d *datadriven.TestData) {
	p := &s.in.Params
	for _, arg := range d.CmdArgs {
		var n uint64
		if arg.Key == "rule" {
			s.rule = Name(arg.Vals[0])
			continue
		}
		d.ScanArgs(t, arg.Key, &n)
		switch arg.Key {
		case "kappa":
			p.Kappa = uint16(n)
		case "penalty":
			p.BondsPenalty = uint16(n)
		case "keep":
			p.BondsMovingAveragePPM = uint32(n)
		case "k":
			p.MaxValidators = int(n)
		case "cutoff":
			p.ActivityCutoffBlocks = n
		case "tempo":
			p.TempoBlocks = n
		case "threshold":
			p.StakeThresholdRao = n
		case "owner":
			p.HasOwner, p.Owner = true, UID(n)
		case "liquid":
			p.LiquidAlpha = n == 1
		case "low":
			p.AlphaLow = uint16(n)
		case "high":
			p.AlphaHigh = uint16(n)
		case "steepness":
			p.AlphaSteepness = int16(n)
		case "share":
			p.ServerShare = uint16(n)
		default:
			t.Fatalf("parameter %s is not known", arg.Key)
		}
	}
}

func (s *yumaScript) epoch(t *testing.T, emissionRao uint64) string {
	compareToTheBit(t, "the twin", &s.ws, s.rule, &s.in)
	rule, err := Lookup(s.rule)
	if err != nil {
		t.Fatal(err)
	}
	out := rule.Epoch(&s.ws, &s.in, emissionRao)
	var b strings.Builder
	for i := range s.in.N() {
		fmt.Fprintf(&b, "%d: C %d I %d D %d V %d, paid %d = %d + %d", i, out.Consensus[i],
			out.Incentive[i], out.Dividends[i], out.ValidatorTrust[i],
			out.EmissionRao[i], out.ServerEmissionRao[i], out.ValidatorEmissionRao[i])
		if len(out.Bonds[i]) > 0 {
			fmt.Fprintf(&b, ", bonds %v", out.Bonds[i])
		}
		if !out.Active[i] {
			b.WriteString(", not active")
		}
		if out.Permits[i] {
			b.WriteString(" +")
		}
		b.WriteByte('\n')
		s.in.Bonds[i] = slices.Clone(out.Bonds[i])
	}
	copy(s.in.Permits, out.Permits)
	s.in.LastEpochBlock = s.in.Block
	return b.String()
}

func TestGoldenEpochsOfYuma(t *testing.T) {
	datadriven.Walk(t, "testdata/yuma", func(t *testing.T, path string) {
		var s yumaScript
		datadriven.RunTest(t, path, s.run)
	})
}
