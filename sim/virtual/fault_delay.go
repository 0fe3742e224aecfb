package virtual

var delayKind = FaultKind{
	Name: "delay", Doc: "messages take longer by a random time",
	Settings: []FaultSetting{share("the messages"), {"mean_ms", 1000, 0, 1e7, "mean of the time"}},
	Modes:    tailModes, Messages: true,
	effect: func(f *injection) effect { return delay{onLinks{f}} },
}

type delay struct{ onLinks }

func (f delay) meddle(_ *World, fl *flight) {
	if f.happens() {
		fl.arrival += f.tail(f.draw, f.span("mean_ms"))
	}
}
