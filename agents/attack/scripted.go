package attack

// scripted validators are made of package script.
var scripted = Behaviour{Kind: Validator, Name: "scripted", Doc: "sets the weights that it is told", Scripted: true}
