package scenarios

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"

	"taolab/agents/score"
	"taolab/model/base"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/sim/chain"
)

// Work is what a run will compute, estimated from the scenario alone: miners train for their duty
// share of the time and answer every question, nothing is refused or lost. The numbers are floats,
// because what a scenario may ask for does not fit 64 bits.
type Work struct {
	BaseTokens, TrainTokens, ServeTokens, MeasureTokens float64
	FLOP                                                float64
}

// Work estimates the run's tokens and FLOP.
func (f *File) Work() Work {
	var w Work
	for _, shape := range f.shapes() {
		steps := float64(f.Base.Steps)
		w.BaseTokens += float64(steps * float64(f.Base.Rows*shape.Context))
		w.FLOP += float64(steps * float64(shape.TrainFLOP(f.Base.Rows, shape.Context)))
	}
	spanS := float64(f.Time.Hours * 3600)
	questions, tokens := f.questions(spanS)
	served := float64(questions / float64(f.MinerCount()) * tokens)
	measured := float64(float64(f.BlockCount()/f.Evaluation.PeriodBlocks+1) * float64(f.Evaluation.Rows*f.smallestContext()))
	for _, g := range f.Miners {
		if g.Behaviour == "random" {
			continue
		}
		shape := f.shape(g)
		members := float64(g.Count)
		if g.Behaviour == "honest" {
			busy := 0.0 // FLOP that the members' units do in their duty time
			for i := range g.Count {
				busy += float64(float64(spanS*g.Duty.At(i, g.Count)) * float64(g.HardwareMFLOPS.At(i, g.Count)*1e6))
			}
			w.FLOP += busy
			w.TrainTokens += float64(busy / float64(shape.TrainFLOP(g.Rows, g.Context)) * float64(g.Rows*g.Context))
		}
		w.ServeTokens += float64(members * served)
		w.MeasureTokens += float64(members * measured)
		perToken := float64(shape.ForwardFLOP(1, g.Context, true)) / float64(g.Context)
		w.FLOP += float64(members * float64(served*perToken))
		perToken = float64(shape.ForwardFLOP(1, g.Context, false)) / float64(g.Context)
		w.FLOP += float64(members * float64(measured*perToken))
	}
	return w
}

// questions is the number of questions that validators ask, and the mean number of tokens in one.
func (f *File) questions(spanS float64) (count, tokens float64) {
	sum := 0.0
	for _, g := range f.Validators {
		if g.Behaviour != "honest" {
			continue
		}
		n := float64(float64(g.Count*g.Peers) * (spanS / g.StepS))
		count += n
		sum += float64(n * float64(g.Rows*g.Tokens))
	}
	if count == 0 {
		return 0, 0
	}
	return count, sum / count
}

// Probe returns a function that does one training step of the scenario's largest model and
// returns its FLOP: who times it learns how fast this machine is.
func (f *File) Probe() func() int64 {
	shapes := f.shapes()
	if len(shapes) == 0 {
		return func() int64 { return 0 }
	}
	largest := shapes[0]
	for _, shape := range shapes {
		if shape.Params() > largest.Params() {
			largest = shape
		}
	}
	const rows = 8
	model, work, state := lm.New(largest, num.NewStream(0, "probe")), new(lm.Workspace), new(lm.AdamState)
	tokens := make([]uint16, rows*largest.Context)
	for i := range tokens {
		tokens[i] = uint16(i * 7 % largest.Vocab)
	}
	return func() int64 {
		work.Train(model, base.Optimizer(1e-3), state, tokens, tokens, rows, largest.Context)
		return largest.TrainFLOP(rows, largest.Context)
	}
}

// Limit is one protocol limit at this scenario's scale.
type Limit struct {
	Name, Value, Note string
}

// Limits are the chain's parameters as they hold in the run, and the constants of the scoring.
func (f *File) Limits() ([]Limit, error) {
	p, err := f.Params()
	if err != nil {
		return nil, err
	}
	n, miners := f.NeuronCount(), f.MinerCount()
	vocab := f.Corpus.Vocab
	limits := []Limit{
		{"neurons", fmt.Sprint(n), fmt.Sprintf("%d miners, %d validators", miners, n-miners)},
		{"blocks", fmt.Sprint(f.BlockCount()), fmt.Sprintf("one every %g s", f.Time.BlockS)},
		{"rule", string(p.Rule), "era " + f.Chain.Era},
		{"epoch", fmt.Sprintf("every %d blocks", period(p)), fmt.Sprintf("tempo %d, %d epochs in the run", p.TempoBlocks, f.BlockCount()/max(period(p), 1))},
		{"max weight", share(p.MaxWeight), "0.004 of 4,096 neurons, scaled: min(1, 16.384/n)"},
		{"min allowed weights", fmt.Sprint(p.MinAllowedWeights), "1,024 of 4,096 neurons, scaled: n/4"},
		{"validator permits", fmt.Sprint(p.MaxValidators), "one for each validator of the scenario"},
		{"immunity period", fmt.Sprintf("%d blocks", p.ImmunityBlocks), "in a full network the least " + string(p.PruneBy) + " gives way"},
		{"activity cutoff", activityCutoff(p), ""},
		{"weights rate limit", fmt.Sprintf("%d blocks", p.WeightsRateLimitBlocks), ""},
		{"stake threshold", tao(p.StakeThresholdRao), "less does not count"},
		{"kappa", share(p.Kappa), "majority of stake that consensus weight needs"},
		{"bonds moving average", fmt.Sprintf("%.6f", float64(p.BondsMovingAveragePPM)/1e6), "part of the old bonds that an epoch keeps"},
		{"bonds penalty", share(p.BondsPenalty), "0: bonds from raw weights, 1: from clipped weights"},
	}
	if p.LiquidAlpha {
		limits = append(limits, Limit{"liquid alpha", share(p.AlphaLow) + " to " + share(p.AlphaHigh),
			fmt.Sprintf("share of the new bond, steepness %.2f", float64(p.AlphaSteepness)/100)})
	}
	if p.CommitReveal {
		limits = append(limits, Limit{"commit-reveal", fmt.Sprintf("%d epochs later", p.RevealPeriodEpochs), "weights count from their reveal"})
	}
	if p.ServerShare > 0 {
		limits = append(limits, Limit{"server share", share(p.ServerShare), "miners' part of the emission"})
	}
	if p.OwnerCut > 0 {
		limits = append(limits, Limit{"owner cut", share(p.OwnerCut), "goes first to the first member of " + f.Chain.Owner})
	}
	return append(limits,
		Limit{"emission", fmt.Sprintf("%s, %s at first", p.Emission, tao(max(p.RewardRao, p.EmissionFlatRao))),
			fmt.Sprintf("at most %s in all; %d blocks to a halving by height", tao(p.CapRao), p.HalvingBlocks)},
		Limit{"issuance at genesis", tao(f.genesisRao()), "of " + tao(p.CapRao)},
		Limit{"price of a registration", tao(p.BurnRao), "at genesis"},
		Limit{"vocabulary V", fmt.Sprint(vocab), "in place of 50,257 and 50,258"},
		Limit{"largest topk", fmt.Sprint(vocab / 8), "an eighth of V"},
	), nil
}

func share(x uint16) string { return fmt.Sprintf("%.4f", float64(x)/65535) }

func tao(rao uint64) string { return fmt.Sprintf("%.9g TAO", float64(rao)/chain.RaoPerTAO) }

// activityCutoff is how long a silent validator counts.
func activityCutoff(p chain.Params) string {
	if p.ActivityCutoffMilli > 0 {
		return fmt.Sprintf("%.3f tempos", float64(p.ActivityCutoffMilli)/1000)
	}
	return fmt.Sprintf("%d blocks", p.ActivityCutoffBlocks)
}

// period is the number of blocks from one epoch to the next: until 2026 one more than the tempo.
func period(p chain.Params) uint64 {
	if p.EpochDue == chain.DueByHeight {
		return p.TempoBlocks + 1
	}
	return p.TempoBlocks
}

// Scale reads the corpus and returns the constants that its tokens are converted with.
func (f *File) Scale(cache base.Cache) ([]Limit, error) {
	text, err := base.Read(context.Background(), f.source, f.Corpus.Vocab, cache)
	if err != nil {
		return nil, err
	}
	bytesPerToken := text.Store.BytesPerToken()
	return []Limit{
		{"bytes per token", fmt.Sprintf("%.4f", bytesPerToken), "of the standard tokenizer on the scoring text"},
		{"loss scale", fmt.Sprintf("%.4f", score.LossScale(bytesPerToken)), "nats per GPT-2-equivalent token for a nat per token: 3.409 / bytes per token"},
	}, nil
}

// WriteTOML writes the scenario with every key resolved, in the order of the reference, each with
// its unit and meaning when comments is set.
func (sc *Scenario) WriteTOML(w io.Writer, comments bool) error {
	var b strings.Builder
	writeTable(&b, "", reflect.ValueOf(*sc), comments)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeTable(b *strings.Builder, path string, v reflect.Value, comments bool) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if nested(field.Type) {
			continue
		}
		line := fmt.Sprintf("%s = %s", field.Tag.Get("toml"), tomlValue(value))
		switch {
		case value.Kind() != reflect.Pointer:
		case !value.IsNil():
			line = fmt.Sprintf("%s = %s", field.Tag.Get("toml"), tomlValue(value.Elem()))
		case comments:
			line = "# " + field.Tag.Get("toml") + " ="
		default:
			continue
		}
		if comments {
			line = fmt.Sprintf("%-34s # %s", line, field.Tag.Get("doc"))
			if unit := field.Tag.Get("unit"); unit != "" {
				line += " [" + unit + "]"
			}
		}
		b.WriteString(line + "\n")
	}
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		name := joinPath(path, field.Tag.Get("toml"))
		switch {
		case !nested(field.Type):
		case field.Type.Kind() == reflect.Struct:
			fmt.Fprintf(b, "\n[%s]\n", name)
			writeTable(b, name, value, comments)
		default:
			for k := range value.Len() {
				fmt.Fprintf(b, "\n[[%s]]\n", name)
				writeTable(b, name, value.Index(k), comments)
			}
		}
	}
}

// nested tells whether a field is a table or an array of tables.
func nested(t reflect.Type) bool {
	if t == reflect.TypeFor[Span]() {
		return false
	}
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Slice && nested(t.Elem())
}

func tomlValue(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Span:
		return x.String()
	case string:
		return tomlQuote(x)
	case []string:
		quoted := make([]string, len(x))
		for i, word := range x {
			quoted[i] = tomlQuote(word)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case []float64:
		return strings.ReplaceAll(fmt.Sprint(x), " ", ", ")
	case [][]float64:
		rows := make([]string, len(x))
		for i, row := range x {
			rows[i] = strings.ReplaceAll(fmt.Sprint(row), " ", ", ")
		}
		return "[" + strings.Join(rows, ", ") + "]"
	}
	return fmt.Sprint(v.Interface())
}

// tomlQuote writes a basic string. TOML knows fewer escapes than Go.
func tomlQuote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
