package scenarios

import (
	"fmt"
	"math"
	"testing"

	"taolab/model/base"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/virtual"
)

// mover moves stake around the epochs of an agent that knows nothing of it.
type mover struct {
	host.Agent
	lead uint64 // blocks between the one that wakes it and the one of the epoch
	move func(env host.Env, epoch uint64)
}

const moveTag = 1 << 20 // no tag of the agent's

func (m *mover) Handle(env host.Env, event host.Event) {
	if e, block := event.(host.Block); block && e.Tag == moveTag {
		m.move(env, env.Chain().Epochs())
		m.await(env)
		return
	}
	m.Agent.Handle(env, event)
	if _, start := event.(host.Start); start {
		m.await(env)
	}
}

func (m *mover) await(env host.Env) {
	height := env.Chain().Height()
	if next, ok := env.Chain().EpochAfter(height + m.lead); ok {
		env.AtBlock(next-m.lead, moveTag)
	}
}

// moving wraps the agents of a group.
func moving(c *virtual.Config, group string, lead uint64, move func(env host.Env, epoch uint64)) {
	for i := range c.Nodes {
		if n := &c.Nodes[i]; n.Group == group {
			n.Agent = &mover{n.Fresh(), lead, move}
		}
	}
}

// TestStakeThatIsThereForOneEpochEarnsThatEpochsShare: nine times a validator's stake comes in the
// block before epoch 40 and leaves before the next epoch (attacks.md 4.7, V11).
func TestStakeThatIsThereForOneEpochEarnsThatEpochsShare(t *testing.T) {
	for rule, want := range map[string][4]float64{
		"Y2": {.01234, .02222, .02123, .09707}, "L25": {.01235, .10120, .02126, .09877},
		"Y3": {.01235, .11111, .01235, .09877}, "Y3L": {.01235, .11111, .01235, .09877}, "N": {.01235, .02236, .02134, .09800},
	} {
		file, err := Load("testdata/economy/dormant.toml", append(rules[rule][:len(rules[rule]):len(rules[rule])],
			"validators[0].count=8", "validators[0].stake_tao=100000", `validators[0].weights=["1000 + j"]`,
			"validators[1].stake_tao=10000", "validators[1].free_tao=90000", "validators[1].last_epoch=1000", `validators[1].weights=["1000 + j"]`))
		if err != nil {
			t.Fatal(err)
		}
		r := runFile(t, file, func(c *virtual.Config) {
			const amount = 90000e9
			moving(c, "dormant", 2, func(env host.Env, epoch uint64) {
				switch epoch {
				case warmUp + 40:
					env.Submit(host.Coldkey, chain.AddStake{Hotkey: env.Self().Hotkey, AmountRao: amount})
				case warmUp + 41:
					env.Submit(host.Coldkey, chain.RemoveStake{Hotkey: env.Self().Hotkey, AmountRao: amount})
				}
			})
		})
		own := func(epoch int) float64 {
			mine, all := 0.0, 0.0
			for _, row := range r.epochs[epoch] {
				if n := r.nodes[*row.Node]; n.Role == "validator" {
					all += float64(row.EmissionRao)
					if n.Group == "dormant" {
						mine += float64(row.EmissionRao)
					}
				}
			}
			return mine / all
		}
		sum := 0.0
		for epoch := 40; epoch < 80; epoch++ {
			sum += own(warmUp+epoch) - own(warmUp+39)
		}
		for i, got := range []float64{own(warmUp + 39), own(warmUp + 40), own(warmUp + 41), sum} {
			if math.Abs(got-want[i]) > 1.2e-5*[]float64{1, 1, 1, 4}[i] {
				t.Errorf("%s: %s %.5f, expected %.5f", rule, []string{"epoch 39", "epoch 40", "epoch 41", "gains"}[i], got, want[i])
			}
		}
	}
}

// TestACabalBelowKappaShrinksWhereItCompoundsAndTakesNakamotoOver: each side puts what its miners earn on its
// validators, an epoch pays 1 % of all stake, 300 epochs (attacks.md 4.2).
func TestACabalBelowKappaShrinksWhereItCompoundsAndTakesNakamotoOver(t *testing.T) {
	for _, c := range []struct {
		rule           string
		stake, utility float64
		want           float64
	}{
		{"Y2", .4, .5, .4647}, {"Y2", .4, .7, .2446}, {"Y2", .51, .7, .9562}, {"Y3", .4, .6, .3446}, {"Y3", .49, .7, .2545}, {"N", .4, .7, .9032},
	} {
		sets := append(rules[c.rule][:len(rules[c.rule]):len(rules[c.rule])], "time.hours=800",
			fmt.Sprintf("validators[0].stake_tao=%.6f", 5e5*(1-c.stake)/6), fmt.Sprintf("validators[1].stake_tao=%.6f", 5e5*c.stake/4),
			fmt.Sprintf(`validators[0].weights=["good: %d", "friend: %d"]`, int(c.utility*180000+.5), int((1-c.utility)*300000+.5)),
			`miners[0].coldkey="honest-1"`, `validators[0].coldkey="honest-1"`, `miners[1].coldkey="cabal-1"`, `validators[1].coldkey="cabal-1"`)
		same4(t, fmt.Sprintf("%s, stake %g, utility %g", c.rule, c.stake, c.utility), compounded(t, sets), c.want)
	}
}

// compounded is the share of all stake that the cabal has, what its miners have just earned included, 300 epochs
// after the first that counts.
func compounded(t *testing.T, sets []string) float64 {
	t.Helper()
	file, err := Load("testdata/economy/cabal.toml", sets)
	if err != nil {
		t.Fatal(err)
	}
	material, err := file.Prepare(t.Context(), base.Cache{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	network, err := file.Build(material, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for group, validators := range map[string]uint64{"good": 0, "friend": 0, "honest": 6, "cabal": 4} { // order-free: each wraps its own
		lead := uint64(60) // before the epoch: first the miners take out, then the validators put in
		if validators > 0 {
			lead = 30
		}
		moving(&network.Config, group, lead, func(env host.Env, _ uint64) {
			self, view := env.Self(), env.Chain()
			if validators == 0 {
				if stake := view.StakeOf(self.Hotkey); stake > 0 {
					env.Submit(host.Coldkey, chain.RemoveStake{Hotkey: self.Hotkey, AmountRao: stake})
				}
			} else if part := view.FreeOf(self.Coldkey) / validators; part > 0 {
				env.Submit(host.Coldkey, chain.AddStake{Hotkey: self.Hotkey, AmountRao: part})
			}
		})
	}
	world, err := virtual.New(network.Config)
	if err != nil {
		t.Fatal(err)
	}
	of := func(group string) (stake float64) {
		for i := range network.Config.Nodes {
			if n := &network.Config.Nodes[i]; n.Group == group {
				stake += float64(world.Chain().StakeOf(virtual.PublicKey(file.Seed, n.Name, host.Hotkey)))
			}
		}
		return stake
	}
	tempo := uint64(file.Chain.TempoBlocks)
	for {
		epoch := world.Chain().Epochs()
		if epoch >= warmUp+300 {
			return (of("cabal") + of("friend")) / (of("cabal") + of("honest") + of("good") + of("friend"))
		}
		if epoch >= warmUp {
			pay := uint64((of("cabal") + of("honest") + of("good") + of("friend")) / 100 / float64(tempo))
			if err := world.Govern(chain.SetParams{Name: "EmissionFlatRao", Value: pay}); err != nil {
				t.Fatal(err)
			}
		}
		next, _ := world.Chain().EpochAfter(world.Chain().Height())
		world.PauseAt(next)
		if err := world.Run(t.Context()); err != virtual.ErrPaused {
			t.Fatalf("%v in epoch %d", err, epoch)
		}
	}
}
