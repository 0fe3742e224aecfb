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
		t.Skipf("%s is not there: the vectors lie beside the repository", path)
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
	c := Curve{Rule: ByIssuance}
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
	c := Curve{Rule: ByHeight}
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
	for _, c := range []Curve{{Rule: ByIssuance}, {Rule: ByHeight}, {Rule: Flat, FlatRao: 3e12}, {Rule: Flat, FlatRao: 1<<64 - 1}} {
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
		got, blocks := Curve{Rule: ByIssuance}.Next(1, issuance)
		if got != FirstBlockRao>>k {
			t.Fatalf("issuance %d: %d rao, want %d", issuance, got, FirstBlockRao>>k)
		}
		if got == 0 {
			return
		}
		if last, _ := (Curve{Rule: ByIssuance}).Next(1, issuance+got*(blocks-1)); last != got {
			t.Fatalf("issuance %d: %d rao in the last of %d blocks, want %d", issuance, last, blocks, got)
		}
		if after, _ := (Curve{Rule: ByIssuance}).Next(1, issuance+got*blocks); after == got {
			t.Fatalf("issuance %d: still %d rao after %d blocks", issuance, got, blocks)
		}
	})
}

func TestARunOfBlocksMintsWhatItsBlocksMint(t *testing.T) {
	for _, c := range []Curve{{Rule: ByIssuance}, {Rule: ByHeight}, {Rule: Flat, FlatRao: 7}} {
		height, issuance := EraBlocks-3, SupplyRao/2-4e9
		var sum uint64
		for i := range uint64(12) {
			rao, _ := c.Next(height+i, issuance+sum)
			sum += rao
			if got := c.Sum(height, issuance, i+1); got != sum {
				t.Errorf("%s, %d blocks: %d rao, want %d", c.Rule, i+1, got, sum)
			}
		}
	}
}

func TestAnUnknownRuleIsRefused(t *testing.T) {
	for _, r := range Rules() {
		if err := (Curve{Rule: r}).Validate(); err != nil {
			t.Error(err)
		}
	}
	if err := (Curve{Rule: "gold"}).Validate(); err == nil {
		t.Error("gold was accepted")
	}
}

func ExampleCurve() {
	c := Curve{Rule: ByIssuance}
	rao, blocks := c.Next(1, 0)
	fmt.Println(rao, "rao per block for", blocks, "blocks")
	fmt.Println(c.Sum(1, 0, 2*blocks), "rao after twice as many")
	// Output:
	// 1000000000 rao per block for 10500000 blocks
	// 15750000000000000 rao after twice as many
}
