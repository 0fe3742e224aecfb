package consensus

// UID is a neuron's slot in the network.
type UID uint16

// WeightEntry is one entry of a row of weights, as the chain stores it: the row's largest is 65535.
type WeightEntry struct {
	UID    UID
	Weight uint16
}

// BondEntry is one entry of a row of bonds, as the chain stores it.
type BondEntry struct {
	UID  UID
	Bond uint16
}
