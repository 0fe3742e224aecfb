package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"taolab/agents/score"
)

var (
	wireBounds = Bounds{Vocab: 300, Rows: 4, Cols: 8, TopK: 6}
	wireShape  = NextShape{Rows: 2, TopK: 2, Vocab: 300}

	nextRequestBody = EncodeNextRequest(NextRequest{Rows: 2, Cols: 3, TopK: 2, Tokens: []uint16{0, 1, 2, 3, 4, 299}})
	causalRequest1  = EncodeCausalRequest(CausalRequest{Rows: 1, Cols: 2, TopK: 6, Tokens: []uint16{7, 8}})
	hiddenQuestion  = HiddenRequest{Rows: 1, Cols: 2, Tokens: []uint16{7, 8}}
	seq2SeqQuestion = Seq2SeqRequest{Rows: 2, Cols: 1, Generate: 3, Tokens: []uint16{7, 8}}

	nextAnswerValue = NextAnswer{TopK: 2, Rows: []score.NextRow{
		{Phrases: []score.Phrase{{Prob: 0.5, Tokens: []uint16{0}}, {Prob: 0.25, Tokens: []uint16{1, 299}}}, Floor: 0.001},
		{Phrases: []score.Phrase{{Prob: 1, Tokens: []uint16{4, 4, 4}}, {Prob: 0, Tokens: []uint16{9}}}, Floor: 0},
	}}
	causalAnswerValue = CausalAnswer{TopK: 2, Rows: []score.Dist{
		{Probs: []float32{0.5, 0.25}, IDs: []uint16{0, 299}},
		{Probs: []float32{1, 0}, IDs: []uint16{5, 4}},
	}}
	hiddenAnswerValue  = HiddenAnswer{Rows: 1, Cols: 2, Width: 2, States: []float32{-1, 2.5, 0, 1e30}}
	seq2SeqAnswerValue = Seq2SeqAnswer{Rows: [][]uint16{{1, 2, 3}, {}}}
	statedQuestion     = StatedRequest{Subsets: []uint16{2, 0, 1}}
	statedAnswerValue  = StatedAnswer{Losses: []float32{0, 2.5, 1e30}}
	payValue           = []Pay{{"Github", 0.75, 0.5}, {"", 0.25, 0}}

	promptValue = Prompt{MaxTokens: 9, Peers: 3, Mean: true, Temperature: 0.5, TopP: 1, Seed: 7, Text: []byte("The sea")}
	partValue   = PromptPart{HasToken: true, Prob: 0.25, PromptTokens: 4, Token: []byte(" is"), Peers: []PromptPeer{
		{UID: 5, Code: 1, LatencyNs: 1e6, Loss: 1.5}, {UID: 2, Code: 23, LatencyNs: 9, Loss: NoLoss, Reason: "too little stake"},
	}}
)

// decoders decode a body and encode what they found again.
var decoders = map[string]func([]byte) (any, []byte, error){
	"next request": func(b []byte) (any, []byte, error) {
		r, err := DecodeNextRequest(b, wireBounds)
		return r, EncodeNextRequest(r), err
	},
	"causal request": func(b []byte) (any, []byte, error) {
		r, err := DecodeCausalRequest(b, wireBounds)
		return r, EncodeCausalRequest(r), err
	},
	"hidden request": func(b []byte) (any, []byte, error) {
		r, err := DecodeHiddenRequest(b, wireBounds)
		return r, EncodeHiddenRequest(r), err
	},
	"seq2seq request": func(b []byte) (any, []byte, error) {
		r, err := DecodeSeq2SeqRequest(b, wireBounds)
		return r, EncodeSeq2SeqRequest(r), err
	},
	"request for pay": func(b []byte) (any, []byte, error) {
		return nil, EncodePayRequest(), DecodePayRequest(b)
	},
	"pay": func(b []byte) (any, []byte, error) {
		list, err := DecodePay(b)
		if len(list) == 0 {
			return nil, EncodePay(list), err
		}
		return list, EncodePay(list), err
	},
	"next answer": func(b []byte) (any, []byte, error) {
		a, err := DecodeNext(b, wireShape)
		return a, EncodeNext(a), err
	},
	"loose next answer": func(b []byte) (any, []byte, error) {
		shape := wireShape
		shape.LooseRange = true
		a, err := DecodeNext(b, shape)
		return a, EncodeNext(a), err
	},
	"causal answer": func(b []byte) (any, []byte, error) {
		a, err := DecodeCausal(b, wireShape)
		return a, EncodeCausal(a), err
	},
	"hidden answer": func(b []byte) (any, []byte, error) {
		a, err := DecodeHidden(b, hiddenQuestion, 2)
		return a, EncodeHidden(a), err
	},
	"seq2seq answer": func(b []byte) (any, []byte, error) {
		a, err := DecodeSeq2Seq(b, seq2SeqQuestion, 300)
		return a, EncodeSeq2Seq(a), err
	},
	"request for stated losses": func(b []byte) (any, []byte, error) {
		r, err := DecodeStatedRequest(b, 3, 4)
		return r, EncodeStatedRequest(r), err
	},
	"stated losses": func(b []byte) (any, []byte, error) {
		a, err := DecodeStated(b, 3)
		return a, EncodeStated(a), err
	},
	"prompt": func(b []byte) (any, []byte, error) {
		p, err := DecodePrompt(b, 16)
		return p, EncodePrompt(p), err
	},
	"part of a continuation": func(b []byte) (any, []byte, error) {
		p, err := DecodePromptPart(b)
		return p, EncodePromptPart(p), err
	},
}

var bodies = []struct {
	decoder string
	value   any
	body    []byte
}{
	{"next request", NextRequest{Rows: 2, Cols: 3, TopK: 2, Tokens: []uint16{0, 1, 2, 3, 4, 299}}, nextRequestBody},
	{"causal request", CausalRequest{Rows: 1, Cols: 2, TopK: 6, Tokens: []uint16{7, 8}}, causalRequest1},
	{"hidden request", hiddenQuestion, EncodeHiddenRequest(hiddenQuestion)},
	{"seq2seq request", seq2SeqQuestion, EncodeSeq2SeqRequest(seq2SeqQuestion)},
	{"next answer", nextAnswerValue, EncodeNext(nextAnswerValue)},
	{"loose next answer", nextAnswerValue, EncodeNext(nextAnswerValue)},
	{"causal answer", causalAnswerValue, EncodeCausal(causalAnswerValue)},
	{"hidden answer", hiddenAnswerValue, EncodeHidden(hiddenAnswerValue)},
	{"seq2seq answer", seq2SeqAnswerValue, EncodeSeq2Seq(seq2SeqAnswerValue)},
	{"request for stated losses", statedQuestion, EncodeStatedRequest(statedQuestion)},
	{"stated losses", statedAnswerValue, EncodeStated(statedAnswerValue)},
	{"request for pay", nil, EncodePayRequest()},
	{"pay", payValue, EncodePay(payValue)},
	{"prompt", promptValue, EncodePrompt(promptValue)},
	{"part of a continuation", partValue, EncodePromptPart(partValue)},
}

func TestEveryBodyComesBackAsItWas(t *testing.T) {
	for _, c := range bodies {
		got, again, err := decoders[c.decoder](c.body)
		if err != nil {
			t.Errorf("%s: %v", c.decoder, err)
		} else if diff := cmp.Diff(c.value, got); diff != "" || !bytes.Equal(again, c.body) {
			t.Errorf("%s came back changed (-sent +received):\n%s% x\n% x", c.decoder, diff, c.body, again)
		}
	}
}

func TestADecoderRefusesEveryOtherKindAndEveryCutOrLongerBody(t *testing.T) {
	for _, c := range bodies {
		refuse := func(what string, body []byte) {
			t.Helper()
			_, _, err := decoders[c.decoder](body)
			if wrong := (*BodyError)(nil); !errors.As(err, &wrong) {
				t.Errorf("%s: %s: error %v, want a BodyError", c.decoder, what, err)
			}
		}
		for n := range c.body {
			refuse(fmt.Sprintf("cut to %d bytes", n), c.body[:n])
		}
		for extra := 1; extra <= 8; extra++ {
			refuse(fmt.Sprintf("%d zeros longer", extra), append(bytes.Clone(c.body), make([]byte, extra)...))
		}
		for i, problem := range []string{"another version", "another kind"} {
			changed := bytes.Clone(c.body)
			changed[i] += 100
			refuse(problem, changed)
		}
	}
}

// floatsBody is a next answer of the given values for wireShape.
func floatsBody(values ...float32) []byte {
	b := header(nextAnswer, 0, 2, 2)
	for _, x := range values {
		b = appendFloat(b, x)
	}
	return b
}

func TestRefusalsSayWhereAndWhatWasExpected(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		decoder, want string
		body          []byte
	}{
		{"next request", "byte 8: dimensions 9, 3 and 2, expected 1 to 4, 1 to 8 and 1 to 6",
			EncodeNextRequest(NextRequest{Rows: 9, Cols: 3, TopK: 2})},
		{"next request", "dimensions 1, 1 and 0", EncodeNextRequest(NextRequest{Rows: 1, Cols: 1, Tokens: []uint16{1}})},
		{"next request", "byte 10: token 300, expected one below the vocabulary's 300",
			EncodeNextRequest(NextRequest{Rows: 1, Cols: 1, TopK: 1, Tokens: []uint16{300}})},
		{"next answer", "byte 6: 5 records, expected 6: 2 phrases and a floor for each of 2 rows",
			floatsBody(.5, 2, .5, 2, 0, .5, 2, .5)},
		{"next answer", "1 rows of 2, expected 2 of 2", header(nextAnswer, 0, 1, 2)},
		{"next answer", "2, expected a probability to start a record", floatsBody(2, .5, .5, 2, 0, .5, 2, .5, 0)},
		{"next answer", "phrase 0 of row 0 has no token", floatsBody(.5, .5, 2, 0, .5, 2, .5, 2, 0)},
		{"next answer", "the floor of row 0 has 1 tokens", floatsBody(.5, 2, .5, 2, 0, 2, .5, 2, .5, 2, 0)},
		{"next answer", "2.5, expected a probability or a token from 2 to 301", floatsBody(.5, 2.5, .5, 2, 0, .5, 2, .5, 2, 0)},
		{"next answer", "302, expected", floatsBody(.5, 302, .5, 2, 0, .5, 2, .5, 2, 0)},
		{"next answer", "NaN, expected", floatsBody(.5, nan, .5, 2, 0, .5, 2, .5, 2, 0)},
		{"next answer", "+Inf, expected", floatsBody(.5, inf, .5, 2, 0, .5, 2, .5, 2, 0)},
		{"next answer", "-0.5, expected", floatsBody(.5, 2, .5, 2, 0, .5, 2, .5, 2, 0, -0.5)},
		{"loose next answer", "-Inf, expected", floatsBody(.5, 2, -inf, .5, 2, 0, .5, 2, .5, 2, 0)},
		{"causal answer", "byte 10: 1.5 is not a probability",
			EncodeCausal(CausalAnswer{2, []score.Dist{{Probs: []float32{1.5, 0}, IDs: []uint16{1, 2}}, causalAnswerValue.Rows[1]}})},
		{"causal answer", "token 7 is named twice in row 0",
			EncodeCausal(CausalAnswer{2, []score.Dist{{Probs: []float32{0.5, 0}, IDs: []uint16{7, 7}}, causalAnswerValue.Rows[1]}})},
		{"hidden answer", "NaN, expected a finite number", EncodeHidden(HiddenAnswer{1, 2, 2, []float32{0, 0, nan, 0}})},
		{"hidden answer", "1 rows of 2 states 3 long, expected 1, 2 and 2", EncodeHidden(HiddenAnswer{1, 2, 3, nil})},
		{"seq2seq answer", "row 1 has 4 tokens, asked were at most 3", EncodeSeq2Seq(Seq2SeqAnswer{[][]uint16{{}, {1, 2, 3, 4}}})},
		{"request for stated losses", "row 1 is of subset 3, expected one below 3", EncodeStatedRequest(StatedRequest{[]uint16{0, 3}})},
		{"request for stated losses", "0 rows, expected 1 to 4", EncodeStatedRequest(StatedRequest{})},
		{"request for stated losses", "5 rows, expected 1 to 4", EncodeStatedRequest(StatedRequest{make([]uint16, 5)})},
		{"stated losses", "losses of 2 rows, expected 3", EncodeStated(StatedAnswer{make([]float32, 2)})},
		{"stated losses", "a loss of NaN on row 1", EncodeStated(StatedAnswer{[]float32{0, nan, 0}})},
		{"stated losses", "a loss of -1 on row 2", EncodeStated(StatedAnswer{[]float32{0, 0, -1}})},
		{"stated losses", "a loss of +Inf on row 0", EncodeStated(StatedAnswer{[]float32{inf, 0, 0}})},
		{"prompt", "17 tokens of 0 peers, combined by 0; expected 1 to 16", EncodePrompt(Prompt{MaxTokens: 17, TopP: 1})},
		{"prompt", "temperature NaN and share 1", EncodePrompt(Prompt{MaxTokens: 1, Temperature: nan, TopP: 1})},
		{"prompt", "temperature 0 and share 0", EncodePrompt(Prompt{MaxTokens: 1})},
		{"prompt", "a text of 32769 bytes, expected at most 32768",
			EncodePrompt(Prompt{MaxTokens: 1, TopP: 1, Text: make([]byte, MaxPromptBytes+1)})},
		{"part of a continuation", "a loss of NaN", EncodePromptPart(PromptPart{Peers: []PromptPeer{{Loss: nan}}})},
		{"part of a continuation", "end 4, token flag 0", EncodePromptPart(PromptPart{Finish: 4})},
		{"part of a continuation", "2 is not a probability", EncodePromptPart(PromptPart{Prob: 2})},
	} {
		_, _, err := decoders[c.decoder](c.body)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), " refused at byte ") {
			t.Errorf("%s: error %v\nwant one with %q", c.decoder, err, c.want)
		}
	}
}

// Negative floors and probabilities above one passed until the range was checked.
func TestAForgeryPassesTheLooseRangeAlone(t *testing.T) {
	forged := floatsBody(1.25, 2, .5, 3, -0.25, .5, 2, .5, 3, 0)
	if _, _, err := decoders["next answer"](forged); err == nil {
		t.Error("the forgery passed")
	}
	a, again, err := decoders["loose next answer"](forged)
	if err != nil || !bytes.Equal(again, forged) {
		t.Errorf("the loose range refused the forgery: %v", err)
	} else if row := a.(NextAnswer).Rows[0]; row.Floor != -0.25 || row.Phrases[0].Prob != 1.25 {
		t.Errorf("the loose range changed the forgery: %+v", row)
	}
}

func TestProbabilitiesAHairOutsideAreClamped(t *testing.T) {
	a, err := DecodeNext(floatsBody(1+5e-7, 2, -5e-7, 3, -9e-7, .5, 2, .5, 3, 0), wireShape)
	if err != nil {
		t.Fatal(err)
	}
	if row := a.Rows[0]; row.Phrases[0].Prob != 1 || row.Phrases[1].Prob != 0 || row.Floor != 0 {
		t.Errorf("%+v", row)
	}
}

func TestAShortBodyThatClaimsMuchCostsLittle(t *testing.T) {
	huge := Bounds{Vocab: 1 << 16, Rows: 1 << 16, Cols: 1 << 16, TopK: 1 << 16}
	shape := NextShape{Rows: math.MaxUint16, TopK: math.MaxUint16, Vocab: 1 << 16}
	body := func(k kind, dimensions ...int) []byte { return append(header(k, 0, dimensions...), 1, 2, 3, 4) }
	const most = math.MaxUint16
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i, err := range []error{
		second(DecodeNextRequest(body(nextRequest, most, most, most), huge)),
		second(DecodeCausalRequest(body(causalRequest, most, most, most), huge)),
		second(DecodeHiddenRequest(body(hiddenRequest, most, most), huge)),
		second(DecodeSeq2SeqRequest(body(seq2SeqRequest, most, most, most), huge)),
		second(DecodeNext(body(nextAnswer, most, most), shape)),
		second(DecodeCausal(body(causalAnswer, most, most), shape)),
		second(DecodeHidden(body(hiddenAnswer, most, most, most), HiddenRequest{Rows: most, Cols: most}, most)),
		second(DecodeSeq2Seq(body(seq2SeqAnswer, most), Seq2SeqRequest{Rows: most, Generate: most}, most)),
		second(DecodeStatedRequest(body(statedRequest, most), most, most)),
		second(DecodeStated(body(statedAnswer, most), most)),
		second(DecodePrompt(body(promptRequest, 1, 1, 1, most), most)),
		second(DecodePromptPart(body(promptPart, 0, 1, most, MaxPromptPeers))),
	} {
		if err == nil {
			t.Errorf("body %d was accepted", i)
		}
	}
	runtime.ReadMemStats(&after)
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 1<<16 {
		t.Errorf("a dozen short bodies cost %d bytes of memory", cost)
	}
}

func second[T any](_ T, err error) error { return err }

// fuzzDecoder checks that a decoder never panics and that whatever it accepts survives a round trip.
func fuzzDecoder(f *testing.F, name string) {
	for _, c := range bodies {
		if c.decoder == name {
			f.Add(c.body)
		}
	}
	decode := decoders[name]
	f.Fuzz(func(t *testing.T, body []byte) {
		value, again, err := decode(body)
		if err != nil {
			return
		}
		value2, again2, err := decode(again)
		if err != nil || !cmp.Equal(value, value2) || !bytes.Equal(again, again2) || len(again) != len(body) {
			t.Fatalf("% x\nbecame % x: %v\n%s", body, again, err, cmp.Diff(value, value2))
		}
	})
}

func FuzzDecodeNextRequest(f *testing.F)    { fuzzDecoder(f, "next request") }
func FuzzDecodeCausalRequest(f *testing.F)  { fuzzDecoder(f, "causal request") }
func FuzzDecodeHiddenRequest(f *testing.F)  { fuzzDecoder(f, "hidden request") }
func FuzzDecodeSeq2SeqRequest(f *testing.F) { fuzzDecoder(f, "seq2seq request") }
func FuzzDecodeNext(f *testing.F)           { fuzzDecoder(f, "next answer") }
func FuzzDecodeNextLoose(f *testing.F)      { fuzzDecoder(f, "loose next answer") }
func FuzzDecodeCausal(f *testing.F)         { fuzzDecoder(f, "causal answer") }
func FuzzDecodeHidden(f *testing.F)         { fuzzDecoder(f, "hidden answer") }
func FuzzDecodeSeq2Seq(f *testing.F)        { fuzzDecoder(f, "seq2seq answer") }
func FuzzDecodeStatedRequest(f *testing.F)  { fuzzDecoder(f, "request for stated losses") }
func FuzzDecodeStated(f *testing.F)         { fuzzDecoder(f, "stated losses") }
func FuzzDecodePrompt(f *testing.F)         { fuzzDecoder(f, "prompt") }
func FuzzDecodePromptPart(f *testing.F)     { fuzzDecoder(f, "part of a continuation") }

func ExampleEncodeNext() {
	body := EncodeNext(NextAnswer{TopK: 1, Rows: []score.NextRow{
		{Phrases: []score.Phrase{{Prob: 0.75, Tokens: []uint16{10, 11}}}, Floor: 0.001},
	}})
	for b := body[6:]; len(b) > 0; b = b[4:] {
		fmt.Print(math.Float32frombits(binary.LittleEndian.Uint32(b)), " ")
	}
	answer, err := DecodeNext(body, NextShape{Rows: 1, TopK: 1, Vocab: 300})
	fmt.Println(answer.Rows[0].Phrases[0].Tokens, err)
	// Output: 0.75 12 13 0.001 [10 11] <nil>
}
