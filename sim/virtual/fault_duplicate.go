package virtual

import "taolab/sim/host"

var duplicateKind = FaultKind{
	Name: "duplicate", Doc: "copies of messages and transactions arrive after them; nonces give them away",
	Settings: []FaultSetting{share("the messages"), {"copies", 1, 0, 16, "copies of a message"},
		{"delay_ms", 1000, 0, 1e7, "mean of the time between two copies"}},
	Messages: true,
	effect:   func(f *injection) effect { return duplicate{onLinks{f}} },
}

type duplicate struct{ onLinks }

func (f duplicate) meddle(_ *World, fl *flight) {
	if !f.happens() {
		return
	}
	var after host.Time
	for range int(f.number("copies")) {
		after += f.tail(f.draw, f.span("delay_ms"))
		fl.follows = append(fl.follows, follower{after: after})
	}
}
