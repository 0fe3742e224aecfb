package virtual

import "taolab/sim/host"

var clogKind = FaultKind{
	Name: "clog", Doc: "nothing arrives until the end; then all does, in random order within a window",
	Settings: []FaultSetting{{"window_ms", 0, 0, 1e7, "the window"}}, Messages: true,
	effect: func(f *injection) effect { return clog{onLinks{f}} },
}

type clog struct{ onLinks }

func (f clog) meddle(_ *World, fl *flight) {
	fl.arrival = max(fl.arrival, f.To+host.Time(float64(f.draw.Float64()*float64(f.span("window_ms")))))
}
