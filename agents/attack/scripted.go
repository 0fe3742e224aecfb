package attack

// Package script makes scripted validators.
var scripted = Behaviour{Kind: Validator, Name: "scripted", Doc: "sets weights from a script", Scripted: true}
