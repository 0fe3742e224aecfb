package virtual

var lossKind = FaultKind{
	Name: "loss", Doc: "messages never arrive; a node that waits for one learns it by the timeout",
	Settings: []FaultSetting{share("the messages")}, Messages: true,
	effect: func(f *injection) effect { return loss{onLinks{f}} },
}

type loss struct{ onLinks }

func (f loss) meddle(_ *World, fl *flight) {
	if f.happens() {
		fl.lost = "by chance"
	}
}
