package attack

// idle miners hold a seat as a target for others' weights.
var idle = Behaviour{Kind: Miner, Name: "idle", Doc: "serves nobody"}
