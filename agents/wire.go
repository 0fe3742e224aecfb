package agents

import (
	"taolab/agents/score"
)

// Bounds are what a decoder accepts at most.
type Bounds struct {
	Vocab int // standard vocabulary: ids lie below
	Rows  int
	Cols  int // tokens per row; also tokens generated per row
	TopK  int
	Width int // of hidden states
}

// NextRequest asks for the topk most probable phrases after the last position of each row.
type NextRequest struct {
	Rows, Cols, TopK int
	Tokens           []uint16 // Rows*Cols, row by row
}

// NextAnswer answers a NextRequest.
type NextAnswer struct {
	TopK int
	Rows []score.NextRow // each of TopK phrases
}

// NextShape is what the answer to a NextRequest must look like.
type NextShape struct {
	Rows, TopK, Vocab int
	LooseRange        bool // as before release 3.4.3: whatever is at most 1.5 starts a record, also below 0
}

// CausalRequest asks for the topk most probable tokens after the last position of each row.
type CausalRequest struct {
	Rows, Cols, TopK int
	Tokens           []uint16
}

// CausalAnswer answers a CausalRequest.
type CausalAnswer struct {
	TopK int
	Rows []score.Dist // each of TopK tokens
}

// HiddenRequest asks for the last hidden state at every position.
type HiddenRequest struct {
	Rows, Cols int
	Tokens     []uint16
}

// HiddenAnswer answers a HiddenRequest.
type HiddenAnswer struct {
	Rows, Cols, Width int
	States            []float32 // Rows*Cols*Width
}

// Seq2SeqRequest asks for a continuation of at most Generate tokens per row.
type Seq2SeqRequest struct {
	Rows, Cols, Generate int
	Tokens               []uint16
}

// Seq2SeqAnswer answers a Seq2SeqRequest: the new tokens of each row.
type Seq2SeqAnswer struct {
	Rows [][]uint16
}

// Encoders; the shapes are the caller's promise.
func EncodeNextRequest(r NextRequest) []byte       { return nil }
func EncodeNext(a NextAnswer) []byte               { return nil }
func EncodeCausalRequest(r CausalRequest) []byte   { return nil }
func EncodeCausal(a CausalAnswer) []byte           { return nil }
func EncodeHiddenRequest(r HiddenRequest) []byte   { return nil }
func EncodeHidden(a HiddenAnswer) []byte           { return nil }
func EncodeSeq2SeqRequest(r Seq2SeqRequest) []byte { return nil }
func EncodeSeq2Seq(a Seq2SeqAnswer) []byte         { return nil }

// Decoders.
func DecodeNextRequest(b []byte, max Bounds) (NextRequest, error) { return NextRequest{}, nil }
func DecodeNext(b []byte, want NextShape) (NextAnswer, error)     { return NextAnswer{}, nil }
func DecodeCausalRequest(b []byte, max Bounds) (CausalRequest, error) {
	return CausalRequest{}, nil
}
func DecodeCausal(b []byte, want NextShape) (CausalAnswer, error)     { return CausalAnswer{}, nil }
func DecodeHiddenRequest(b []byte, max Bounds) (HiddenRequest, error) { return HiddenRequest{}, nil }
func DecodeHidden(b []byte, max Bounds) (HiddenAnswer, error)         { return HiddenAnswer{}, nil }
func DecodeSeq2SeqRequest(b []byte, max Bounds) (Seq2SeqRequest, error) {
	return Seq2SeqRequest{}, nil
}
func DecodeSeq2Seq(b []byte, max Bounds) (Seq2SeqAnswer, error) { return Seq2SeqAnswer{}, nil }
