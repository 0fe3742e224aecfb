package virtual

// faultKinds is the list of all kinds, in the order in which documents show them.
var faultKinds = []FaultKind{
	lossKind, delayKind, reorderKind, duplicateKind, corruptKind, truncateKind, endlessKind, clogKind, cutKind,
	partitionKind, bandwidthKind, crashKind, forgetKind, pauseKind, disconnectKind, clockKind, slowKind,
	stallKind, evictKind, diskWriteKind, diskReadKind, blockDelayKind, staleKind, txQueueKind, ledgerPauseKind,
	versionKind, churnKind, equivocateKind,
}

// FaultKinds are all kinds of faults.
func FaultKinds() []FaultKind { return faultKinds }
