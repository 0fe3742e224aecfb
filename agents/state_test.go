package agents

import (
	"math"
	"slices"
	"sync"
	"testing"

	"taolab/agents/decide"
	"taolab/agents/mind"
	"taolab/model/lm"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// agentsMade returns new agents, one of each kind.
func agentsMade() []host.Agent {
	return []host.Agent{
		NewMiner(minerOnce()), NewValidator(validatorOnce()), NewApplication(testApplication()),
		NewValidator(gatedOnce()),
		NewNewcomer(NewcomerConfig{RetryBlocks: 1, Tries: 1, Then: func() host.Agent { return still{} }}),
		NewNewcomer(NewcomerConfig{RetryBlocks: 1, Tries: 1, Identities: 2, Then: func() host.Agent { return still{} }}),
		busyOwner(), ownerOfThree(), NewBridge(testBridge),
	}
}

// testBridge is a bridge with one who uses it.
var testBridge = BridgeConfig{EveryBlocks: 3, Back: 0.1, Payees: []chain.Key{{1}}}

// testOwner decides on everything.
func testOwner() OwnerConfig {
	return OwnerConfig{
		Make:  func() (host.Agent, Worker) { return Idle{}, nil },
		Every: 2, Smoothing: 0.5, BlockNs: blockNs, Price: decide.Constant(1), Seat: &Seating{ByWork: true, HashesPerS: 9},
		Learning: &Learning{
			Subsets: []string{"sea", "law"}, Start: []float64{0.5, 0.5}, From: []uint64{0, 0}, Rule: decide.MixRule{Rate: 0.3}, Try: 0.1,
		},
		Money: Money{Sell: 0.5, Taking: &Taking{First: 9, Step: 1, Every: 2}, Nominating: &Nominating{Beta: 1, Share: 0.1}},
	}
}

// busyOwner has a node, a seal to find and money on its way.
func busyOwner() *Owner {
	o := NewOwner(testOwner())
	o.inner, o.on = Idle{}, true
	o.hash = hashing{on: true, timer: 4, difficulty: 7, searching: true, job: 5}
	o.purse.sent = []sentMoney{{id: 3, sells: 8}}
	return o
}

// ownerOfThree holds one of three uids, has given up another and buys the third.
func ownerOfThree() *Owner {
	c := testOwner()
	c.Identities = 3
	o := NewOwner(c)
	o.inner, o.on = Idle{}, true
	o.holds[0] = holding{seated: true, income: decide.Average{Known: true, Value: 5}}
	o.holds[1] = holding{seated: true, left: true, strikes: 2, stakeRao: 8}
	o.entry = entry{open: true, id: 7, as: 2}
	return o
}

var (
	minerOnce     = sync.OnceValue(testMiner)
	validatorOnce = sync.OnceValue(func() ValidatorConfig { return testValidator(5).config() })
	gatedOnce     = sync.OnceValue(func() ValidatorConfig { return gatedValidator(5, testValidator(5)).config() })
)

func TestAStateOfAnotherAgentIsRefused(t *testing.T) {
	made := agentsMade()
	for i, from := range made {
		for k, into := range made {
			before := into.AppendState(nil)
			err := into.RestoreState(from.AppendState(nil))
			if (err == nil) != (i == k) {
				t.Errorf("%T restored from %T: %v", into, from, err)
			}
			if !slices.Equal(before, into.AppendState(nil)) {
				t.Errorf("%T changed by the state of %T", into, from)
			}
		}
	}
}

func TestATruncatedStateIsRefusedAndChangesNothing(t *testing.T) {
	for _, a := range agentsMade() {
		state := a.AppendState(nil)
		step := max(1, len(state)/300)
		for n := 0; n < len(state); n += step {
			if a.RestoreState(state[:n]) == nil {
				t.Fatalf("%T took %d of %d bytes", a, n, len(state))
			}
		}
		if err := a.RestoreState(append(slices.Clone(state), 0)); err == nil {
			t.Errorf("%T took a byte too many", a)
		}
		if !slices.Equal(state, a.AppendState(nil)) {
			t.Errorf("%T changed", a)
		}
	}
}

// Given any bytes, an agent refuses them or restores a state that reads back.
func FuzzRestoringAnyBytesNeverPanics(f *testing.F) {
	for i, a := range agentsMade() {
		f.Add(byte(i), a.AppendState(nil))
	}
	f.Fuzz(func(t *testing.T, kind byte, state []byte) {
		made := agentsMade()
		a := made[int(kind)%len(made)]
		if a.RestoreState(state) != nil {
			return
		}
		if got := a.AppendState(nil); !slices.Equal(got, state) {
			t.Fatalf("%T: state %x reads back as %x", a, state, got)
		}
	})
}

func TestAConfigThatCannotWorkIsRefusedWithAReason(t *testing.T) {
	miner := func(spoil func(*MinerConfig)) error { c := testMiner(); spoil(&c); return c.Validate() }
	thinks := func(spoil func(*mind.TransformerConfig)) error { c := testMind(); spoil(&c); return c.Validate() }
	validator := func(spoil func(*ValidatorConfig)) error {
		c := gatedOnce()
		spoil(&c)
		return c.Validate()
	}
	judge := func(spoil func(*mind.TextJudgeConfig)) error {
		c := gatedValidator(5, testValidator(5)).text
		spoil(&c)
		return c.Validate()
	}
	prompts := func(spoil func(*mind.TextPrompts)) error {
		c := testApplication().Prompts.(mind.TextPrompts)
		spoil(&c)
		return c.Validate()
	}
	application := func(spoil func(*ApplicationConfig)) error {
		c := testApplication()
		spoil(&c)
		return c.Validate()
	}
	for _, c := range []struct {
		name string
		err  error
	}{
		{"miner without a mind", MinerConfig{}.Validate()},
		{"mind without a model", mind.TransformerConfig{}.Validate()},
		{"miner with too long requests", thinks(func(c *mind.TransformerConfig) { c.MaxCols = 17 })},
		{"miner with a duty above one", miner(func(c *MinerConfig) { c.Duty = 2 })},
		{"miner without text", thinks(func(c *mind.TransformerConfig) { c.Training.Mix = nil })},
		{"validator of an unknown era", validator(func(c *ValidatorConfig) { c.Era = "1.0" })},
		{"validator without a judge", validator(func(c *ValidatorConfig) { c.Judge = nil })},
		{"validator without peers", validator(func(c *ValidatorConfig) { c.Peers = 0 })},
		{"validator with more in the scoring lane than peers", validator(func(c *ValidatorConfig) { c.Gate.ScorePeers = 3 })},
		{"validator without a scoring lane", validator(func(c *ValidatorConfig) { c.Gate.ScorePeers = 0 })},
		{"gate without noise that is a number", validator(func(c *ValidatorConfig) { c.Gate.Noise = math.NaN() })},
		{"judge without a router", judge(func(c *mind.TextJudgeConfig) { c.RowRouter = nil })},
		{"judge with two routers", judge(func(c *mind.TextJudgeConfig) { c.Router = smallRouter(5) })},
		{"judge with labels of other subsets", judge(func(c *mind.TextJudgeConfig) {
			c.RowRouter = lm.NewRowRouter(smallModel(), 5, 2)
		})},
		{"judge with an unknown batch", judge(func(c *mind.TextJudgeConfig) { c.Batch = 2 })},
		{"judge asking for too much", judge(func(c *mind.TextJudgeConfig) { c.TopK = 34 })},
		{"judge without text", judge(func(c *mind.TextJudgeConfig) { c.Mix = nil })},
		{"judge of text of no length", judge(func(c *mind.TextJudgeConfig) { c.BytesPerToken = 0 })},
		{"application without a mind", application(func(c *ApplicationConfig) { c.Prompts = nil })},
		{"prompter asking for too much", prompts(func(c *mind.TextPrompts) { c.TopK = 34 })},
		{"prompter without text", prompts(func(c *mind.TextPrompts) { c.Mix = nil })},
		{"validator with alpha above one", validator(func(c *ValidatorConfig) { c.Alpha = 2 })},
		{"validator without steps", validator(func(c *ValidatorConfig) { c.StepNs = 0 })},
		{"application without peers", application(func(c *ApplicationConfig) { c.Peers = 0 })},
		{"owner without a node", OwnerConfig{Price: decide.Constant(1), Every: 1, Smoothing: 1, BlockNs: 1}.Validate()},
		{"owner who never decides", func() error { c := testOwner(); c.Every = 0; return c.Validate() }()},
		{"owner who sees nothing new", func() error { c := testOwner(); c.Smoothing = 0; return c.Validate() }()},
		{"bridge to nobody", BridgeConfig{EveryBlocks: 1}.Validate()},
		{"application with sessions that come before each other", application(func(c *ApplicationConfig) { c.EveryNs = -1 })},
		{"application that continues too much", application(func(c *ApplicationConfig) { c.MaxTokens = 1 << 15 })},
	} {
		if c.err == nil {
			t.Errorf("a %s is valid", c.name)
		}
	}
	for _, err := range []error{
		testMiner().Validate(), validator(func(*ValidatorConfig) {}), judge(func(*mind.TextJudgeConfig) {}),
		testApplication().Validate(), prompts(func(*mind.TextPrompts) {}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}
