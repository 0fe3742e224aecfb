package wire

import (
	"encoding/binary"
	"fmt"
	"math"

	"taolab/agents/score"
)

const wireVersion = 1

// kind is the second byte of a body.
type kind uint8

const (
	nextRequest kind = iota + 1
	nextAnswer
	causalRequest
	causalAnswer
	hiddenRequest
	hiddenAnswer
	seq2SeqRequest
	seq2SeqAnswer
	statedRequest
	statedAnswer
	payRequest
	payAnswer
	promptRequest
	promptPart
)

func (k kind) String() string {
	return [...]string{
		"body", "next request", "next answer", "causal request", "causal answer",
		"hidden request", "hidden answer", "seq2seq request", "seq2seq answer",
		"request for stated losses", "stated losses", "request for pay", "pay",
		"prompt", "part of a continuation",
	}[k]
}

// BodyError says why a body was refused.
type BodyError struct {
	Body   string // what it should have been
	Offset int    // byte at which it was found out
	Wrong  string // what was wrong and what was expected
}

func (e *BodyError) Error() string {
	return fmt.Sprintf("%s refused at byte %d: %s", e.Body, e.Offset, e.Wrong)
}

// Bounds are what the decoder of a request accepts at most.
type Bounds struct {
	Vocab int // standard vocabulary: ids lie below
	Rows  int
	Cols  int // tokens per row, asked or generated
	TopK  int
}

// NextRequest asks for the TopK most probable phrases after the last position of each row.
type NextRequest struct {
	Rows, Cols, TopK int
	Tokens           []uint16 // Rows*Cols, row by row
}

// NextAnswer answers a NextRequest.
type NextAnswer struct {
	TopK int
	Rows []score.NextRow // each of TopK phrases of at least one token
}

// NextShape is what the answer to a NextRequest or CausalRequest must look like.
type NextShape struct {
	Rows, TopK, Vocab int
	// LooseRange is the check of releases before 3.4.3: any finite value up to 1.5 is taken for a
	// probability, which forgeries live on. Later ones lie within 1e-6 of 0..1 and are clamped.
	LooseRange bool
}

// CausalRequest asks for the TopK most probable tokens after the last position of each row.
type CausalRequest struct {
	Rows, Cols, TopK int
	Tokens           []uint16 // Rows*Cols, row by row
}

// CausalAnswer answers a CausalRequest.
type CausalAnswer struct {
	TopK int
	Rows []score.Dist // each of TopK different tokens
}

// HiddenRequest asks for the last hidden state at every position.
type HiddenRequest struct {
	Rows, Cols int
	Tokens     []uint16 // Rows*Cols, row by row
}

// HiddenAnswer answers a HiddenRequest.
type HiddenAnswer struct {
	Rows, Cols, Width int
	States            []float32 // Rows*Cols*Width
}

// Seq2SeqRequest asks for a continuation of at most Generate tokens per row.
type Seq2SeqRequest struct {
	Rows, Cols, Generate int
	Tokens               []uint16 // Rows*Cols, row by row
}

// Seq2SeqAnswer answers a Seq2SeqRequest: the new tokens of each row.
type Seq2SeqAnswer struct {
	Rows [][]uint16
}

// EncodeNextRequest encodes dimensions and tokens.
func EncodeNextRequest(r NextRequest) []byte {
	return appendTokens(header(nextRequest, 2*len(r.Tokens), r.Rows, r.Cols, r.TopK), r.Tokens)
}

// DecodeNextRequest decodes what EncodeNextRequest wrote.
func DecodeNextRequest(b []byte, most Bounds) (r NextRequest, err error) {
	d, err := openBody(b, nextRequest, &r.Rows, &r.Cols, &r.TopK)
	if err == nil {
		r.Tokens, err = d.question(r.Rows, r.Cols, r.TopK, most.TopK, most)
	}
	return r, err
}

// EncodeCausalRequest encodes dimensions and tokens.
func EncodeCausalRequest(r CausalRequest) []byte {
	return appendTokens(header(causalRequest, 2*len(r.Tokens), r.Rows, r.Cols, r.TopK), r.Tokens)
}

// DecodeCausalRequest decodes what EncodeCausalRequest wrote.
func DecodeCausalRequest(b []byte, most Bounds) (r CausalRequest, err error) {
	d, err := openBody(b, causalRequest, &r.Rows, &r.Cols, &r.TopK)
	if err == nil {
		r.Tokens, err = d.question(r.Rows, r.Cols, r.TopK, most.TopK, most)
	}
	return r, err
}

// EncodeHiddenRequest encodes dimensions and tokens.
func EncodeHiddenRequest(r HiddenRequest) []byte {
	return appendTokens(header(hiddenRequest, 2*len(r.Tokens), r.Rows, r.Cols), r.Tokens)
}

// DecodeHiddenRequest decodes what EncodeHiddenRequest wrote.
func DecodeHiddenRequest(b []byte, most Bounds) (r HiddenRequest, err error) {
	d, err := openBody(b, hiddenRequest, &r.Rows, &r.Cols)
	if err == nil {
		r.Tokens, err = d.question(r.Rows, r.Cols, 1, 1, most)
	}
	return r, err
}

// EncodeSeq2SeqRequest encodes dimensions and tokens.
func EncodeSeq2SeqRequest(r Seq2SeqRequest) []byte {
	return appendTokens(header(seq2SeqRequest, 2*len(r.Tokens), r.Rows, r.Cols, r.Generate), r.Tokens)
}

// DecodeSeq2SeqRequest decodes what EncodeSeq2SeqRequest wrote.
func DecodeSeq2SeqRequest(b []byte, most Bounds) (r Seq2SeqRequest, err error) {
	d, err := openBody(b, seq2SeqRequest, &r.Rows, &r.Cols, &r.Generate)
	if err == nil {
		r.Tokens, err = d.question(r.Rows, r.Cols, r.Generate, most.Cols, most)
	}
	return r, err
}

// idShift keeps token ids apart from probabilities in the compact encoding of a NextAnswer.
const idShift = 2

// EncodeNext encodes the rows as one run of float32: for every phrase its probability and then its
// token ids plus two, and at the end of each row its floor. No lengths are written: values in the
// range of probabilities start a record.
func EncodeNext(a NextAnswer) []byte {
	b := header(nextAnswer, 4*len(a.Rows)*(2*a.TopK+1), len(a.Rows), a.TopK)
	for _, row := range a.Rows {
		for _, q := range row.Phrases {
			b = appendFloat(b, q.Prob)
			for _, id := range q.Tokens {
				b = appendFloat(b, float32(int(id)+idShift))
			}
		}
		b = appendFloat(b, row.Floor)
	}
	return b
}

// NextBytes is how long an answer to a NextRequest is at most that askers keep. Its phrases have phraseTokens
// tokens in the mean, ten times as many as those of a GPT-2 in the tokens of the smallest vocabulary.
func NextBytes(rows, topK int) int {
	const phraseTokens = 64
	return len(header(nextAnswer, 0, rows, topK)) + 4*rows*(topK*(1+phraseTokens)+1)
}

// DecodeNext decodes what EncodeNext wrote.
func DecodeNext(b []byte, want NextShape) (NextAnswer, error) { return new(NextReader).Read(b, want) }

// NextReader decodes one NextAnswer after the other into the same memory.
type NextReader struct {
	rows    []score.NextRow
	phrases []score.Phrase
	ids     []uint16
}

// Read decodes what EncodeNext wrote. The answer is valid until the next call.
func (r *NextReader) Read(b []byte, want NextShape) (NextAnswer, error) {
	d, err := want.open(b, nextAnswer)
	if err != nil {
		return NextAnswer{}, err
	}
	records := want.Rows * (want.TopK + 1)
	starts, err := d.records(want)
	if err != nil {
		return NextAnswer{}, err
	}
	if starts != records {
		return NextAnswer{}, d.wrong("%d records, expected %d: %d phrases and a floor for each of %d rows",
			starts, records, want.TopK, want.Rows)
	}
	values := len(d.rest()) / 4
	r.rows, r.phrases = grow(r.rows, want.Rows), grow(r.phrases, want.Rows*want.TopK)
	r.ids = grow(r.ids, max(0, values-starts))[:0]
	phrases := r.phrases
	for i := range r.rows {
		row := score.NextRow{Phrases: phrases[:want.TopK:want.TopK]}
		phrases = phrases[want.TopK:]
		for k := range row.Phrases {
			q := &row.Phrases[k]
			if q.Prob, q.Tokens, err = d.record(want, &r.ids); err != nil {
				return NextAnswer{}, err
			}
			if len(q.Tokens) == 0 {
				return NextAnswer{}, d.wrong("phrase %d of row %d has no token, expected at least one", k, i)
			}
		}
		var tokens []uint16
		if row.Floor, tokens, err = d.record(want, &r.ids); err != nil {
			return NextAnswer{}, err
		}
		if len(tokens) != 0 {
			return NextAnswer{}, d.wrong("the floor of row %d has %d tokens, expected none", i, len(tokens))
		}
		r.rows[i] = row
	}
	return NextAnswer{TopK: want.TopK, Rows: r.rows}, nil
}

// EncodeCausal encodes for each row its probabilities as float32 and then its ids as uint16.
func EncodeCausal(a CausalAnswer) []byte {
	b := header(causalAnswer, 6*len(a.Rows)*a.TopK, len(a.Rows), a.TopK)
	for _, row := range a.Rows {
		for _, p := range row.Probs {
			b = appendFloat(b, p)
		}
		b = appendTokens(b, row.IDs)
	}
	return b
}

// DecodeCausal decodes what EncodeCausal wrote.
func DecodeCausal(b []byte, want NextShape) (CausalAnswer, error) {
	d, err := want.open(b, causalAnswer)
	if err != nil {
		return CausalAnswer{}, err
	}
	if err := d.left(6 * want.Rows * want.TopK); err != nil {
		return CausalAnswer{}, err
	}
	a := CausalAnswer{TopK: want.TopK, Rows: make([]score.Dist, want.Rows)}
	for i := range a.Rows {
		row := score.Dist{Probs: make([]float32, want.TopK)}
		for k := range row.Probs {
			p, ok := want.prob(d.float())
			if !ok {
				return CausalAnswer{}, d.wrong("%v is not a probability", d.lastFloat())
			}
			row.Probs[k] = p
		}
		if row.IDs, err = d.tokens(want.TopK, want.Vocab); err != nil {
			return CausalAnswer{}, err
		}
		var seen [1 << 16 / 64]uint64
		for _, id := range row.IDs {
			if seen[id/64]>>(id%64)&1 == 1 {
				return CausalAnswer{}, d.wrong("token %d is named twice in row %d, expected different ones", id, i)
			}
			seen[id/64] |= 1 << (id % 64)
		}
		a.Rows[i] = row
	}
	return a, nil
}

// EncodeHidden encodes dimensions and states as float32.
func EncodeHidden(a HiddenAnswer) []byte {
	b := header(hiddenAnswer, 4*len(a.States), a.Rows, a.Cols, a.Width)
	for _, x := range a.States {
		b = appendFloat(b, x)
	}
	return b
}

// DecodeHidden decodes the answer to q, of states that are width long.
func DecodeHidden(b []byte, q HiddenRequest, width int) (a HiddenAnswer, err error) {
	d, err := openBody(b, hiddenAnswer, &a.Rows, &a.Cols, &a.Width)
	if err != nil {
		return HiddenAnswer{}, err
	}
	if a.Rows != q.Rows || a.Cols != q.Cols || a.Width != width {
		return HiddenAnswer{}, d.wrong("%d rows of %d states %d long, expected %d, %d and %d",
			a.Rows, a.Cols, a.Width, q.Rows, q.Cols, width)
	}
	if err := d.left(4 * a.Rows * a.Cols * a.Width); err != nil {
		return HiddenAnswer{}, err
	}
	a.States = make([]float32, a.Rows*a.Cols*a.Width)
	for i := range a.States {
		if a.States[i] = d.float(); !finite(a.States[i]) {
			return HiddenAnswer{}, d.wrong("%v, expected a finite number", a.States[i])
		}
	}
	return a, nil
}

// EncodeSeq2Seq encodes the lengths of the rows as uint16 and then their tokens.
func EncodeSeq2Seq(a Seq2SeqAnswer) []byte {
	b := header(seq2SeqAnswer, 2*len(a.Rows), len(a.Rows))
	for _, row := range a.Rows {
		b = appendSize(b, len(row))
	}
	for _, row := range a.Rows {
		b = appendTokens(b, row)
	}
	return b
}

// DecodeSeq2Seq decodes the answer to q; ids lie below vocab.
func DecodeSeq2Seq(b []byte, q Seq2SeqRequest, vocab int) (Seq2SeqAnswer, error) {
	var rows int
	d, err := openBody(b, seq2SeqAnswer, &rows)
	if err != nil {
		return Seq2SeqAnswer{}, err
	}
	if rows != q.Rows {
		return Seq2SeqAnswer{}, d.wrong("%d rows, expected %d", rows, q.Rows)
	}
	if len(d.rest()) < 2*rows {
		return Seq2SeqAnswer{}, d.wrong("%d bytes left, expected the lengths of %d rows", len(d.rest()), rows)
	}
	lengths, total := make([]int, rows), 0
	for i := range lengths {
		if lengths[i] = int(d.uint16()); lengths[i] > q.Generate {
			return Seq2SeqAnswer{}, d.wrong("row %d has %d tokens, asked were at most %d", i, lengths[i], q.Generate)
		}
		total += lengths[i]
	}
	if err := d.left(2 * total); err != nil {
		return Seq2SeqAnswer{}, err
	}
	a := Seq2SeqAnswer{Rows: make([][]uint16, rows)}
	for i, n := range lengths {
		if a.Rows[i], err = d.tokens(n, vocab); err != nil {
			return Seq2SeqAnswer{}, err
		}
	}
	return a, nil
}

// header starts a body with its dimensions and room for size more bytes.
func header(k kind, size int, dimensions ...int) []byte {
	b := append(make([]byte, 0, 2+2*len(dimensions)+size), wireVersion, byte(k))
	for _, n := range dimensions {
		b = appendSize(b, n)
	}
	return b
}

func appendSize(b []byte, n int) []byte {
	if n < 0 || n > math.MaxUint16 {
		panic(fmt.Sprintf("wire: a dimension of %d does not fit a body, at most %d does", n, math.MaxUint16))
	}
	return binary.LittleEndian.AppendUint16(b, uint16(n))
}

func appendTokens(b []byte, ids []uint16) []byte {
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint16(b, id)
	}
	return b
}

func appendFloat(b []byte, x float32) []byte {
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
}

// decoder walks a body. Its reading methods are for bytes whose presence was checked.
type decoder struct {
	kind kind
	b    []byte
	at   int
}

// openBody checks the header of a body and reads its dimensions.
func openBody(b []byte, k kind, dimensions ...*int) (*decoder, error) {
	d := &decoder{kind: k, b: b}
	if size := 2 + 2*len(dimensions); len(b) < size {
		return nil, d.wrong("%d bytes, expected a header of %d", len(b), size)
	}
	if b[0] != wireVersion {
		return nil, d.wrong("version %d, expected %d: caller and server run different releases", b[0], wireVersion)
	}
	d.at++
	if b[1] != byte(k) {
		return nil, d.wrong("kind %d, expected %d", b[1], k)
	}
	d.at++
	for _, n := range dimensions {
		*n = int(d.uint16())
	}
	return d, nil
}

// open checks the header of an answer against the shape.
func (want NextShape) open(b []byte, k kind) (*decoder, error) {
	var rows, topk int
	d, err := openBody(b, k, &rows, &topk)
	if err == nil && (rows != want.Rows || topk != want.TopK) {
		err = d.wrong("%d rows of %d, expected %d of %d", rows, topk, want.Rows, want.TopK)
	}
	return d, err
}

// prob reports whether x is taken for a probability, and which.
func (want NextShape) prob(x float32) (float32, bool) {
	if want.LooseRange {
		return x, finite(x) && x <= 1.5
	}
	return min(max(x, 0), 1), -1e-6 < x && x < 1+1e-6
}

func (d *decoder) wrong(format string, args ...any) error {
	return &BodyError{Body: d.kind.String(), Offset: d.at, Wrong: fmt.Sprintf(format, args...)}
}

func (d *decoder) rest() []byte { return d.b[d.at:] }

// left checks that exactly size bytes are left.
func (d *decoder) left(size int) error {
	if len(d.rest()) != size {
		return d.wrong("%d bytes left, expected %d", len(d.rest()), size)
	}
	return nil
}

func (d *decoder) uint16() uint16 {
	x := binary.LittleEndian.Uint16(d.rest())
	d.at += 2
	return x
}

func (d *decoder) float() float32 {
	x := d.peek()
	d.at += 4
	return x
}

func (d *decoder) peek() float32      { return floatAt(d.rest()) }
func (d *decoder) lastFloat() float32 { return floatAt(d.b[d.at-4:]) }

func floatAt(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }

func finite(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

// question checks the dimensions of a request, third being its topk or length, and reads its tokens.
func (d *decoder) question(rows, cols, third, mostThird int, most Bounds) ([]uint16, error) {
	if rows < 1 || rows > most.Rows || cols < 1 || cols > most.Cols || third < 1 || third > mostThird {
		return nil, d.wrong("dimensions %d, %d and %d, expected 1 to %d, 1 to %d and 1 to %d",
			rows, cols, third, most.Rows, most.Cols, mostThird)
	}
	if err := d.left(2 * rows * cols); err != nil {
		return nil, err
	}
	return d.tokens(rows*cols, most.Vocab)
}

func (d *decoder) tokens(n, vocab int) ([]uint16, error) {
	ids := make([]uint16, n)
	for i := range ids {
		if ids[i] = d.uint16(); int(ids[i]) >= vocab {
			return nil, d.wrong("token %d, expected one below the vocabulary's %d", ids[i], vocab)
		}
	}
	return ids, nil
}

// records counts the values that start a record among those that are left.
func (d *decoder) records(want NextShape) (int, error) {
	if len(d.rest())%4 != 0 {
		return 0, d.wrong("%d bytes left, expected whole values of 4", len(d.rest()))
	}
	starts := 0
	for b := d.rest(); len(b) >= 4; b = b[4:] {
		if _, ok := want.prob(floatAt(b)); ok {
			starts++
		}
	}
	return starts, nil
}

// record reads a probability and the tokens after it, which it appends to ids.
func (d *decoder) record(want NextShape, ids *[]uint16) (float32, []uint16, error) {
	b := d.rest()
	if len(b) < 4 {
		return 0, nil, d.wrong("no bytes left, expected a record")
	}
	prob, ok := want.prob(floatAt(b))
	if !ok {
		return 0, nil, d.wrong("%v, expected a probability to start a record", floatAt(b))
	}
	tokens := *ids
	first, most := len(tokens), float32(want.Vocab+idShift)
	for b = b[4:]; len(b) >= 4; b = b[4:] {
		x := floatAt(b)
		if _, ok := want.prob(x); ok {
			break
		}
		// The comparison also refuses what is not a number.
		if !(x >= idShift && x < most) || x != float32(int(x)) {
			d.at = len(d.b) - len(b)
			return 0, nil, d.wrong("%v, expected a probability or a token from %d to %d", x, idShift, want.Vocab+idShift-1)
		}
		tokens = append(tokens, uint16(int(x)-idShift))
	}
	d.at, *ids = len(d.b)-len(b), tokens
	return prob, tokens[first:len(tokens):len(tokens)], nil
}
