package consensus

import "taolab/sim/chain/fixed"

// matrix is a sparse n x n matrix in rows. An entry of zero is an entry: it differs from none.
type matrix struct {
	start []int // of row i; start[n] is the end
	uid   []UID
	value []fixed.I32F32
}

// reset empties the matrix; rows are then made in order by push and endRow.
func (m *matrix) reset() {
	m.start = append(m.start[:0], 0)
	m.uid = m.uid[:0]
	m.value = m.value[:0]
}

func (m *matrix) push(j UID, v fixed.I32F32) {
	m.uid = append(m.uid, j)
	m.value = append(m.value, v)
}

func (m *matrix) endRow() { m.start = append(m.start, len(m.uid)) }

func (m *matrix) row(i int) ([]UID, []fixed.I32F32) {
	lo, hi := m.start[i], m.start[i+1]
	return m.uid[lo:hi], m.value[lo:hi]
}

// normalizeColumns divides every column by its sum; columns that sum to 0 stay as they are.
func (m *matrix) normalizeColumns(scratch []fixed.I32F32) {
	clear(scratch)
	for k, j := range m.uid {
		scratch[j] += m.value[k]
	}
	m.divideColumns(scratch)
}

// upscaleColumns divides every column by its largest entry.
func (m *matrix) upscaleColumns(scratch []fixed.I32F32) {
	clear(scratch)
	for k, j := range m.uid {
		scratch[j] = max(scratch[j], m.value[k])
	}
	m.divideColumns(scratch)
}

func (m *matrix) divideColumns(by []fixed.I32F32) {
	for k, j := range m.uid {
		if by[j] != 0 {
			m.value[k] = m.value[k].SafeDiv(by[j])
		}
	}
}

// scaleRows multiplies row i by v[i].
func (m *matrix) scaleRows(v []fixed.I32F32) {
	for i, f := range v {
		_, values := m.row(i)
		for k, x := range values {
			values[k] = x.Mul(f)
		}
	}
}

// timesRows writes v^T M to dst: dst[j] = sum over i of v[i] m[i][j].
func (m *matrix) timesRows(dst, v []fixed.I32F32) {
	clear(dst)
	for i, f := range v {
		uids, values := m.row(i)
		for k, j := range uids {
			dst[j] += f.Mul(values[k])
		}
	}
}

// timesColumns writes M v to dst: dst[i] = sum over j of m[i][j] v[j].
func (m *matrix) timesColumns(dst, v []fixed.I32F32) {
	for i := range dst {
		uids, values := m.row(i)
		var sum fixed.I32F32
		for k, j := range uids {
			sum += values[k].Mul(v[j])
		}
		dst[i] = sum
	}
}

// combine makes m the matrix of f(a[i][j], b[i][j]), absent entries counting as zero, of which
// only positive results become entries, in ascending order. row is scratch of n zero pairs and
// is left so.
func (m *matrix) combine(a, b *matrix, row []pair, f func(x, y fixed.I32F32) fixed.I32F32) {
	m.reset()
	for i := range row {
		ua, va := a.row(i)
		ub, vb := b.row(i)
		if len(ua)|len(ub) == 0 {
			m.endRow()
			continue
		}
		for k, j := range ua {
			row[j].x = va[k]
		}
		for k, j := range ub {
			row[j].y = vb[k]
		}
		for j, p := range row {
			if p.x|p.y == 0 {
				continue
			}
			row[j] = pair{}
			if v := f(p.x, p.y); v > 0 {
				m.push(UID(j), v)
			}
		}
		m.endRow()
	}
}

type pair struct{ x, y fixed.I32F32 }

func (m *matrix) copyOf(src *matrix) {
	m.start = append(m.start[:0], src.start...)
	m.uid = append(m.uid[:0], src.uid...)
	m.value = append(m.value[:0], src.value...)
}
