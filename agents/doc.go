// Package agents holds the behaviours of a network: the validator that asks, scores and sets weights, the miner
// that trains and serves, the application whose stake has its prompts answered, and the newcomer that becomes one
// of them. Each is written once, as a state machine over sim/host, and runs unchanged in virtual and in real time.
// A mind (agents/mind) computes and judges answers; behaviours deal in bytes, jobs and losses.
//
// It promises that an agent's whole state round-trips through bytes between any two events, that heavy arithmetic
// goes only through compute jobs, that sums over peers run in uid order, never in the order of arrival, and that
// every queue, retry and list of pending calls has a limit, stated at its declaration.
//
// It uses no clock, file, goroutine or shared mutable memory: material that several agents share (text, base
// models, held-out windows) is read-only.
//
// The validator follows the reference validator of opentensor/bittensor v3.4.2 (November 2022,
// text/core_validator): scaling-law Shapley scores over phrase cross-entropies, zeroing averages, weights once an
// epoch. That validator drew the peers of a step at random; gated routing also sends each row to the peers that
// the trained gate names for it, as the network's whitepaper (arXiv 2003.03917) describes. The routing model is
// trained in both cases.
//
// The value of the gate, as measured by the claims in scenarios (go test ./scenarios -run ClaimTheGate -claims) in
// the second half of six hours, with specialists on four subsets and generalists, over five seeds: 0.87 to 0.94 of
// the service lane's rows of the three rare subsets reached a specialist (chance 0.19); the squared error was 0.49
// to 0.55 of that of one constant per uid; the correlation of score and target without the means of uid and row
// was 0.68 to 0.70. At two answers a row the two peers named highest had 1.51 nats per token less than two in
// turn, and 0.19 less than two of the best on average. On real text the shares were 0.76 to 0.91 on four subsets,
// and the two differences 0.68 and 0.26. After two hours of eight rows a step the share was 0.82 on average of ten
// seeds; without labels it was 0.07 less, and 0.22 less with a fresh trunk as well.
package agents
