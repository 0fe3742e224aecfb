package agents

// Routing is how a validator chooses the peers of a step.
type Routing uint8

// The routings.
const (
	Uniform Routing = iota // a permuted order without replacement (v3.3.3 to v3.4.3)
	Gated                  // the trained gate's noisy top k, and exploration
)

// Targets is whom a validator asks at all.
type Targets uint8

// The targets.
const (
	// Serving is every uid but oneself and those whose newest weight row names anyone but
	// themselves: who sets weights on others is a validator and serves nothing. (A permit says
	// less: where seats are plenty, miners hold permits too.)
	Serving Targets = iota
	// Everyone is every uid but oneself, as in 2022.
	Everyone
)

// Gate is the choice of peers by the routing model; uniform routing ignores it.
type Gate struct {
	Noise         float64 // standard deviation of the noise on a gate's score, in probability
	Explore       int     // peers of each step taken from the rotation, at least 1
	ExploreEpochs uint64  // ledger epochs within which every target is asked at least once; 0: 10
}
