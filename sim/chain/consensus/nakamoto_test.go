package consensus

import (
	"flag"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

func init() {
	flag.BoolFunc("update", "rewrite the golden files",
		func(on string) error { return flag.Set("rewrite", on) })
}

// stepScript is a network that the directives of testdata/nakamoto change and step:
//
//	network [rho=n] [kappa=n] [own=n] [keep=ppm] [share=n]
//	                  a new one, of lines "uid stake [quiet=blocks] [weights uid=value ...]"
//	weights           lines "uid [uid=value ...]", scaled to a sum of 2^32-1 as the chain did
//	quiet             lines "uid blocks": how long ago its last weights are
//	bonds             lines "uid [uid=rao ...]"
//	prune uid=n       its column goes in the next step
//	step [emission=n] what comes of it; shares in ten-thousandths, rounded down
type stepScript struct {
	in Input
	ws Workspace
}

func (s *stepScript) run(t *testing.T, d *datadriven.TestData) string {
	number := func(key string, otherwise uint64) uint64 {
		if d.HasArg(key) {
			d.ScanArgs(t, key, &otherwise)
		}
		return otherwise
	}
	switch d.Cmd {
	case "network":
		s.in = Input{Block: 1000}
		s.in.Params = Params{Rho: uint16(number("rho", 10)), KappaInverse: uint16(number("kappa", 2)),
			SelfOwnershipInverse: uint16(number("own", 2)), ServerShare: uint16(number("share", 0)),
			BondsMovingAveragePPM: uint32(number("keep", 500_000)), ActivityCutoffBlocks: 100}
		for _, f := range fields(d.Input) {
			s.in.StakesRao = append(s.in.StakesRao, f.head[1])
			s.in.LastUpdate = append(s.in.LastUpdate, 1000)
			s.in.Weights = append(s.in.Weights, row(f.pairs))
			s.in.Bonds = append(s.in.Bonds, nil)
		}
		s.in.RegisteredAt = make([]uint64, s.in.N())
		s.in.Permits, s.in.Pruned = make([]bool, s.in.N()), make([]bool, s.in.N())
	case "weights":
		for _, f := range fields(d.Input) {
			s.in.Weights[f.head[0]] = row(f.pairs)
		}
	case "quiet":
		for _, f := range fields(d.Input) {
			s.in.LastUpdate[f.head[0]] = s.in.Block - f.head[1]
		}
	case "bonds":
		for _, f := range fields(d.Input) {
			s.in.Bonds[f.head[0]] = nil
			for _, p := range f.pairs {
				s.in.Bonds[f.head[0]] = append(s.in.Bonds[f.head[0]], BondEntry{UID(p[0]), p[1]})
			}
		}
	case "prune":
		s.in.Pruned[number("uid", 0)] = true
	case "step":
		return s.step(number("emission", 1000))
	default:
		t.Fatalf("directive %s is not known", d.Cmd)
	}
	return ""
}

func (s *stepScript) step(emissionRao uint64) string {
	out := nakamoto{}.Epoch(&s.ws, &s.in, emissionRao)
	var b strings.Builder
	for i := range s.in.N() {
		w := out.Wide
		fmt.Fprintf(&b, "%d: R %s T %s C %s I %s D %s, paid %d = %d + %d", i, share(w.Rank[i]),
			share(w.Trust[i]), share(w.Consensus[i]), share(w.Incentive[i]), share(w.Dividends[i]),
			out.EmissionRao[i], out.ServerEmissionRao[i], out.ValidatorEmissionRao[i])
		if len(out.Bonds[i]) > 0 {
			fmt.Fprintf(&b, ", bonds %v", out.Bonds[i])
		}
		if !out.Active[i] {
			b.WriteString(", not active")
		}
		b.WriteByte('\n')
		s.in.StakesRao[i] += out.EmissionRao[i]
		s.in.Bonds[i] = slices.Clone(out.Bonds[i])
	}
	clear(s.in.Pruned)
	return b.String()
}

func share(x uint64) string {
	hi, _ := bits.Mul64(x, 10_000)
	return strconv.FormatUint(hi, 10)
}

type line struct {
	head  []uint64
	pairs [][2]uint64
}

// fields reads lines of numbers and of pairs of numbers.
func fields(text string) (lines []line) {
	for _, l := range strings.Split(text, "\n") {
		var f line
		if l == "" {
			continue
		}
		for _, word := range strings.Fields(l) {
			k, v, isPair := strings.Cut(word, "=")
			n, err := strconv.ParseUint(k, 10, 64)
			if err != nil {
				panic(err)
			}
			if !isPair {
				f.head = append(f.head, n)
				continue
			}
			m, err := strconv.ParseUint(v, 10, 64)
			if err != nil {
				panic(err)
			}
			f.pairs = append(f.pairs, [2]uint64{n, m})
		}
		lines = append(lines, f)
	}
	return lines
}

// row scales weights to a sum of 2^32-1.
func row(pairs [][2]uint64) (out []WeightEntry) {
	var sum uint64
	for _, p := range pairs {
		sum += p[1]
	}
	for _, p := range pairs {
		out = append(out, WeightEntry{UID(p[0]), uint32(p[1] * (1<<32 - 1) / max(sum, 1))})
	}
	return out
}

func TestGoldenStepsOfNakamoto(t *testing.T) {
	var s stepScript
	datadriven.RunTest(t, "testdata/nakamoto", s.run)
}

func ExampleLookup() {
	rule, err := Lookup(Nakamoto)
	if err != nil {
		panic(err)
	}
	in := &Input{
		Params: Params{Rho: 10, KappaInverse: 2, SelfOwnershipInverse: 2, BondsMovingAveragePPM: 900_000,
			ActivityCutoffBlocks: 5000},
		Block:      100,
		StakesRao:  []uint64{600, 400, 0, 0}, // two validators, two miners
		LastUpdate: []uint64{50, 50, 50, 50},
		Weights: [][]WeightEntry{
			{{2, 1<<31 - 1}, {3, 1<<31 - 1}},
			{{2, 1<<32 - 1}}, // does not trust miner 3
			nil, nil,
		},
		Bonds: make([][]BondEntry, 4),
	}
	var ws Workspace
	out := rule.Epoch(&ws, in, 100_000)
	fmt.Println("trust", out.Trust)
	fmt.Println("consensus", out.Consensus)
	fmt.Println("emission", out.EmissionRao)
	fmt.Println("stake weight", out.StakeWeight)
	fmt.Println("score", out.PruningScore)
	fmt.Println("bonds", out.Bonds[:2])
	// Output:
	// trust [0 0 65535 39321]
	// consensus [438 438 65097 47910]
	// emission [28276 21723 38010 11989]
	// stake weight [39321 26214 0 0]
	// score [48752 37453 65535 20671]
	// bonds [[{2 2999} {3 2999}] [{2 4000}]]
}
