package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"taolab/sim/trace"
)

// MetricFamily describes metrics whose names differ in a word or two: those in braces stand for the
// names of a run's groups, behaviours, shapes, miners, subsets or faults.
type MetricFamily struct {
	Name string // such as incentive.{behaviour}.ratio
	Unit string
	Doc  string

	Interval bool          // it has companions NAME.low and NAME.high, the ends of its 95 % interval
	Last     bool          // it has a companion NAME.last, the value at the last epoch only
	Needs    []trace.Table // without which no run has it
}

// What families need.
var (
	epochs       = []trace.Table{trace.Epochs}
	training     = []trace.Table{trace.Training}
	learned      = []trace.Table{trace.Epochs, trace.Training}
	asked        = []trace.Table{trace.Queries}
	answered     = []trace.Table{trace.Answers}
	requested    = []trace.Table{trace.Applications}
	decided      = []trace.Table{trace.Decisions}
	accounted    = []trace.Table{trace.Ledger}
	minted       = []trace.Table{trace.Blocks}
	paidAndMined = []trace.Table{trace.Epochs, trace.Ledger}
	yearly       = []trace.Table{trace.Epochs, trace.Ledger, trace.Blocks}
)

// families lists every metric, by topic.
var families = []MetricFamily{
	{Name: "run.miners", Unit: "neurons", Doc: "miners that hold a seat at the end"},
	{Name: "run.validators", Unit: "neurons", Doc: "validators that hold a seat at the end"},
	{Name: "run.applications", Unit: "nodes", Doc: "applications"},
	{Name: "run.blocks", Unit: "blocks", Doc: "height at the end"},
	{Name: "run.epochs", Unit: "epochs", Doc: "epochs that were recorded"},
	{Name: "run.events", Unit: "events", Doc: "events that the world handled"},
	{Name: "run.flop", Unit: "FLOP", Doc: "arithmetic of all compute jobs"},
	{Name: "run.simulated_seconds", Unit: "s", Doc: "simulated time"},
	{Name: "run.wall_seconds", Unit: "s", Doc: "time that the run took"},
	{Name: "window.epochs", Unit: "epochs", Doc: "recorded epochs in the window over which statistics are taken", Needs: epochs},

	{Name: "loss.median", Unit: "nats/token", Doc: "median over miners of the held-out loss at their last measurement", Interval: true, Needs: training},
	{Name: "loss.first", Unit: "nats/token", Doc: "median over miners of the held-out loss at their first measurement", Needs: training},
	{Name: "loss.q25", Unit: "nats/token", Doc: "lower quartile of the held-out losses at the end", Needs: training},
	{Name: "loss.q75", Unit: "nats/token", Doc: "upper quartile of the held-out losses at the end", Needs: training},
	{Name: "loss.base", Unit: "nats/token", Doc: "median over miners of the loss of the base model of their shape", Needs: training},
	{Name: "loss.bigram", Unit: "nats/token", Doc: "loss of a model of bigrams", Needs: training},
	{Name: "loss.subset.{subset}.first", Unit: "nats/token", Doc: "mean over miners of the held-out loss on a subset at their first measurement of it; of one that is appended in mid-run, the first after its hour", Needs: training},
	{Name: "loss.subset.{subset}.last", Unit: "nats/token", Doc: "the same at their last measurement", Needs: training},
	{Name: "loss.subset.{subset}.best", Unit: "nats/token", Doc: "least of the miners' last held-out losses on a subset", Needs: training},
	{Name: "loss.subset.{subset}.ratio", Unit: "1", Doc: "loss.subset.{subset}.last over loss.subset.{subset}.first; below 1 where the network learned it", Needs: training},
	{Name: "loss.best", Unit: "nats/token", Doc: "mean over subsets, all alike, of loss.subset.{subset}.best: what somebody reaches who always asks the right miner", Needs: training},
	{Name: "mix.largest.mean", Unit: "share", Doc: "mean over miners whose owners decide on their learning mix of the largest share in it at the end", Needs: decided},
	{Name: "mix.topics", Unit: "subsets", Doc: "subsets that have the largest share in some miner's learning mix at the end", Needs: decided},
	{Name: "loss.{behaviour}.median", Unit: "nats/token", Doc: "median held-out loss at the end of the miners of a behaviour", Needs: learned},

	{Name: "spearman.loss_incentive", Unit: "1", Doc: "Spearman's correlation over all miners of held-out loss and incentive, both means over the window; negative where better models earn more", Interval: true, Last: true, Needs: learned},
	{Name: "spearman.loss_incentive.honest", Unit: "1", Doc: "the same over honest miners", Interval: true, Last: true, Needs: learned},
	{Name: "spearman.loss_incentive.{shape}", Unit: "1", Doc: "the same over honest miners with models of one shape, such as 28x2: width times layers", Interval: true, Last: true, Needs: learned},

	{Name: "incentive.{behaviour}.median", Unit: "share", Doc: "median over the miners of a behaviour of their mean share of the incentive in the window", Interval: true, Last: true, Needs: epochs},
	{Name: "incentive.{behaviour}.ratio", Unit: "1", Doc: "that median over the one of honest miners", Interval: true, Last: true, Needs: epochs},
	{Name: "incentive.{behaviour}.peer_ratio", Unit: "1", Doc: "median over the miners of a behaviour of their incentive over the median of honest miners with a model of the same shape", Interval: true, Last: true, Needs: epochs},

	{Name: "group.{group}.incentive", Unit: "share", Doc: "mean share of the incentive of a member of a group of miners in the window", Interval: true, Last: true, Needs: epochs},
	{Name: "group.{group}.share", Unit: "share", Doc: "part of the incentive of all miners that the group got in the window", Needs: epochs},
	{Name: "group.{group}.loss", Unit: "nats/token", Doc: "median over a group of miners of their mean held-out loss in the window", Interval: true, Needs: training},
	{Name: "group.{group}.bias", Unit: "1", Doc: "median over a group of miners of their mean score over the score of their mean loss, in the window", Needs: asked},
	{Name: "group.{group}.earned_rao", Unit: "rao", Doc: "paid to a group of miners or validators over all recorded epochs", Needs: epochs},
	{Name: "group.{group}.return_ratio", Unit: "1", Doc: "what a group of validators earned over its stake at genesis, over the same of all validators, over all recorded epochs", Needs: epochs},

	{Name: "dividends.{validator}.return", Unit: "1", Doc: "median over the validators of a behaviour of what they earned in all over their stake at genesis", Needs: epochs},
	{Name: "dividends.{validator}.ratio", Unit: "1", Doc: "median earnings per stake of the validators of a behaviour over those of honest ones, in the window", Interval: true, Last: true, Needs: epochs},
	{Name: "dividends.{validator}.ratio.whole", Unit: "1", Doc: "the same over the whole run: dividends.{validator}.return over dividends.honest.return", Needs: epochs},

	{Name: "supply.minted_rao", Unit: "rao", Doc: "genesis money and all emission", Needs: accounted},
	{Name: "supply.free_rao", Unit: "rao", Doc: "on coldkeys at the end", Needs: accounted},
	{Name: "supply.staked_rao", Unit: "rao", Doc: "staked at the end", Needs: accounted},
	{Name: "supply.unbonding_rao", Unit: "rao", Doc: "on its way from hotkeys to coldkeys at the end", Needs: accounted},
	{Name: "supply.pending_rao", Unit: "rao", Doc: "waiting for the next epoch at the end", Needs: accounted},
	{Name: "supply.burned_rao", Unit: "rao", Doc: "burned, by registrations and fees above all", Needs: accounted},
	{Name: "supply.fees_rao", Unit: "rao", Doc: "paid for transactions since genesis, part of burned", Needs: accounted},
	{Name: "supply.dust_rao", Unit: "rao", Doc: "left over by the floors of divisions", Needs: accounted},
	{Name: "supply.unallocated_rao", Unit: "rao", Doc: "emitted by epochs in which nobody was eligible", Needs: accounted},
	{Name: "supply.difference_rao", Unit: "rao", Doc: "largest difference, over all recorded blocks, between minted money and the places where it is; 0 is sound", Needs: accounted},
	{Name: "supply.issuance_rao", Unit: "rao", Doc: "total issuance at the last recorded block", Needs: minted},
	{Name: "supply.{year}.issuance_tao", Unit: "TAO", Doc: "total issuance at the end of a whole year: of the calendar where time.start is set, otherwise counted from genesis", Needs: minted},
	{Name: "supply.{year}.emission_tao", Unit: "TAO", Doc: "minted in that year", Needs: minted},
	{Name: "supply.{year}.inflation", Unit: "share", Doc: "minted in that year over the issuance at its beginning; 0 where that was 0", Needs: minted},
	{Name: "money.{year}.miners_share", Unit: "share", Doc: "part of what was minted in a whole year that miners got, as the recorded epochs of the year divide it", Needs: yearly},
	{Name: "money.{year}.validators_share", Unit: "share", Doc: "the same of validators and of those who nominate them", Needs: yearly},
	{Name: "money.{year}.nominators_share", Unit: "share", Doc: "the part of validators_share that goes to those who nominate, after the take; none where nobody does", Needs: yearly},
	{Name: "money.{year}.owner_share", Unit: "share", Doc: "the same of the network's owner, by the ledger's account", Needs: yearly},
	{Name: "stake.{year}.yield", Unit: "share", Doc: "what stake on validators grew by in a whole year, compounded epoch by epoch", Needs: yearly},
	{Name: "stake.{year}.real_yield", Unit: "share", Doc: "the same in shares of all money: (1 + yield)/(1 + inflation) - 1; none in a year that begins with nothing", Needs: yearly},
	{Name: "emission.last_block", Unit: "block", Doc: "last block that minted anything, counted from 0 as the curve counts: its height less 1; where a later row shows one that mints nothing", Needs: minted},
	{Name: "emission.halvings", Unit: "halvings", Doc: "times that the emission of a block fell to half or less of what it was, as far as the recorded blocks show", Needs: minted},
	{Name: "stake.gini", Unit: "1", Doc: "Gini coefficient of the stake on the seats at the last recorded epoch, seat by seat; 0 where all are equal", Needs: epochs},
	{Name: "stake.gini.first", Unit: "1", Doc: "the same at the first recorded epoch", Needs: epochs},
	{Name: "stake.nakamoto", Unit: "seats", Doc: "fewest seats with more than half of the stake on all seats, at the last recorded epoch", Needs: epochs},
	{Name: "stake.nakamoto.first", Unit: "seats", Doc: "the same at the first recorded epoch", Needs: epochs},
	{Name: "stake.hhi", Unit: "1", Doc: "sum of the squared shares of the seats in their stake, at the last recorded epoch", Needs: epochs},
	{Name: "money.miners_share", Unit: "share", Doc: "part of what the recorded epochs paid to miners and validators that miners got", Needs: epochs},
	{Name: "money.miners_rao", Unit: "rao", Doc: "paid to the scenario's miners over all recorded epochs", Needs: epochs},
	{Name: "money.validators_rao", Unit: "rao", Doc: "paid to the scenario's validators over all recorded epochs", Needs: epochs},
	{Name: "money.others_rao", Unit: "rao", Doc: "paid to hotkeys of no node over all recorded epochs", Needs: epochs},
	{Name: "money.owner_rao", Unit: "rao", Doc: "the owner's cut since genesis, by the ledger's account", Needs: paidAndMined},

	{Name: "query.count", Unit: "questions", Doc: "questions that validators asked", Needs: asked},
	{Name: "query.success", Unit: "share", Doc: "questions with an answer that could be read", Needs: asked},
	{Name: "query.refused", Unit: "share", Doc: "questions that miners turned away", Needs: asked},
	{Name: "query.unanswered", Unit: "share", Doc: "questions that timed out or found no way; no refusals", Needs: asked},
	{Name: "query.latency_s.median", Unit: "s", Doc: "median latency of answers", Needs: asked},
	{Name: "query.latency_s.p95", Unit: "s", Doc: "95 % quantile of the latency of answers", Needs: asked},
	{Name: "query.loss", Unit: "nats/token", Doc: "mean loss of answers", Needs: asked},
	{Name: "query.loss.window", Unit: "nats/token", Doc: "mean loss of answers in the window", Needs: asked},
	{Name: "query.weighted_loss", Unit: "nats/token", Doc: "mean over steps of the answers' loss weighted by the gate's scores", Needs: asked},
	{Name: "query.weighted_loss.window", Unit: "nats/token", Doc: "the same in the window", Needs: asked},
	{Name: "query.floor_touch", Unit: "share", Doc: "answers at or under the floor of the scaling law, 1.69 nats per GPT-2-equivalent token", Needs: asked},
	{Name: "query.bias", Unit: "1", Doc: "median over miners of their mean score over the score of their mean loss, in the window: the scores' bias by Jensen's inequality", Interval: true, Needs: asked},
	{Name: "ask_gap_blocks.max", Unit: "blocks", Doc: "longest time that any miner with a seat went unasked", Needs: asked},
	{Name: "ask_gap_blocks.{miner}", Unit: "blocks", Doc: "longest time that a miner went unasked while it held a seat", Needs: asked},
	{Name: "routing.loss.first", Unit: "1", Doc: "mean squared error of the gate's scores in the first tenth of the time", Needs: asked},
	{Name: "routing.loss.last", Unit: "1", Doc: "mean squared error of the gate's scores in the last tenth of the time", Needs: asked},
	{Name: "routing.specialists", Unit: "share", Doc: "rows of the service lane that reach a miner that trains on their subset by name, in the window", Needs: answered},
	{Name: "routing.specialists.chance", Unit: "share", Doc: "the same if whom to ask were drawn", Needs: answered},
	{Name: "routing.share.{subset}.{group}", Unit: "share", Doc: "rows of a subset that the service lane asks of a group of miners, in the window", Needs: answered},
	{Name: "answers.loss.{subset}.{group}", Unit: "nats/token", Doc: "mean loss of a group of miners on rows of a subset in the scoring lane, in the window", Needs: answered},

	{Name: "application.requests", Unit: "requests", Doc: "requests of applications", Needs: requested},
	{Name: "application.admitted", Unit: "share", Doc: "requests that miners took, of those whose fate is known", Needs: requested},
	{Name: "application.unanswered", Unit: "share", Doc: "requests that timed out or found no way; no refusals", Needs: requested},
	{Name: "application.latency_s.median", Unit: "s", Doc: "median latency of answers", Needs: requested},
	{Name: "application.loss", Unit: "nats/token", Doc: "mean loss of answers", Needs: requested},
	{Name: "application.ensemble_loss", Unit: "nats/token", Doc: "mean over tokens of the loss of the combined answers", Needs: requested},
	{Name: "spearman.stake_admission", Unit: "1", Doc: "Spearman's correlation over applications of stake and share admitted", Interval: true, Needs: requested},
	{Name: "spearman.stake_latency", Unit: "1", Doc: "Spearman's correlation over applications of stake and median latency", Interval: true, Needs: requested},

	{Name: "seats.changes", Unit: "seats", Doc: "times that a seat was taken from its holder", Needs: epochs},
	{Name: "seats.came.{group}", Unit: "seats", Doc: "seats that members of a group took after genesis", Needs: epochs},
	{Name: "seats.pruned.{group}", Unit: "seats", Doc: "seats that were taken from members of a group", Needs: epochs},
	{Name: "faults.{fault}", Unit: "faults", Doc: "faults of a kind", Needs: []trace.Table{trace.Faults}},
}

// faultKinds are the kinds of faults that worlds record.
var faultKinds = []string{
	"begin", "churn", "corrupt", "crash", "disk", "duplicate", "end", "endless", "evict", "heal", "loss", "partition",
	"refused", "restart", "stall", "truncate", "tx_queue", "version", "watchdog",
}

// MetricFamilies lists what the summary of a run may hold, by topic.
func MetricFamilies() []MetricFamily { return slices.Clone(families) }

func familyOf(name string) *MetricFamily {
	for i := range families {
		if families[i].Name == name {
			return &families[i]
		}
	}
	panic("report: no family of metrics is called " + name)
}

var braces = regexp.MustCompile(`\{\w+\}`)

// fill puts words in the place of the braces.
func (f *MetricFamily) fill(words []string) string {
	name := braces.ReplaceAllStringFunc(f.Name, func(string) string {
		word := words[0]
		words = words[1:]
		return word
	})
	if len(words) > 0 {
		panic(fmt.Sprintf("report: %d words too many for %s", len(words), f.Name))
	}
	return name
}

// names lists the family's name and those of its companions for one set of words.
func (f *MetricFamily) names(words []string) []string {
	name := f.fill(words)
	out := []string{name}
	if f.Interval {
		out = append(out, name+".low", name+".high")
	}
	if f.Last {
		out = append(out, name+".last")
	}
	return out
}

// MetricNames lists, sorted, the numbers that the summary of a run with these nodes, recorded tables,
// subsets of text and whole years may have. Which of them it does have depends on what happens in it.
func MetricNames(nodes []Node, recorded []trace.Table, subsets, years []string) []string {
	words := map[string][]string{"{fault}": faultKinds, "{subset}": subsets, "{year}": years, "{validator}": {Honest}}
	add := func(kind, word string) {
		if !slices.Contains(words[kind], word) {
			words[kind] = append(words[kind], word)
		}
	}
	for _, n := range nodes {
		switch n.Kind {
		case KindMiner:
			add("{behaviour}", n.Behaviour)
			if n.Behaviour == Honest {
				add("{shape}", shape(n))
			}
			words["{miner}"] = append(words["{miner}"], n.Name)
		case KindValidator:
			add("{validator}", n.Behaviour)
		}
		add("{group}", n.group())
	}
	var names []string
	for _, f := range families {
		if slices.ContainsFunc(f.Needs, func(t trace.Table) bool { return !slices.Contains(recorded, t) }) {
			continue
		}
		for _, set := range combinations(braces.FindAllString(f.Name, -1), words) {
			names = append(names, f.names(set)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// combinations lists every way to put words in the place of braces.
func combinations(places []string, words map[string][]string) [][]string {
	out := [][]string{nil}
	for _, place := range places {
		var longer [][]string
		for _, set := range out {
			for _, word := range words[place] {
				longer = append(longer, append(slices.Clone(set), word))
			}
		}
		out = longer
	}
	return out
}

// String is the family in a line for people.
func (f MetricFamily) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s (%s): %s", f.Name, f.Unit, f.Doc))
}
