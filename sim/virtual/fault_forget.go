package virtual

var forgetKind = FaultKind{
	Name: "forget", Doc: "as crash, but the state is lost: the nodes begin as new ones, with the keys that they had",
	Settings: crashSettings, fresh: true,
	effect: func(f *injection) effect { return &crash{f, true} },
}
