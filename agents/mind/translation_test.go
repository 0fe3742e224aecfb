package mind

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/token"
	"taolab/sim/host"
)

// A model with other tokens than the standard ones answers in phrases that read as its tokens do, with their
// probabilities, and in first tokens with the sums of these.
func TestAModelOfOtherTokensAnswersInStandardOnes(t *testing.T) {
	text := [][]byte{[]byte(strings.Repeat("the sea and the ship sailed on the sea, and the wind was over the sea. ", 40))}
	standard, err := token.Train(text, 262)
	if err != nil {
		t.Fatal(err)
	}
	own, err := token.Train(text, 280)
	if err != nil {
		t.Fatal(err)
	}
	model := lm.New(lm.Config{Vocab: own.Vocab(), Context: 8, Width: 8, Layers: 1, Heads: 1}, num.NewStream(1, "model"))
	const topK = 12
	server := NewTransformer(TransformerConfig{
		Base: model, TopK: topK, MaxRows: 2, MaxCols: 8, Translation: NewTranslation(standard, own),
	})
	words := "the ship sailed on the sea"
	asked := standard.Encode(nil, []byte(words))

	answer := func(r host.Request) []byte {
		t.Helper()
		q, code := server.Read(r)
		if code == host.Success {
			job, _ := server.Answer(nil, q)
			return job.Run(new(host.Scratch))
		}
		t.Fatalf("refused with %v", code)
		return nil
	}
	shape := wire.NextShape{Rows: 1, TopK: topK, Vocab: standard.Vocab()}
	asked = asked[len(asked)-8:] // no longer than it serves; its own tokens are fewer
	read := own.Encode(nil, standard.Decode(nil, asked))
	probs := new(lm.Workspace).Next(model, read, 1, len(read))
	body := answer(host.Request{Synapse: host.TextCausalLMNext, Dir: host.Forward,
		Body: wire.EncodeNextRequest(wire.NextRequest{Rows: 1, Cols: len(asked), TopK: topK, Tokens: asked})})
	next, err := wire.DecodeNext(body, shape)
	if err != nil {
		t.Fatal(err)
	}
	for _, phrase := range next.Rows[0].Phrases {
		found := false
		for id, p := range probs {
			found = found || p == phrase.Prob && bytes.Equal(own.Bytes(uint16(id)), standard.Decode(nil, phrase.Tokens))
		}
		if !found {
			t.Errorf("phrase %q with %g is not a token of the model", standard.Decode(nil, phrase.Tokens), phrase.Prob)
		}
	}
	body = answer(host.Request{Synapse: host.TextCausalLM, Dir: host.Forward,
		Body: wire.EncodeCausalRequest(wire.CausalRequest{Rows: 1, Cols: len(asked), TopK: topK, Tokens: asked})})
	causal, err := wire.DecodeCausal(body, shape)
	if err != nil {
		t.Fatal(err)
	}
	sums, most := make([]float64, standard.Vocab()), 0.0
	for id, p := range probs {
		first := standard.EndOfText()
		if uint16(id) != own.EndOfText() {
			first = standard.Encode(nil, own.Bytes(uint16(id)))[0]
		}
		sums[first] += float64(p)
		most = max(most, sums[first])
	}
	if got := float64(causal.Rows[0].Probs[0]); math.Abs(got-most) > 1e-5 {
		t.Errorf("the most probable token has %g, want %g", got, most)
	}
	for k, id := range causal.Rows[0].IDs {
		if got := float64(causal.Rows[0].Probs[k]); math.Abs(got-sums[id]) > 1e-5 {
			t.Errorf("token %d has %g, want %g", id, got, sums[id])
		}
	}
}
