package virtual

var partitionKind = FaultKind{
	Name: "partition", Doc: "the network falls apart. isolate: the target from all others; halves: the target's nodes and the producer in two; ring: each hears only those who stand near it on a ring; bridge: two halves and one node that both hear; single: one node of the target, drawn, from all others",
	Modes:  []string{"isolate", "halves", "ring", "bridge", "single"},
	effect: func(f *injection) effect { return &partition{barrier: barrier{onLinks{f}}} },
}

// partition lays the target's nodes and the block producer in a row, the producer first.
type partition struct {
	barrier
	place []int32 // of each node and, last, the producer; negative: not in the row
	row   int32   // its length
}

func (f *partition) attach(w *World) {
	f.place = make([]int32, len(w.nodes)+1)
	for i := range f.place {
		f.place[i] = -1
	}
	var row []int32
	f.members.each(func(i int32) { row = append(row, i) })
	order := f.stream(w.cfg.Seed, "row")
	order.Shuffle(len(row), func(i, j int) { row[i], row[j] = row[j], row[i] })
	if f.mode() == "single" && len(row) > 0 {
		row = row[:1]
		f.members = newSet(len(w.nodes))
		f.members.add(row[0])
	} else if f.mode() != "isolate" {
		f.members.add(theNetwork)
		f.place[len(w.nodes)] = 0
		f.row = 1
	}
	for _, i := range row {
		f.place[i] = f.row
		f.row++
	}
	f.barrier.attach(w)
}

func (f *partition) at(i int32) int32 {
	if i == theNetwork {
		return f.place[len(f.place)-1]
	}
	return f.place[i]
}

func (f *partition) cuts(from, to int32) bool {
	if mode := f.mode(); mode == "isolate" || mode == "single" {
		return f.members.has(from) != f.members.has(to)
	}
	a, b := f.at(from), f.at(to)
	if a < 0 || b < 0 {
		return false
	}
	half := (f.row + 1) / 2
	switch f.mode() {
	case "ring":
		apart := max(a-b, b-a)
		return min(apart, f.row-apart) > max(f.row/4, 1)
	case "bridge":
		if a == half || b == half {
			return false
		}
	}
	return (a < half) != (b < half)
}

func (f *partition) begin(w *World) {
	f.fall(w, f.cuts)
	f.say(w, "partition", "the node was cut off from others")
}

func (f *partition) end(w *World) {
	f.lift(w, f.cuts)
	f.say(w, "heal", "the node was joined to the others again")
}

func (f *partition) say(w *World, kind, what string) {
	f.members.each(func(i int32) { w.fault(i, kind, what) })
}
