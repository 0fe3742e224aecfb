package virtual

var truncateKind = FaultKind{
	Name: "truncate", Doc: "message bodies end early",
	Settings: []FaultSetting{share("the messages"), {"bytes", 16, 0, 1 << 26, "bytes that are left"}}, Messages: true,
	effect: func(f *injection) effect { return truncate{onLinks{f}} },
}

type truncate struct{ onLinks }

func (f truncate) meddle(w *World, fl *flight) {
	if !f.happens() {
		return
	}
	if fl.tx != nil {
		fl.tx.damaged = true
		return
	}
	if left := int(f.number("bytes")); left < len(fl.message.body) {
		fl.message.body = fl.message.body[:left:left]
		w.fault(fl.from, "truncate", "a message ended early")
	}
}
