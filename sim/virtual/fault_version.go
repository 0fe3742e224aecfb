package virtual

var versionKind = FaultKind{
	Name: "version", Doc: "the target speaks an older version of the wire format; hosts refuse requests of another version than theirs",
	effect: func(f *injection) effect { return version{f} },
}

type version struct{ *injection }

func (f version) attach(w *World) { f.members.each(func(i int32) { w.nodes[i].behind++ }) }
func (f version) detach(w *World) { f.members.each(func(i int32) { w.nodes[i].behind-- }) }

// speak reports whether two nodes speak the same version of the wire format.
func speak(a, b *node) bool { return (a.behind > 0) == (b.behind > 0) }
