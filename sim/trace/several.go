package trace

// Rows is a Row that stands for several of its table. They are made where they are written, for which the
// agent that recorded them does not wait: they must not share anything that changes later.
type Rows interface {
	Row
	Len() int       // they are at most so many
	Each(func(Row)) // hands them over, in order
}

// RowsRecorder is a Recorder that makes rows itself.
type RowsRecorder interface {
	Recorder
	RecordRows(Rows)
}

// Record hands a row to a recorder, or the rows that it stands for.
func Record(to Recorder, r Row) {
	rows, several := r.(Rows)
	if !several {
		to.Record(r)
		return
	}
	if maker, ok := to.(RowsRecorder); ok {
		maker.RecordRows(rows)
		return
	}
	rows.Each(to.Record)
}

// Each hands over a row, or the rows that it stands for.
func Each(r Row, to func(Row)) {
	if rows, several := r.(Rows); several {
		rows.Each(to)
		return
	}
	to(r)
}
