package virtual

import "slices"

var corruptKind = FaultKind{
	Name: "corrupt", Doc: "bits of message bodies flip; a transaction's signature then does not verify",
	Settings: []FaultSetting{share("the messages"), {"bits", 8, 0, 4096, "bits of a message"}},
	Modes:    []string{"any", "head", "value"}, Messages: true,
	effect: func(f *injection) effect { return corrupt{onLinks{f}} },
}

// headBytes are where a body says what it is and how long its parts are.
const headBytes = 16

type corrupt struct{ onLinks }

func (f corrupt) meddle(w *World, fl *flight) {
	bits := int(f.number("bits"))
	if bits == 0 || !f.happens() {
		return
	}
	if fl.tx != nil {
		fl.tx.damaged = true
		return
	}
	body := slices.Clone(fl.message.body) // the sender, and other receivers, have the same bytes
	part := body
	switch f.mode() {
	case "head":
		part = body[:min(headBytes, len(body))]
	case "value":
		part = body[min(headBytes, len(body)):]
	}
	if len(part) == 0 {
		return
	}
	for range bits {
		at := f.draw.IntN(8 * len(part))
		part[at/8] ^= 1 << (at % 8)
	}
	fl.message.body = body
	w.fault(fl.from, "corrupt", "bits of a message flipped")
}
