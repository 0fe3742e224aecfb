package replica

import "taolab/sim/chain"

// snapshots are those that other nodes may fetch.
type snapshots struct{ every uint64 }

func (s *snapshots) consider(*chain.State) {}
