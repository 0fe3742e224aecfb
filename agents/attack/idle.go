package attack

// idle miners hold a seat for others to set weights on.
var idle = Behaviour{Kind: Miner, Name: "idle", Doc: "serves nobody"}
