package virtual

import "taolab/sim/host"

var reorderKind = FaultKind{
	Name: "reorder", Doc: "messages take longer by a time of equal chances within a window, so that later ones overtake",
	Settings: []FaultSetting{share("the messages"), {"window_ms", 1000, 0, 1e7, "the window"}}, Messages: true,
	effect: func(f *injection) effect { return reorder{onLinks{f}} },
}

type reorder struct{ onLinks }

func (f reorder) meddle(_ *World, fl *flight) {
	if f.happens() {
		fl.arrival += host.Time(float64(f.draw.Float64() * float64(f.span("window_ms"))))
	}
}
