package main

import "taolab/cmd/internal/command"

// What both programs have, by the names that it has in this one.
const (
	exitOK          = command.OK
	exitFailure     = command.Failure
	exitUsage       = command.Usage
	exitScenario    = command.Invalid
	exitExpectation = command.Expectation
	exitDigest      = command.Digest
	exitInterrupted = command.Interrupted

	standardInput = command.StandardInput
)

type version = command.Version

var (
	code           = command.Code
	countOf        = command.CountOf
	readInput      = command.ReadInput
	inputName      = command.InputName
	onceOnly       = command.OnceOnly
	interruptible  = command.Interruptible
	lockFolder     = command.LockFolder
	currentVersion = command.CurrentVersion
)
