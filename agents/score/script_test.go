package score

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	_ "taolab/model/golden" // the flag -update
	"taolab/model/num"
)

// TestScripts runs the worked examples in testdata: each command is a function of this file.
func TestScripts(t *testing.T) {
	commands := map[string]func(*testing.T, *datadriven.TestData) string{
		"parameters": parametersCommand, "phrase": phraseCommand, "next-token": nextTokenCommand,
		"shapley": shapleyCommand, "limit-shares": limitCommand, "limit-ratio": limitCommand,
		"u16": rowCommand, "average": averageCommand, "rotation": rotationCommand,
		"weights": weightsCommand, "epoch-over": epochCommand, "market": marketCommand,
	}
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "fuzz") {
			return
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			run := commands[d.Cmd]
			if run == nil {
				d.Fatalf(t, "unknown command %q", d.Cmd)
			}
			return run(t, d)
		})
	})
}

func floats(t *testing.T, d *datadriven.TestData, text string) []float64 {
	t.Helper()
	var x []float64
	for _, f := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,\n", r) }) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		x = append(x, v)
	}
	return x
}

func tokens(t *testing.T, d *datadriven.TestData, text string) []uint16 {
	t.Helper()
	var ids []uint16
	for _, v := range floats(t, d, text) {
		ids = append(ids, uint16(v))
	}
	return ids
}

func joined(x []float64, format string) string {
	words := make([]string, len(x))
	for i, v := range x {
		words[i] = fmt.Sprintf(format, v)
	}
	return strings.Join(words, " ") + "\n"
}

func parametersCommand(t *testing.T, d *datadriven.TestData) string {
	var b strings.Builder
	p := Powers{LossScale: 1}
	for _, loss := range floats(t, d, d.Input) {
		p.Base = 0.6
		at6 := p.BaseScore(loss)
		p.Base = 0.5
		fmt.Fprintf(&b, "%.2f: N %.3g, N^0.5 %.4g, N^0.6 %.4g, route %.3f\n",
			loss, num.Exp(logParameters(loss)), p.BaseScore(loss), at6, p.RoutingTarget(loss))
	}
	return b.String()
}

// phraseCommand reads a floor, a target and phrases, one "probability: tokens" a line.
func phraseCommand(t *testing.T, d *datadriven.TestData) string {
	var target string
	var vocab, topk int
	var floor float64
	var row NextRow
	d.ScanArgs(t, "vocab", &vocab)
	d.ScanArgs(t, "topk", &topk)
	for line := range strings.Lines(d.Input) {
		head, rest, _ := strings.Cut(line, ":")
		switch head {
		case "target":
			target = rest
		case "floor":
			over, under, ok := strings.Cut(strings.TrimSpace(rest), "/")
			floor = floats(t, d, over)[0]
			if ok {
				floor /= floats(t, d, under)[0]
			}
		default:
			row.Phrases = append(row.Phrases, Phrase{float32(floats(t, d, head)[0]), tokens(t, d, rest)})
		}
	}
	row.Floor = float32(floor)
	l := PhraseLosses([]NextRow{row}, tokens(t, d, target), vocab, topk)[0]
	return fmt.Sprintf("first %.6f, phrase %.6f\n", l.First, l.Phrase)
}

func nextTokenCommand(t *testing.T, d *datadriven.TestData) string {
	var vocab, target int
	d.ScanArgs(t, "vocab", &vocab)
	d.ScanArgs(t, "target", &target)
	var dist Dist
	for line := range strings.Lines(d.Input) {
		x := floats(t, d, strings.ReplaceAll(line, ":", " "))
		dist.Probs, dist.IDs = append(dist.Probs, float32(x[0])), append(dist.IDs, uint16(x[1]))
	}
	return fmt.Sprintf("%.6f\n", NextTokenLoss(dist, uint16(target), vocab))
}

// shapleyCommand reads one "uid: losses by row" a line.
func shapleyCommand(t *testing.T, d *datadriven.TestData) string {
	p := Powers{Base: 0.5, Synergy: 0.5, LossScale: 1, SynergySum: d.HasArg("sum")}
	if d.HasArg("scale") {
		var text string
		d.ScanArgs(t, "scale", &text)
		p.LossScale = floats(t, d, text)[0]
	}
	var answers []Answer
	for line := range strings.Lines(d.Input) {
		uid, losses, _ := strings.Cut(line, ":")
		answers = append(answers, Answer{tokens(t, d, uid)[0], floats(t, d, losses)})
	}
	var b strings.Builder
	for _, c := range Shapley(answers, p) {
		fmt.Fprintf(&b, "%d: loss %.6f, base %.3f, synergy %.3f, shapley %.3f, synergy loss %.6f\n",
			c.UID, c.Loss, c.Base, c.Synergy, c.Shapley(), c.SynergyLoss)
	}
	for _, q := range pairs(usable(answers), p) {
		fmt.Fprintf(&b, "%d+%d: expected %.6f, measured %.6f, share %.3f\n", q.A, q.B, q.Expected, q.Measured, q.Share)
	}
	return b.String()
}

func limitCommand(t *testing.T, d *datadriven.TestData) string {
	var text string
	d.ScanArgs(t, "limit", &text)
	limit := floats(t, d, text)[0]
	if d.Cmd == "limit-ratio" {
		return joined(LimitRatio(floats(t, d, d.Input), limit), "%.7f")
	}
	return joined(LimitShares(floats(t, d, d.Input), limit), "%.7f")
}

func rowCommand(t *testing.T, d *datadriven.TestData) string {
	x := floats(t, d, d.Input)
	x = scaled(x, sum(x))
	var shares []WeightShare
	for uid, v := range x {
		shares = append(shares, WeightShare{uint16(uid), v})
	}
	most := 65535
	d.MaybeScanArgs(t, "max", &most)
	uids, values := U16(shares, uint16(most))
	return fmt.Sprintf("uids %v values %v\n", uids, values)
}

func averageCommand(t *testing.T, d *datadriven.TestData) string {
	var b strings.Builder
	var zeroing, plain Average
	for i, x := range floats(t, d, d.Input) {
		zeroing.ObserveFromZero(x, Smoothing)
		plain.Observe(x, Smoothing)
		fmt.Fprintf(&b, "%d: from zero %.4f of %d, plain %.4f of %d\n",
			i+1, zeroing.Value, zeroing.Updates, plain.Value, plain.Updates)
	}
	return b.String()
}

// ascending is the uids below n.
func ascending(n int) []uint16 {
	uids := make([]uint16, n)
	for i := range uids {
		uids[i] = uint16(i)
	}
	return uids
}

func rotationCommand(t *testing.T, d *datadriven.TestData) string {
	var name string
	var n, k int
	d.ScanArgs(t, "era", &name)
	d.ScanArgs(t, "n", &n)
	d.ScanArgs(t, "k", &k)
	era, err := EraNamed(name)
	if err != nil {
		return err.Error() + "\n"
	}
	r, s := Rotation{Selection: era.Selection}, num.NewStream(1, "rotation")
	uids := ascending(n)
	var b strings.Builder
	for step := range strings.FieldsSeq(d.Input) {
		if step == "epoch" {
			r.StartEpoch()
			fmt.Fprintf(&b, "epoch\n")
			continue
		}
		if gone, ok := strings.CutPrefix(step, "gone="); ok {
			i := slices.Index(uids, tokens(t, d, gone)[0])
			uids = slices.Delete(uids, i, i+1)
			continue
		}
		fmt.Fprintf(&b, "%v, %d left\n", r.Next(uids, k, s), r.Left())
	}
	return b.String()
}

// weightsCommand reads one "uid score [quiet|unasked]" a line.
func weightsCommand(t *testing.T, d *datadriven.TestData) string {
	in := WeightInput{Stream: num.NewStream(1, "weights")}
	var name, text string
	d.ScanArgs(t, "era", &name)
	d.ScanArgs(t, "min", &in.MinAllowed)
	if d.MaybeScanArgs(t, "max", &text) {
		in.MaxShare = floats(t, d, text)[0]
	}
	var err error
	if in.Era, err = EraNamed(name); err != nil {
		return err.Error() + "\n"
	}
	for line := range strings.Lines(d.Input) {
		words := strings.Fields(line)
		c := Candidate{UID: tokens(t, d, words[0])[0], Score: floats(t, d, words[1])[0]}
		if len(words) == 3 {
			c.Standing = map[string]Standing{"quiet": Quiet, "unasked": Unasked}[words[2]]
		}
		in.Candidates = append(in.Candidates, c)
	}
	var b strings.Builder
	for _, w := range Weights(in) {
		fmt.Fprintf(&b, "%d %.7f\n", w.UID, w.Share)
	}
	return b.String()
}

// epochCommand reads one "blocks seconds all-seen" a line, for an epoch of 250 blocks of 12 s.
func epochCommand(t *testing.T, d *datadriven.TestData) string {
	var b strings.Builder
	for line := range strings.Lines(d.Input) {
		var at Elapsed
		if _, err := fmt.Sscan(line, &at.Blocks, &at.Ns, &at.AllSeen); err != nil {
			d.Fatalf(t, "%v", err)
		}
		at.Ns *= 1e9
		fmt.Fprint(&b, strings.TrimSpace(line), ":")
		for _, e := range Eras() {
			fmt.Fprintf(&b, " %s %v", e.Name, e.EpochOver(at, 250, 12e9))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// marketCommand reads the history of a uid, one question a line: "0 answers 1=2.5 0=3" is an answer with two
// rows, the first of subset 1 and a loss of 2.5; "0 silent" is none.
func marketCommand(t *testing.T, d *datadriven.TestData) string {
	var m Market
	demand := floats(t, d, strings.Join(args(d, "demand"), " "))
	if alpha := args(d, "alpha"); alpha != nil {
		m.Alpha = floats(t, d, alpha[0])[0]
	}
	for line := range strings.Lines(d.Input) {
		words := strings.Fields(line)
		uid := tokens(t, d, words[0])[0]
		switch words[1] {
		case "answers":
			var losses []float64
			var subsets []uint16
			for _, row := range words[2:] {
				subset, loss, _ := strings.Cut(row, "=")
				subsets, losses = append(subsets, tokens(t, d, subset)[0]), append(losses, floats(t, d, loss)[0])
			}
			m.Answered(uid, losses, subsets)
		case "silent":
			m.Silent(uid)
		case "forgets":
			m.Forget(uid)
		default:
			d.Fatalf(t, "uid %d does what: %s", uid, line)
		}
	}
	served := slices.Repeat([]float64{1}, len(m.supplies))
	if given := args(d, "served"); given != nil {
		served = floats(t, d, strings.Join(given, " "))
	}
	pay := m.Pay(demand, served, Powers{Base: 0.5, LossScale: 1})
	var b strings.Builder
	for uid := range served {
		own := pay[uid*len(demand) : (uid+1)*len(demand)]
		fmt.Fprintf(&b, "%d: %s, together %.6f\n", uid, strings.TrimSpace(joined(own, "%.6f")), sum(own))
	}
	return b.String()
}

// args are the values of an argument of a command; nil without it.
func args(d *datadriven.TestData, name string) []string {
	for _, a := range d.CmdArgs {
		if a.Key == name {
			return a.Vals
		}
	}
	return nil
}
