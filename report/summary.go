package report

import (
	"fmt"
	"math"
	"slices"
)

// Summary holds the numbers of one run. A section that the recorded tables say nothing of is nil or
// empty; no number in it is NaN. What is told of a window is a mean over its epochs, with an interval
// from resampling miners, or batches of successive epochs.
type Summary struct {
	Name             string        `json:"name"`
	Description      string        `json:"description,omitempty"`
	Seed             uint64        `json:"seed"`
	RunDigest        string        `json:"run_digest"`
	Ending           string        `json:"ending,omitempty"` // why the run went no further; empty for a finished one
	Miners           int           `json:"miners"`           // that held a seat at the end
	Validators       int           `json:"validators"`       // that held a seat at the end
	Applications     int           `json:"applications"`
	Blocks           uint64        `json:"blocks"`
	Epochs           int           `json:"epochs"` // recorded ones
	Window           WindowSummary `json:"window"`
	SimulatedSeconds float64       `json:"simulated_seconds"`
	WallSeconds      float64       `json:"wall_seconds"`
	Events           uint64        `json:"events"`
	FLOP             uint64        `json:"flop"`

	Expectations []Verdict             `json:"expectations,omitempty"`
	Loss         *LossSummary          `json:"loss,omitempty"`
	SubsetLosses []SubsetLoss          `json:"subset_losses,omitempty"`
	Mixes        *MixSummary           `json:"mixes,omitempty"`
	Correlations []Correlation         `json:"correlations,omitempty"`
	Groups       []GroupSummary        `json:"groups,omitempty"`     // in the order of the scenario
	Behaviours   []BehaviourSummary    `json:"behaviours,omitempty"` // honest miners first
	Supply       *SupplySummary        `json:"supply,omitempty"`
	Course       *CourseSummary        `json:"course,omitempty"`
	StakeFirst   *ConcentrationSummary `json:"stake_first,omitempty"` // at the first recorded epoch
	StakeLast    *ConcentrationSummary `json:"stake_last,omitempty"`  // at the last
	Money        *MoneySummary         `json:"money,omitempty"`
	Dividends    []DividendSummary     `json:"dividends,omitempty"`
	Copiers      []ReturnSummary       `json:"returns,omitempty"` // by behaviour of validators
	Queries      *QuerySummary         `json:"queries,omitempty"`
	Bias         *Interval             `json:"bias,omitempty"` // mean score over the score of the mean loss
	Routing      *RoutingSummary       `json:"routing,omitempty"`
	Choice       *ChoiceSummary        `json:"choice,omitempty"`
	Abilities    []SubsetSummary       `json:"abilities,omitempty"`
	Use          *ApplicationSummary   `json:"applications_use,omitempty"`
	Asked        []AskedSummary        `json:"asked,omitempty"` // miners in node order
	Seats        *SeatSummary          `json:"seats,omitempty"`
	Faults       []faultCount          `json:"faults,omitempty"`
	Warnings     []string              `json:"warnings,omitempty"`
}

// LossSummary is held-out loss in nats/token over all measured miners.
type LossSummary struct {
	Miners      int      `json:"miners"`
	FirstMedian float64  `json:"first_median"` // at each miner's first measurement
	Median      Interval `json:"median"`       // at each miner's last
	Low         float64  `json:"q25"`
	High        float64  `json:"q75"`
	Base        float64  `json:"base"`   // median over miners of the base model of their shape; 0: unknown
	Bigram      float64  `json:"bigram"` // 0: unknown
}

// SupplySummary is where all minted money is at the end, in rao.
type SupplySummary struct {
	MintedRao      uint64 `json:"minted_rao"`
	FreeRao        uint64 `json:"free_rao"`
	StakedRao      uint64 `json:"staked_rao"`
	UnbondingRao   uint64 `json:"unbonding_rao"`
	PendingRao     uint64 `json:"pending_rao"`
	BurnedRao      uint64 `json:"burned_rao"`
	DustRao        uint64 `json:"dust_rao"`
	UnallocatedRao uint64 `json:"unallocated_rao"`
	FeesRao        uint64 `json:"fees_rao"`       // part of what was burned
	DifferenceRao  int64  `json:"difference_rao"` // the largest over all recorded blocks; 0 is sound
}

// MoneySummary is who got what was minted, in rao over the recorded epochs.
type MoneySummary struct {
	MinersRao     uint64  `json:"miners_rao"`
	ValidatorsRao uint64  `json:"validators_rao"`
	OthersRao     uint64  `json:"others_rao"`          // hotkeys of no node of the scenario
	OwnerRao      *uint64 `json:"owner_rao,omitempty"` // nil: the ledger was not recorded
}

// Summarise reads a run's tables and sums them up over the run's Window.
func Summarise(r *Run) (*Summary, error) {
	f, err := gather(r)
	if err != nil {
		return nil, err
	}
	return f.summary(), nil
}

func (f *findings) summary() *Summary {
	m := &f.run.Manifest
	s := &Summary{
		Name: m.Name, Description: f.wish.Description, Seed: m.Seed, RunDigest: m.RunDigest, Ending: m.Ending(),
		Miners: f.seated(KindMiner), Validators: f.seated(KindValidator), Applications: len(f.callers),
		Blocks: f.span.blocks, Epochs: f.span.epochs, Window: f.span.window, SimulatedSeconds: float64(f.span.ns) / 1e9,
		WallSeconds: m.WallSeconds, Events: m.Events, FLOP: m.FLOP,
		Loss: f.lossSummary(), SubsetLosses: f.subsetLosses(), Mixes: f.mixes(), Correlations: f.correlations(), Groups: f.groups(), Behaviours: f.behaviours(),
		Supply: f.supply(), Course: f.courseSummary(), StakeFirst: f.firstStake.summary(), StakeLast: f.lastStake.summary(), Money: f.moneyByRole(), Dividends: f.dividends(), Copiers: f.returns(),
		Queries: f.querySummary(), Bias: f.bias(), Routing: f.routing(), Choice: f.choices(), Abilities: f.abilities(),
		Use: f.use(), Asked: f.askings(), Seats: f.seats(), Faults: f.faults,
	}
	for _, e := range f.wish.Expect {
		s.Expectations = append(s.Expectations, e.Judge(m, s))
	}
	s.Warnings = f.warnings()
	return s
}

// seated counts the nodes of a kind that held a seat at the end.
func (f *findings) seated(kind string) int {
	n := 0
	for _, node := range f.nodes {
		if node.Kind == kind && node.HasUID {
			n++
		}
	}
	return n
}

func (f *findings) lossSummary() *LossSummary {
	var first, last, base []float64
	for _, m := range f.miners {
		if !m.measured {
			continue
		}
		first, last = append(first, m.first), append(last, m.loss)
		if b, ok := f.baseLoss(m.node); ok {
			base = append(base, b)
		}
	}
	median, ok := medianInterval(last)
	if !ok {
		return nil
	}
	s := &LossSummary{
		Miners: len(last), FirstMedian: Median(first), Median: median,
		Low: Quantile(0.25, last), High: Quantile(0.75, last),
		Bigram: f.run.Manifest.Anchors.BigramLoss,
	}
	if len(base) > 0 {
		s.Base = Median(base)
	}
	return s
}

func (f *findings) baseLoss(n Node) (float64, bool) {
	for _, b := range f.run.Manifest.Anchors.Bases {
		if b.Width == n.Width && b.Layers == n.Layers {
			return b.Loss, true
		}
	}
	return 0, false
}

// shape names a model's size as tables and figures show it.
func shape(n Node) string { return fmt.Sprintf("%dx%d", n.Width, n.Layers) }

// number is a value that may be missing: nil for NaN.
func number(v float64) *float64 {
	if !finite(v) {
		return nil
	}
	return &v
}

func (f *findings) supply() *SupplySummary {
	if f.ledgerRows == 0 {
		return nil
	}
	t := f.totals.last
	return &SupplySummary{
		MintedRao: t.MintedRao, FreeRao: t.FreeRao, StakedRao: t.StakedRao, UnbondingRao: t.UnbondingRao,
		PendingRao: t.PendingRao, BurnedRao: t.BurnedRao, DustRao: t.DustRao, UnallocatedRao: t.UnallocatedRao,
		FeesRao:       t.FeesRao,
		DifferenceRao: f.worstRao,
	}
}

// moneyByRole divides the epochs' payments among the roles. The owner's part is not in any row of an
// epoch, but in the ledger's account of all money, except in runs of the first release.
func (f *findings) moneyByRole() *MoneySummary {
	if f.span.epochs == 0 {
		return nil
	}
	s := &MoneySummary{OthersRao: f.toOthers}
	for _, m := range f.miners {
		s.MinersRao += m.emission
	}
	for _, v := range f.validators {
		s.ValidatorsRao += v.emission
	}
	if f.ledgerRows > 0 && f.run.Manifest.Format != firstFormat {
		owner := f.totals.last.OwnerRao
		s.OwnerRao = &owner
	}
	return s
}

func (f *findings) askings() []AskedSummary {
	if !f.queries.seen {
		return nil
	}
	out := make([]AskedSummary, len(f.miners))
	for i, m := range f.miners {
		out[i] = AskedSummary{m.node.Index, m.node.Name, m.party.name, m.fate.asked, m.fate.answered, m.gap}
	}
	return out
}

// AskedSummary counts the questions that one miner was asked, whichever seats it held.
type AskedSummary struct {
	Node      int    `json:"node"`
	Name      string `json:"name"`
	Group     string `json:"group"`
	Asked     int    `json:"asked"`
	Answered  int    `json:"answered"`
	GapBlocks uint64 `json:"gap_blocks"` // longest time without being asked, while it held a seat
}

// warnings are the run's own, and what the tables show to be wrong.
func (f *findings) warnings() []string {
	out := slices.Clone(f.run.Manifest.Warnings)
	if ending := f.run.Manifest.Ending(); ending != "" {
		out = append(out, fmt.Sprintf("%s: what is shown ends with block %d", ending, f.span.blocks))
	}
	if f.worstRao != 0 {
		out = append(out, fmt.Sprintf("minted money and the places where it is differ by %d rao", f.worstRao))
	}
	if touch := f.floorTouch(); touch > floorTouchLimit {
		out = append(out, fmt.Sprintf("%s of the scores touch the floor of %v nats per GPT-2-equivalent token, "+
			"below which better answers earn no more: take a harder corpus or smaller models",
			percent(touch), floorLoss))
	}
	if f.run.Manifest.Format == firstFormat {
		out = append(out, "the first release named seats but not nodes: the node that held a seat at the end is credited "+
			"with all that happened to it")
	}
	if f.wish.unreadable {
		out = append(out, "the scenario in "+ManifestFile+" cannot be read: description and expectations are not shown")
	}
	if w := f.span.window; w.Epochs > 0 && w.Epochs < fewest {
		out = append(out, fmt.Sprintf("the window holds %d epochs: too few for intervals over time", w.Epochs))
	}
	return out
}

// floorTouch is the share of scores at or under the floor: counted, or, where no answer was
// recorded, what the manifest says.
func (f *findings) floorTouch() float64 {
	if q := &f.queries; q.fate.answered > 0 {
		return float64(q.floored) / float64(q.fate.answered)
	}
	return f.run.Manifest.Anchors.FloorTouchShare
}

// over is a ratio that is missing where its denominator is not above 0.
func over(a, b float64) float64 {
	if !(b > 0) {
		return math.NaN()
	}
	return a / b
}
