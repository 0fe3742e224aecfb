package virtual

var ledgerPauseKind = FaultKind{
	Name: "ledger_pause", Doc: "no blocks are made; afterwards they come in their rhythm, and the run ends later by that time",
	effect: func(f *injection) effect { return ledgerPause{f} },
}

type ledgerPause struct{ *injection }

func (ledgerPause) attach(*World) {}
func (ledgerPause) detach(*World) {}

func (f ledgerPause) begin(w *World) { w.producer.pause(f.To) }
func (ledgerPause) end(w *World)     { w.producer.goOn(w.now) }
