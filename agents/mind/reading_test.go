package mind

import (
	"slices"
	"testing"

	"taolab/agents/score"
	"taolab/agents/wire"
	"taolab/sim/host"
)

// phrased is an answer of one phrase a row: a probability that the row's text begins with a token.
func phrased(prob float32, tokens ...uint16) []byte {
	a := wire.NextAnswer{TopK: 1}
	for _, token := range tokens {
		a.Rows = append(a.Rows, score.NextRow{
			Phrases: []score.Phrase{{Prob: prob, Tokens: []uint16{token}}}, Floor: (1 - prob) / 63,
		})
	}
	return wire.EncodeNext(a)
}

func TestAJobReadsEachAnswerForItself(t *testing.T) {
	text := make([]uint16, 2*phraseTokens)
	text[0], text[phraseTokens] = 5, 9
	good, wrong := phrased(0.5, 5, 9), phrased(0.5, 6, 9)
	j := readPhrases{
		answers: []Answer{{[]uint16{0, 1}, good}, {[]uint16{0, 1}, good[:len(good)-1]}, {[]uint16{1}, phrased(0.5, 9)}, {[]uint16{0, 1}, wrong}},
		phrases: text, shape: wire.NextShape{TopK: 1, Vocab: 64},
	}
	if want := readFLOP * int64(len(good)+len(good)-1+len(phrased(0.5, 9))+len(wrong)); j.Work() != want {
		t.Errorf("work %d, want %d: all bytes of all answers", j.Work(), want)
	}
	losses := Losses(j.Run(new(host.Scratch)), len(j.answers))
	if len(losses[0]) != 2 || len(losses[1]) != 0 || len(losses[2]) != 1 || len(losses[3]) != 2 {
		t.Fatalf("losses %v, want those of two rows, none of a cut answer, of one row, of two rows", losses)
	}
	if losses[2][0] != losses[0][1] || losses[3][1] != losses[0][1] || !(losses[3][0] > losses[0][0]) {
		t.Errorf("losses %v, want equal ones of equal rows, and more of a wrong token", losses)
	}
}

func TestAResultThatIsCutSaysNothingOfAnyAnswer(t *testing.T) {
	j := readPhrases{
		answers: []Answer{{[]uint16{0}, phrased(0.5, 0)}},
		phrases: make([]uint16, phraseTokens), shape: wire.NextShape{TopK: 1, Vocab: 64},
	}
	result := j.Run(new(host.Scratch))
	for n := range result {
		if losses := Losses(result[:n], 1); len(losses) != 1 || losses[0] != nil {
			t.Fatalf("losses %v of %d bytes of %d, want none", losses, n, len(result))
		}
	}
	if again := Losses(j.Run(new(host.Scratch)), 1); len(again[0]) != 1 || !slices.Equal(again[0], Losses(result, 1)[0]) {
		t.Errorf("losses %v and %v of the same answer", again, Losses(result, 1))
	}
}
