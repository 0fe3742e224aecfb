package emission

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
)

func loadCurve(t *testing.T) (v struct {
	Table    [][2]uint64
	Schedule []struct {
		StartBlock    uint64 `json:"start_block"`
		StartIssuance uint64 `json:"start_issuance"`
		EmissionRao   uint64 `json:"emission_rao"`
	} `json:"schedule_from_zero"`
	Final     uint64 `json:"final_issuance_from_zero"`
	FirstZero uint64 `json:"first_block_with_zero_emission_from_zero"`
	ByHeight  struct {
		TotalRao uint64 `json:"total_rao"`
		Eras     uint64 `json:"eras_with_nonzero_emission"`
	} `json:"bitcoin_style_by_height"`
}) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "vectors", "emission_curve.json")
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there: the vectors lie next to the repository", path)
	}
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEmissionByIssuanceEqualsTheOriginal(t *testing.T) {
	v := loadCurve(t)
	c := Bittensor(ByIssuance)
	for _, row := range v.Table {
		if got, _ := c.Next(1, row[0]); got != row[1] {
			t.Errorf("issuance %d: emission %d, want %d", row[0], got, row[1])
		}
	}
	for i, era := range v.Schedule {
		if got := c.Sum(1, 0, era.StartBlock); got != era.StartIssuance {
			t.Errorf("era %d: issuance %d, want %d", i, got, era.StartIssuance)
		}
		rao, blocks := c.Next(era.StartBlock+1, era.StartIssuance)
		if rao != era.EmissionRao {
			t.Errorf("era %d: emission %d, want %d", i, rao, era.EmissionRao)
		}
		if i+1 < len(v.Schedule) && era.StartBlock+blocks != v.Schedule[i+1].StartBlock {
			t.Errorf("era %d: ends at block %d, want %d", i, era.StartBlock+blocks,
				v.Schedule[i+1].StartBlock)
		}
	}
	if got := c.Sum(1, 0, v.FirstZero); got != v.Final {
		t.Errorf("issuance in the end: %d, want %d", got, v.Final)
	}
	if before := c.Sum(1, 0, v.FirstZero-1); before != v.Final-1 {
		t.Errorf("issuance before the last rao: %d, want %d", before, v.Final-1)
	}
}

func TestEmissionByHeightHalvesLikeBitcoin(t *testing.T) {
	v := loadCurve(t)
	c := Bittensor(ByHeight)
	if got := c.Sum(1, 0, 1<<62); got != v.ByHeight.TotalRao {
		t.Errorf("total %d, want %d", got, v.ByHeight.TotalRao)
	}
	if got := c.Sum(1, 0, v.ByHeight.Eras*EraBlocks); got != v.ByHeight.TotalRao {
		t.Errorf("total of the eras that mint: %d, want %d", got, v.ByHeight.TotalRao)
	}
	for _, tc := range []struct{ height, want uint64 }{
		{1, 1e9}, {EraBlocks, 1e9}, {EraBlocks + 1, 5e8}, {2*EraBlocks + 1, 25e7},
	} {
		if got, _ := c.Next(tc.height, 0); got != tc.want {
			t.Errorf("block %d: %d rao, want %d", tc.height, got, tc.want)
		}
	}
}

func TestNoRulePassesTheSupply(t *testing.T) {
	for _, c := range []Curve{Bittensor(ByIssuance), Bittensor(ByHeight), {Rule: Flat, FlatRao: 3e12, CapRao: SupplyRao},
		{Rule: Flat, FlatRao: 1<<64 - 1, CapRao: SupplyRao}} {
		for _, before := range []uint64{0, 1, SupplyRao - 1, SupplyRao, SupplyRao + 1, 1<<64 - 1} {
			after := before + c.Sum(1, before, 1<<62)
			if after > max(SupplyRao, before) || after < before {
				t.Errorf("%v from %d: %d", c, before, after)
			}
		}
	}
}

// FuzzIssuanceRule compares with the rule as the chain states it: the number of halvings is the
// floor of log2(1 / (1 - issuance / supply)).
func FuzzIssuanceRule(f *testing.F) {
	f.Add(uint64(0))
	f.Add(SupplyRao / 2)
	f.Add(SupplyRao/2 - 1)
	f.Add(SupplyRao - 1)
	f.Fuzz(func(t *testing.T, issuance uint64) {
		issuance %= SupplyRao
		supply := new(big.Int).SetUint64(SupplyRao)
		rest := new(big.Int).SetUint64(SupplyRao - issuance)
		k := uint(0)
		for new(big.Int).Lsh(rest, k+1).Cmp(supply) <= 0 {
			k++
		}
		got, blocks := Bittensor(ByIssuance).Next(1, issuance)
		if got != FirstBlockRao>>k {
			t.Fatalf("issuance %d: %d rao, want %d", issuance, got, FirstBlockRao>>k)
		}
		if got == 0 {
			return
		}
		if last, _ := Bittensor(ByIssuance).Next(1, issuance+got*(blocks-1)); last != got {
			t.Fatalf("issuance %d: %d rao in the last of %d blocks, want %d", issuance, last, blocks, got)
		}
		if after, _ := Bittensor(ByIssuance).Next(1, issuance+got*blocks); after == got {
			t.Fatalf("issuance %d: still %d rao after %d blocks", issuance, got, blocks)
		}
	})
}

// twin is the curve block by block, in the words of its rules.
func twin(c Curve, height, issuance uint64) uint64 {
	if issuance >= c.CapRao {
		return 0
	}
	limit := new(big.Int).SetUint64(c.CapRao)
	rest := new(big.Int).SetUint64(c.CapRao - issuance)
	rao := c.FlatRao
	switch c.Rule {
	case ByIssuance:
		rao = c.RewardRao
		for rest.Lsh(rest, 1).Cmp(limit) <= 0 {
			rao /= 2
		}
	case ByHeight:
		rao = c.RewardRao
		for block := height - 1; block >= c.HalvingBlocks && rao > 0; block -= c.HalvingBlocks {
			rao /= 2
		}
	}
	return min(rao, c.CapRao-issuance)
}

// FuzzSum compares runs of blocks with the same blocks one by one.
func FuzzSum(f *testing.F) {
	for rule := range uint8(3) {
		for _, v := range []uint64{0, 1, 2, 3, 10, 1000, 1 << 40, SupplyRao - 1, 1<<64 - 1} {
			f.Add(rule, v, v/3, v/2, v, uint64(1), v/5, uint8(200))
			f.Add(rule, uint64(1000), uint64(10), uint64(7), uint64(25), v, uint64(0), uint8(250))
		}
	}
	f.Fuzz(func(t *testing.T, rule uint8, limit, reward, flat, halving, height, issuance uint64, n uint8) {
		c := Curve{Rules()[rule%3], flat, reward, 1 + limit%SupplyRao, 1 + halving%1000}
		c.RewardRao %= c.CapRao + 1
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		height = 1 + height%100_000
		issuance %= c.CapRao + 2
		var sum uint64
		for i := range uint64(n) {
			if got, want := c.Sum(height, issuance, i), sum; got != want {
				t.Fatalf("%+v from block %d, %d rao: %d blocks mint %d, want %d", c, height, issuance, i, got, want)
			}
			rao, blocks := c.Next(height+i, issuance+sum)
			if want := twin(c, height+i, issuance+sum); rao != want || blocks < 1 {
				t.Fatalf("%+v at block %d, %d rao: %d for %d blocks, want %d", c, height+i, issuance+sum,
					rao, blocks, want)
			}
			sum += rao
		}
		if before := issuance; before+sum > max(c.CapRao, before) {
			t.Fatalf("%+v from %d: %d are more than the cap", c, before, before+sum)
		}
	})
}

func TestTheCapTheRewardAndTheIntervalMoveTheCurve(t *testing.T) {
	for _, tc := range []struct {
		name   string
		curve  Curve
		blocks uint64
		want   string // what each block mints
	}{
		{"a cap of 100, half of it at 8 a block", Curve{ByIssuance, 0, 8, 100, 1}, 24,
			"[8 8 8 8 8 8 8 4 4 4 4 4 2 2 2 2 2 2 1 1 1 1 1 1]"},
		{"a reward of the whole cap", Curve{ByIssuance, 0, 100, 100, 1}, 3, "[100 0 0]"},
		{"a cap of one rao", Curve{ByIssuance, 0, 1, 1, 1}, 3, "[1 0 0]"},
		{"no reward", Curve{ByIssuance, 0, 0, 100, 1}, 3, "[0 0 0]"},
		{"halvings every third block", Curve{ByHeight, 0, 5, 100, 3}, 10, "[5 5 5 2 2 2 1 1 1 0]"},
		{"a cap that ends the halvings", Curve{ByHeight, 0, 5, 12, 3}, 5, "[5 5 2 0 0]"},
		{"flat up to the cap", Curve{Flat, 7, 0, 20, 1}, 5, "[7 7 6 0 0]"},
	} {
		var list []uint64
		var sum uint64
		for i := range tc.blocks {
			rao, _ := tc.curve.Next(1+i, sum)
			list = append(list, rao)
			sum += rao
		}
		if got := fmt.Sprint(list); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestImpossibleCurvesAreRefused(t *testing.T) {
	for _, r := range Rules() {
		if err := Bittensor(r).Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []Curve{
		{"gold", 1, 1, 100, 1}, {ByIssuance, 0, 1, 0, 1}, {ByIssuance, 0, 1, SupplyRao + 1, 1},
		{ByHeight, 0, 101, 100, 1}, {ByHeight, 0, 1, 100, 0}, {},
	} {
		if err := c.Validate(); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

func ExampleCurve() {
	c := Bittensor(ByIssuance)
	rao, blocks := c.Next(1, 0)
	fmt.Println(rao, "rao per block for", blocks, "blocks")
	fmt.Println(c.Sum(1, 0, 2*blocks), "rao after twice as many")
	// Output:
	// 1000000000 rao per block for 10500000 blocks
	// 15750000000000000 rao after twice as many
}
