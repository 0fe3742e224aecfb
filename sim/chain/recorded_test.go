package chain

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestHistoriesComeOutAsRecorded plays random histories of all eras and compares everything that they
// show but digests with what is recorded in testdata/histories: receipts, events, totals, views and
// the exported state. So a change of bytes or of digests can be seen to change nothing else.
func TestHistoriesComeOutAsRecorded(t *testing.T) {
	datadriven.RunTest(t, "testdata/histories", func(t *testing.T, d *datadriven.TestData) string {
		var b strings.Builder
		for i, era := range Eras() {
			for seed := range uint64(6) {
				fmt.Fprintf(&b, "%s %d: %s\n", era, seed, record(t, era, 5000+100*uint64(i)+seed))
			}
		}
		return b.String()
	})
}

// unset is how what only hard ledgers have is printed of an era's.
var unset = regexp.MustCompile(` Hard:\{[^}]*\}| (PriceRao|WorkUsed|BytesUsed|SpentIn|Spent):0| Resets:\[\]|` +
	` (References|Served|Reset|TookMore|Swapped):0| Touched:\[\]|` +
	` (Begun:false|Unbonding:(0|\[\])|Proposer:0{64}|Tombs:\[\]|Operators:\[\]|` +
	`Rules:0|StoredRules:0|Plan:\{Rules:0 Height:0\}|Council:\[\]|Threshold:0|NextProposal:0|Proposals:\[\]|Steps:\[\])`)

// record plays a history in an era and tells how many of its steps were refused, how many epochs and
// registrations it had, and the hash of all that it showed.
func record(t *testing.T, era string, seed uint64) string {
	w := newWorld(t, seed)
	w.genesis = drawEra(rand.New(rand.NewPCG(seed, 2)))
	p, err := Era(era)
	if err != nil {
		t.Fatal(err)
	}
	// The limits that are soon met stay, the rules are the era's.
	q := &w.genesis.Params
	p = p.Scaled(int(q.MaxUIDs))
	p.TempoBlocks, p.BurnRao, p.MinBurnRao, p.MaxBurnRao = q.TempoBlocks, q.BurnRao, q.MinBurnRao, q.MaxBurnRao
	p.Difficulty, p.MinDifficulty, p.MaxDifficulty = q.Difficulty, q.MinDifficulty, q.MaxDifficulty
	p.AllowBurn, p.MaxNominators, p.ImmunityBlocks = true, max(q.MaxNominators, 2), q.ImmunityBlocks
	p.MinAllowedWeights, p.StakeThresholdRao, p.WeightsRateLimitBlocks = 1, q.StakeThresholdRao, 2
	p.MaxTake = max(p.MaxTake, q.MaxTake)
	*q = p
	w.s = mustNew(t, w.genesis)
	all := sha256.New()
	w.check = func() {
		o := w.outcomes[len(w.outcomes)-1]
		fmt.Fprintln(all, o.refusal, o.events, withoutUnbonding(w.s.Totals()), shown(w.s.View()))
	}
	w.run(150)
	fmt.Fprint(all, unset.ReplaceAllString(fmt.Sprintf("%+v", w.s.Export()), ""))
	refused, epochs, joined := 0, 0, 0
	for _, o := range w.outcomes {
		if o.refusal != "" {
			refused++
		}
		for _, e := range o.events {
			if strings.HasPrefix(e, "chain.EpochRan") {
				epochs++
			}
			if strings.HasPrefix(e, "chain.Registered") {
				joined++
			}
		}
	}
	return fmt.Sprintf("%d steps, %d refused, %d epochs, %d registrations, %x", len(w.outcomes), refused,
		epochs, joined, all.Sum(nil)[:8])
}

// withoutUnbonding prints totals as they were before stake could be on its way, where none is.
func withoutUnbonding(t Totals) string {
	text := fmt.Sprint(t)
	if t.Unbonding == 0 {
		text = strings.TrimSuffix(text, " 0}") + "}"
	}
	return text
}
