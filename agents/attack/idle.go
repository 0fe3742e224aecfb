package attack

var idle = Behaviour{Kind: Miner, Name: "idle", Doc: "serves nobody and has no mind"}

var scripted = Behaviour{Kind: Validator, Name: "scripted", Doc: "asks nobody and sets the weights that it is told"}
