package checkpoint

import (
	"encoding/json"
	"math"
	"os/exec"
	"slices"
	"testing"

	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/token"
)

// TestAnIndependentReaderComesToTheSameProbabilities lets testdata/gpt2.py, which shares nothing with
// this program, read a folder, cut a text into tokens and predict.
func TestAnIndependentReaderComesToTheSameProbabilities(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed, and the reader is written in it")
	}
	const text = "The cat sees 12 dogs, and the dog's cat sees them all."
	tokenizer, err := token.Train([][]byte{[]byte("the cat sees the dog and the dog sees the cat")}, 270)
	if err != nil {
		t.Fatal(err)
	}
	config := lm.Config{Vocab: 270, Context: 64, Width: 16, Layers: 2, Heads: 2}
	m := lm.New(config, num.NewStream(1, "reader"))
	s := num.NewStream(2, "reader")
	for i := range m.Weights { // far from where everything is alike
		m.Weights[i] += float32(0.2 * s.Normal())
	}
	folder := t.TempDir()
	if err := (&Checkpoint{Model: m, Tokenizer: tokenizer}).Save(folder); err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command(python, "testdata/gpt2.py", folder, text).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	var read struct {
		Tokens        []uint16
		Probabilities [][]float64
	}
	if err := json.Unmarshal(output, &read); err != nil {
		t.Fatal(err)
	}
	tokens := tokenizer.Encode(nil, []byte(text))
	if !slices.Equal(tokens, read.Tokens) {
		t.Fatalf("tokens %v, the reader has %v", tokens, read.Tokens)
	}
	var work lm.Workspace
	probs := work.Probs(m, tokens, 1, len(tokens))
	worst := 0.0
	for i, row := range read.Probabilities {
		for j, want := range row {
			worst = max(worst, math.Abs(float64(probs[i*config.Vocab+j])-want)/want)
		}
	}
	if worst > 1e-4 {
		t.Errorf("a probability is %.2g of itself away from the reader's", worst)
	}
	t.Logf("largest relative difference of %d probabilities: %.2g", len(probs), worst)
}
