package wire

// StatedRequest asks what the server would lose on rows of these subsets.
type StatedRequest struct {
	Subsets []uint16 // of each row
}

// StatedAnswer answers a StatedRequest.
type StatedAnswer struct {
	Losses []float32 // of each row, nats per token
}

// EncodeStatedRequest encodes the number of rows and their subsets.
func EncodeStatedRequest(r StatedRequest) []byte {
	return appendTokens(header(statedRequest, 2*len(r.Subsets), len(r.Subsets)), r.Subsets)
}

// DecodeStatedRequest decodes what EncodeStatedRequest wrote, of at most maxRows rows of one of so many
// subsets.
func DecodeStatedRequest(b []byte, subsets, maxRows int) (r StatedRequest, err error) {
	var rows int
	d, err := openBody(b, statedRequest, &rows)
	if err != nil {
		return r, err
	}
	if rows < 1 || rows > maxRows {
		return r, d.wrong("%d rows, expected 1 to %d", rows, maxRows)
	}
	if err := d.left(2 * rows); err != nil {
		return r, err
	}
	r.Subsets = make([]uint16, rows)
	for i := range r.Subsets {
		if r.Subsets[i] = d.uint16(); int(r.Subsets[i]) >= subsets {
			return StatedRequest{}, d.wrong("row %d is of subset %d, expected one below %d", i, r.Subsets[i], subsets)
		}
	}
	return r, nil
}

// EncodeStated encodes the number of rows and their losses as float32.
func EncodeStated(a StatedAnswer) []byte {
	b := header(statedAnswer, 4*len(a.Losses), len(a.Losses))
	for _, loss := range a.Losses {
		b = appendFloat(b, loss)
	}
	return b
}

// StatedBytes is the length of an answer about so many rows.
func StatedBytes(rows int) int { return len(header(statedAnswer, 0, rows)) + 4*rows }

// DecodeStated decodes the answer to a question about so many rows.
func DecodeStated(b []byte, wantRows int) (a StatedAnswer, err error) {
	var rows int
	d, err := openBody(b, statedAnswer, &rows)
	if err != nil {
		return a, err
	}
	if rows != wantRows {
		return a, d.wrong("losses of %d rows, expected %d", rows, wantRows)
	}
	if err := d.left(4 * rows); err != nil {
		return a, err
	}
	a.Losses = make([]float32, rows)
	for i := range a.Losses {
		// The comparison also refuses what is not a number.
		if a.Losses[i] = d.float(); !(a.Losses[i] >= 0 && finite(a.Losses[i])) {
			return StatedAnswer{}, d.wrong("a loss of %v on row %d, expected a finite one of at least 0", a.Losses[i], i)
		}
	}
	return a, nil
}
