package agents

import (
	"fmt"
	"math"

	"taolab/agents/mind"
	"taolab/agents/score"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// blockNs is the time between blocks of the main network, and the default time that a validator waits
// for an answer.
const blockNs = 12 * host.Second

// ValidatorConfig holds the settings of a validator.
type ValidatorConfig struct {
	Era   string            // reference release whose rules it follows; "" is score.DefaultEra
	Judge func() mind.Judge // makes the judge, which draws its questions and reads the answers

	Peers     int       // asked about each row of a step
	StepNs    host.Time // least time between the starts of two steps
	TimeoutNs host.Time // of one question; 0: 12 s

	Routing Routing
	Targets Targets
	Gate    Gate
	Credit  Credit

	EpochBlocks  uint64    // E: an epoch ends after E blocks and all targets, or after 2E (by era)
	BlockNs      host.Time // nominal, for eras whose epochs end by the clock too; 0: 12 s
	Alpha        float64   // of the moving averages; 0: score.Smoothing
	Power        float64   // scaling-law power of the base score; 0: the era's
	SynergyPower float64   // of the synergy; 0: the era's

	Publishes     bool // tells callers what it pays for each subset
	RecordAnswers bool // a trace.Answer for each question and subset
	RecordRows    bool // a trace.Score for each row of each question
}

// Validate returns an error if the config is unusable.
func (c ValidatorConfig) Validate() error {
	if _, err := score.EraNamed(c.era()); err != nil {
		return fmt.Errorf("validator: %w", err)
	}
	switch {
	case c.Judge == nil:
		return fmt.Errorf("validator: no judge; set Judge, which draws its questions and reads the answers")
	case c.Routing > Gated || c.Targets > Everyone || c.Credit > Market:
		return fmt.Errorf("validator: routing %d, targets %d or credit %d is unknown", c.Routing, c.Targets, c.Credit)
	case c.Peers < 1:
		return fmt.Errorf("validator: %d peers of a step, expected at least 1", c.Peers)
	case c.Routing == Gated && (!(c.Gate.Noise >= 0) || math.IsInf(c.Gate.Noise, 0)):
		return fmt.Errorf("validator: gate with noise %g, expected 0 or more, and finite", c.Gate.Noise)
	case c.Routing == Gated && (c.Gate.ScorePeers < 1 || c.Gate.ScorePeers > c.Peers):
		return fmt.Errorf("validator: %d of %d peers in the scoring lane, expected 1 to all", c.Gate.ScorePeers, c.Peers)
	case c.StepNs < 1 || c.TimeoutNs < 0 || c.BlockNs < 0:
		return fmt.Errorf("validator: step %d ns, timeout %d ns, block %d ns, expected a positive step "+
			"and no negative time", c.StepNs, c.TimeoutNs, c.BlockNs)
	case c.EpochBlocks < 1:
		return fmt.Errorf("validator: an epoch of 0 blocks, expected at least 1")
	case !(c.Alpha >= 0 && c.Alpha <= 1) || !(c.Power >= 0) || !(c.SynergyPower >= 0):
		return fmt.Errorf("validator: alpha %g, powers %g and %g, expected alpha 0 to 1 and powers of at least 0",
			c.Alpha, c.Power, c.SynergyPower)
	}
	return nil
}

func (c ValidatorConfig) era() string {
	if c.Era == "" {
		return score.DefaultEra
	}
	return c.Era
}

// withDefaults replaces zeros by their defaults.
func (c ValidatorConfig) withDefaults(era score.Era) ValidatorConfig {
	if c.TimeoutNs == 0 {
		c.TimeoutNs = blockNs
	}
	if c.BlockNs == 0 {
		c.BlockNs = blockNs
	}
	if c.Alpha == 0 {
		c.Alpha = score.Smoothing
	}
	if c.Power == 0 {
		c.Power = era.Power
	}
	if c.SynergyPower == 0 {
		c.SynergyPower = era.SynergyPower
	}
	return c
}

// peer is a uid as it was when the validator last read the chain.
type peer struct {
	hotkey   chain.Key
	axon     host.PeerID
	target   bool
	askedAt  uint64 // newest height seen when it was last asked, or became a target
	standing score.Standing
}

// phase is the event that a step waits for.
type phase uint8

const (
	pausing  phase = iota // for the step's turn
	routing               // for the gate's scores
	asking                // for answers
	reading               // for the judge to read them
	learning              // for the judge to learn
)

// Validator asks miners the questions that its judge draws, scores the answers, lets the judge learn
// from the scores and sets weights once an epoch. Steps follow each other: at most config.Peers calls,
// under gated routing config.Rows times as many, and one compute job are open at a time.
type Validator struct {
	config ValidatorConfig
	era    score.Era
	powers score.Powers

	judge    mind.Judge
	rotation score.Rotation
	averages score.Averages
	market   score.Market // where that is the credit
	steps    uint32

	peers      []peer // by uid, as of the epoch's start
	synced     bool   // an epoch has begun
	epochBlock uint64 // height at which it did
	epochNs    host.Time
	commits    Commits // under commit-reveal

	// State that a crash loses.
	step    step
	weights submission

	// Caches, not part of the state.
	paid    payroll
	targets []uint16 // the peers to ask at all, in uid order
}

// NewValidator returns a validator. It panics when the config is not valid.
func NewValidator(c ValidatorConfig) *Validator {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	era, _ := score.EraNamed(c.era())
	c = c.withDefaults(era)
	v := &Validator{config: c, era: era, judge: c.Judge()}
	v.powers = era.Powers(v.judge.LossScale())
	v.powers.Base, v.powers.Synergy = c.Power, c.SynergyPower
	v.rotation.Selection = era.Selection
	v.averages.Alpha, v.market = c.Alpha, v.newMarket()
	if c.Routing == Gated {
		v.powers.CommonRows = commonRows
	}
	return v
}

// Handle implements host.Agent.
func (v *Validator) Handle(env host.Env, event host.Event) {
	v.commits.Handle(env, event)
	switch e := event.(type) {
	case host.Incoming:
		v.publish(env, e)
	case host.Start:
		v.step, v.weights = step{}, submission{}
		v.begin(env)
	case host.Timer:
		if v.step.phase == pausing && e.ID == v.step.timer {
			v.begin(env)
		}
	case host.Done:
		v.computed(env, e)
	case host.Answer:
		v.answered(env, e)
	case host.Block:
		v.weights.retry(env, e, &v.commits)
	case host.Included:
		v.weights.included(e)
	case host.Rejected:
		v.weights.refused(env, e.ID)
	case host.Expired:
		v.weights.refused(env, e.ID)
	}
}

// sync reads the peers from the chain. A uid with a new hotkey starts afresh.
func (v *Validator) sync(env host.Env) {
	v.paid.made = false
	view, self := env.Chain(), env.Self()
	v.peers = v.peers[:min(len(v.peers), view.N())]
	for len(v.peers) < view.N() {
		v.peers = append(v.peers, peer{standing: score.Unasked})
	}
	for i := range v.peers {
		uid, p := chain.UID(i), &v.peers[i]
		n := view.Neuron(uid)
		target := !(self.HasUID && uid == self.UID) && (v.config.Targets == Everyone || !Validates(view, uid))
		if p.hotkey != n.Hotkey || target && !p.target {
			p.askedAt = view.Height()
		}
		if p.hotkey != n.Hotkey {
			v.forget(uid, n.Hotkey)
		}
		p.hotkey, p.axon, p.target = n.Hotkey, n.Axon, target
	}
	v.listTargets()
}

// forget clears what was learned of a uid's former hotkey. The gates of uniform routing stay, as in the
// reference validator.
func (v *Validator) forget(uid chain.UID, hotkey chain.Key) {
	v.peers[uid].standing = score.Unasked
	if v.averages.Refresh(uint16(uid), hotkey) {
		v.judge.Forget(uint16(uid))
		v.market.Forget(uint16(uid))
	}
}

// startEpoch begins an epoch: it reads the chain, and all peers are to be asked again.
func (v *Validator) startEpoch(env host.Env) {
	v.sync(env)
	for i := range v.peers {
		v.peers[i].standing = score.Unasked
	}
	v.rotation.StartEpoch()
	v.judge.StartEpoch()
	v.synced, v.epochBlock, v.epochNs = true, env.Chain().Height(), env.Now()
}

// epochOver reports whether it is time to set weights.
func (v *Validator) epochOver(env host.Env) bool {
	at := score.Elapsed{
		Blocks: env.Chain().Height() - v.epochBlock, Ns: int64(env.Now() - v.epochNs), AllSeen: true,
	}
	for _, uid := range v.targets {
		if v.peers[uid].standing == score.Unasked {
			at.AllSeen = false
			break
		}
	}
	return v.era.EpochOver(at, v.config.EpochBlocks, int64(v.config.BlockNs))
}

// endEpoch sends the weights that follow from the averages and this epoch's standing.
func (v *Validator) endEpoch(env host.Env) {
	if v.era.Ending == score.EndByBlocksAndClock { // from v3.5 the chain is read again just before
		v.sync(env)
	}
	params := env.Chain().Params()
	era := v.era
	if ratio := float64(params.MaxWeightRatio); ratio > 1 { // the ledger of 2022 refuses rows that differ more
		era.Limit, era.MaxMinRatio = score.RatioLimit, ratio
	}
	in := score.WeightInput{
		Era: era, MinAllowed: int(params.MinAllowedWeights),
		MaxShare: float64(params.MaxWeight) / 65535, Stream: env.Rand("weights"),
	}
	scores := v.scores()
	for i, p := range v.peers {
		in.Candidates = append(in.Candidates, score.Candidate{UID: uint16(i), Score: scores[i], Standing: p.standing})
	}
	uids, values := score.U16(score.Weights(in), params.MaxWeight)
	if len(uids) == 0 || len(uids) < min(len(v.peers), int(params.MinAllowedWeights)) {
		return // the ledger would refuse it: the averages carry on into the next epoch
	}
	v.weights.send(env, uids, values, &v.commits)
}

// submission holds the newest weights on their way into the ledger.
type submission struct {
	open     bool
	id       host.SubmitID
	attempts uint32
	waits    bool // for the block of another attempt
	timer    host.TimerID
	uids     []uint16
	values   []uint16
}

// maxAttempts bounds the submissions of the same weights. After that many refusals they are dropped:
// the next epoch has newer ones.
const maxAttempts = 4

func (s *submission) send(env host.Env, uids, values []uint16, commits *Commits) {
	if s.waits {
		env.Stop(s.timer)
	}
	*s = submission{open: true, uids: uids, values: values}
	s.submit(env, commits)
}

// submit sends the weights, or their hash where the ledger wants them committed first.
func (s *submission) submit(env host.Env, commits *Commits) {
	s.attempts++
	params := env.Chain().Params()
	if params.CommitReveal {
		s.id = commits.Commit(env, s.uids, s.values)
		return
	}
	s.id = env.Submit(host.Hotkey, chain.SetWeights{
		Version: params.WeightsVersion, UIDs: s.uids, Values: widened(s.values),
	})
}

func (s *submission) included(e host.Included) {
	if s.open && !s.waits && e.ID == s.id {
		*s = submission{}
	}
}

// refused waits for the block before the first one at which the ledger's rate limit lets weights
// through, at least for the next block.
func (s *submission) refused(env host.Env, id host.SubmitID) {
	if !s.open || s.waits || id != s.id {
		return
	}
	self, view := env.Self(), env.Chain()
	if s.attempts >= maxAttempts || !self.HasUID {
		*s = submission{}
		return
	}
	first := view.Neuron(self.UID).LastUpdate + view.Params().WeightsRateLimitBlocks
	s.waits, s.timer = true, env.AtBlock(max(first, view.Height()+2)-1, 0)
}

func (s *submission) retry(env host.Env, e host.Block, commits *Commits) {
	if s.open && s.waits && e.ID == s.timer {
		s.waits = false
		s.submit(env, commits)
	}
}
