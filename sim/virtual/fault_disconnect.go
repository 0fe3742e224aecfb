package virtual

var disconnectKind = FaultKind{
	Name: "disconnect", Doc: "the target's network cable is out: it hears and says nothing, and sends its transactions when it is back",
	effect: func(f *injection) effect { return disconnect{barrier{onLinks{f}}} },
}

type disconnect struct{ barrier }

func (f disconnect) cuts(from, to int32) bool { return to != theNetwork }

// meddle keeps a transaction on the node's own side until the cable is in.
func (f disconnect) meddle(_ *World, fl *flight) {
	if late := f.To - fl.leaves; fl.tx != nil && late > 0 {
		fl.leaves += late
		fl.arrival += late
	}
}

func (f disconnect) begin(w *World) { f.fall(w, f.cuts) }
func (f disconnect) end(w *World)   { f.lift(w, f.cuts) }
