package virtual

var equivocateKind = FaultKind{
	Name: "equivocate", Doc: "the target signs two blocks of one height, and the next block tells; where the network has no " +
		"seats of its own nothing happens",
	effect: func(f *injection) effect { return equivocate{f} },
}

type equivocate struct{ *injection }

func (equivocate) attach(*World) {}
func (equivocate) detach(*World) {}

func (f equivocate) begin(w *World) {
	f.members.each(func(i int32) { w.nodes[i].signedTwice = true })
}
