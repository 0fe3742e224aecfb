package virtual

import "taolab/sim/host"

var endlessKind = FaultKind{
	Name: "endless", Doc: "replies never end: parts go on coming until the caller's limit or patience ends",
	Settings: []FaultSetting{share("the replies"), {"parts", maxReplies, 0, maxReplies, "parts beyond the last"},
		{"delay_ms", 100, 1, 1e7, "time between two parts"}},
	Messages: true,
	effect:   func(f *injection) effect { return endless{onLinks{f}} },
}

type endless struct{ onLinks }

func (f endless) meddle(w *World, fl *flight) {
	if fl.message == nil || !fl.message.reply || fl.message.more || f.number("parts") == 0 || !f.happens() {
		return
	}
	fl.message.more = true
	for i := range uint32(f.number("parts")) {
		fl.follows = append(fl.follows, follower{host.Time(i+1) * f.span("delay_ms"), i + 1})
	}
	w.fault(fl.from, "endless", "a reply did not end")
}
