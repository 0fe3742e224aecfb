package mind

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/sim/host"
)

func TestTopIsTheHeadOfASortedList(t *testing.T) {
	s := num.NewStream(1, "top")
	var r ranking
	for turn := range 300 {
		vocab := 2 + s.IntN(200)
		k := 1 + s.IntN(vocab-1)
		probs := make([]float32, vocab)
		for i := range probs {
			probs[i] = float32(s.IntN(20)) / 20 // with equals
			if turn%2 == 0 {                    // over many magnitudes, down to what is hardly a number
				probs[i] = float32(math.Ldexp(float64(probs[i]), -s.IntN(150)))
			}
		}
		ids := make([]uint16, vocab)
		for i := range ids {
			ids[i] = uint16(i)
		}
		slices.SortFunc(ids, func(a, b uint16) int {
			return cmp.Or(cmp.Compare(probs[b], probs[a]), cmp.Compare(a, b))
		})
		got := r.top(append(probs, probs...), 2, k)[1]
		if !slices.Equal(got.IDs, ids[:k]) {
			t.Fatalf("top %d of %v: %v, want %v", k, probs, got.IDs, ids[:k])
		}
		for i, id := range got.IDs {
			if got.Probs[i] != probs[id] {
				t.Fatalf("token %d has probability %g, want %g", id, got.Probs[i], probs[id])
			}
		}
	}
}

func TestAJobGivesTheSameBytesOnEveryWorker(t *testing.T) {
	model := smallModel()
	job := predict{&fork{base: model}, asked{host.TextCausalLMNext, wire.Question{Rows: 1, Cols: 4, TopK: 3, Tokens: []uint16{1, 2, 3, 4}}}}
	var used, fresh host.Scratch
	measure{&fork{base: model}, testEvaluation, 1}.Run(&used)
	if a, b := job.Run(&used), job.Run(&fresh); !slices.Equal(a, b) {
		t.Fatalf("a used worker answers %x, a fresh one %x", a, b)
	}
}

func TestAnHonestAnswerDecodesToAProbabilityDistribution(t *testing.T) {
	for _, synapse := range []host.Synapse{host.TextCausalLMNext, host.TextCausalLM} {
		body := predict{&fork{base: smallModel()}, asked{synapse, wire.Question{Rows: 2, Cols: 3, TopK: 8, Tokens: []uint16{1, 2, 3, 4, 5, 6}}}}.Run(&scratch)
		checkAnswer(t, synapse, body, 2, 8)
	}
}

func TestARandomAnswerDecodesToAProbabilityDistribution(t *testing.T) {
	s := num.NewStream(1, "random answers")
	for range 20 {
		for _, synapse := range []host.Synapse{host.TextCausalLMNext, host.TextCausalLM} {
			checkAnswer(t, synapse, randomAnswer(s, asked{synapse, wire.Question{Rows: 2, TopK: 8}}, tinyVocab), 2, 8)
		}
	}
}

// checkAnswer decodes an answer as a strict caller does and adds up each row.
func checkAnswer(t *testing.T, synapse host.Synapse, body []byte, rows, topk int) {
	t.Helper()
	shape := wire.NextShape{Rows: rows, TopK: topk, Vocab: tinyVocab}
	sums := make([]float64, rows)
	if synapse == host.TextCausalLM {
		a, err := wire.DecodeCausal(body, shape)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range a.Rows {
			for _, p := range d.Probs {
				sums[i] += float64(p)
			}
		}
		for i, sum := range sums {
			if !(sum > 0 && sum <= 1.0001) {
				t.Errorf("row %d of synapse %d sums to %g", i, synapse, sum)
			}
		}
		return
	}
	a, err := wire.DecodeNext(body, shape)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range a.Rows {
		sums[i] = float64(r.Floor) * float64(tinyVocab-topk)
		for _, p := range r.Phrases {
			sums[i] += float64(p.Prob)
		}
		if sums[i] < 0.9999 || sums[i] > 1.0001 {
			t.Errorf("row %d sums to %g with its floor, want 1", i, sums[i])
		}
	}
}

const tinyVocab = 264

var scratch host.Scratch

// smallModel runs in microseconds.
func smallModel() *lm.Model {
	shape := lm.Config{Vocab: tinyVocab, Context: 16, Width: 8, Layers: 1, Heads: 1}
	return lm.New(shape, num.NewStream(1, "model"))
}

var testEvaluation = &Evaluation{
	Subsets: []string{"sea"}, Weights: []float64{1}, Rows: 1, Cols: 4,
	Tokens: [][]uint16{{1, 2, 3, 4}}, Targets: [][]uint16{{2, 3, 4, 5}},
}
