package consensus

import (
	"slices"

	"taolab/sim/chain/fixed"
)

// matrix is a sparse n x n matrix in rows. An entry of zero is an entry: it differs from none.
type matrix struct {
	start []int // of row i; start[n] is the end
	uid   []UID
	value []fixed.I32F32
}

// reset empties the matrix; rows are then made in order by room and endRow.
func (m *matrix) reset() {
	m.start = append(m.start[:0], 0)
	m.uid = m.uid[:0]
	m.value = m.value[:0]
}

// room returns memory for n entries of the next row.
func (m *matrix) room(n int) ([]UID, []fixed.I32F32) {
	from := len(m.uid)
	m.uid = slices.Grow(m.uid, n)
	m.value = slices.Grow(m.value, n)
	return m.uid[from : from+n], m.value[from : from+n]
}

// endRow makes a row of the first n entries in the room.
func (m *matrix) endRow(n int) {
	end := len(m.uid) + n
	m.uid, m.value = m.uid[:end], m.value[:end]
	m.start = append(m.start, end)
}

func (m *matrix) row(i int) ([]UID, []fixed.I32F32) {
	lo, hi := m.start[i], m.start[i+1]
	return m.uid[lo:hi], m.value[lo:hi]
}

// gather makes the next row of the positive elements of a dense one, which it clears.
func (m *matrix) gather(dense []fixed.I32F32) {
	uids, values := m.room(len(dense))
	values = values[:len(uids)]
	k := 0
	for j, v := range dense {
		uids[k], values[k] = UID(j), v
		if v > 0 {
			k++
		}
	}
	clear(dense)
	m.endRow(k)
}

// columnSums writes the sum of every column to dst.
func (m *matrix) columnSums(dst []fixed.I32F32) {
	clear(dst)
	values := m.value
	for k, j := range m.uid {
		dst[j] += values[k]
	}
}

// upscaleColumns divides every column by its largest entry.
func (m *matrix) upscaleColumns(scratch []fixed.I32F32, by []fixed.Divisor) {
	clear(scratch)
	values := m.value
	for k, j := range m.uid {
		scratch[j] = max(scratch[j], values[k])
	}
	divisors(by, scratch)
	for k, j := range m.uid {
		values[k] = by[j].Divide(values[k])
	}
}

func divisors(dst []fixed.Divisor, v []fixed.I32F32) {
	for j, x := range v {
		dst[j] = fixed.NewDivisor(x)
	}
}
