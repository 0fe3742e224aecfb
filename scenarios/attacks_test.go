package scenarios

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/virtual"
)

// A line of a script: what a node submits at a height, given what its chain shows there.
type line struct {
	atBlock uint64
	msgs    func(host.Env) []chain.Msg
}

// scripted wraps a node's agent so that it also submits the messages of a script, signed by its coldkey.
type scripted struct {
	lines    []line
	outcome  *outcome
	inner    host.Agent
	open     map[host.SubmitID]bool
	awaiting map[host.TimerID]int
}

// outcome counts the outcomes of a script's transactions.
type outcome struct {
	sent, included int
	refused        map[string]int
}

func (o *outcome) String() string {
	return fmt.Sprintf("%d sent, %d included, refused %v", o.sent, o.included, o.refused)
}

func (n *scripted) Handle(env host.Env, event host.Event) {
	switch e := event.(type) {
	case host.Start:
		n.open, n.awaiting = map[host.SubmitID]bool{}, map[host.TimerID]int{}
		for i, l := range n.lines {
			n.awaiting[env.AtBlock(l.atBlock, 1<<20)] = i
		}
	case host.Block:
		if i, mine := n.awaiting[e.ID]; mine {
			for _, m := range n.lines[i].msgs(env) {
				n.outcome.sent++
				n.open[env.Submit(host.Coldkey, m)] = true
			}
			return
		}
	case host.Included:
		if n.open[e.ID] {
			n.outcome.included++
			return
		}
	case host.Rejected:
		if n.open[e.ID] {
			n.outcome.refused[e.Reason]++
			return
		}
	case host.Expired:
		if n.open[e.ID] {
			n.outcome.refused["expired"]++
			return
		}
	}
	n.inner.Handle(env, event)
}

func (n *scripted) AppendState(b []byte) []byte { return state.Begin(b, "scripted node") }

func (n *scripted) RestoreState(b []byte) error { return state.Open("scripted node", b).End() }

// runAttacked runs the scenario of an attack in which nodes follow scripts, and returns each script's outcome.
func runAttacked(t *testing.T, scripts map[string][]line, sets ...string) (*economyRun, map[string]*outcome) {
	t.Helper()
	outcomes := map[string]*outcome{}
	r := runEconomy(t, "attacked", func(c *virtual.Config) {
		for i := range c.Nodes {
			lines, follows := scripts[c.Nodes[i].Name]
			if !follows {
				continue
			}
			o := &outcome{refused: map[string]int{}}
			outcomes[c.Nodes[i].Name] = o
			c.Nodes[i].Agent = &scripted{lines: lines, outcome: o, inner: c.Nodes[i].Fresh()}
		}
	}, sets...)
	return r, outcomes
}

const seedOfAttacks = 1

func cold(name string) chain.Key { return virtual.PublicKey(seedOfAttacks, name, host.Coldkey) }
func hot(name string) chain.Key  { return virtual.PublicKey(seedOfAttacks, name, host.Hotkey) }

// ledgers are the two on which an attack is run.
var ledgers = []struct {
	name string
	sets []string
}{{"2026", nil}, {"live", []string{"chain.hard.preset=live"}}}

func tao(rao uint64) float64 { return float64(rao) / chain.RaoPerTAO }

// On the ledger of an era one rao creates an account that is never removed. On the ledger for strangers each
// account locks a deposit.
func TestAnAttackWithDustCostsDepositsAmongStrangers(t *testing.T) {
	const accounts = 400
	twenty := func(env host.Env) (msgs []chain.Msg) {
		for i := range 20 {
			to := virtual.PublicKey(env.Chain().Height(), fmt.Sprint("dust ", i), host.Coldkey)
			msgs = append(msgs, chain.Transfer{To: to, AmountRao: 1})
		}
		return msgs
	}
	var lines []line
	for i := range uint64(accounts / 20) {
		lines = append(lines, line{100 + 2*i, twenty})
	}
	for _, l := range ledgers {
		r, outcomes := runAttacked(t, map[string][]line{"thief-1": lines}, l.sets...)
		o, made := outcomes["thief-1"], 0
		for i := range uint64(accounts / 20) {
			for k := range 20 {
				if r.world.Chain().FreeOf(virtual.PublicKey(100+2*i, fmt.Sprint("dust ", k), host.Coldkey)) > 0 {
					made++
				}
			}
		}
		spent := 1000*chain.RaoPerTAO - r.world.Chain().FreeOf(cold("thief-1"))
		t.Logf("%s: %s; %d accounts of dust for %.9f TAO; a million would lock %.0f TAO", l.name, o, made, tao(spent),
			1e6*tao(r.world.Chain().Params().Hard.ExistentialRao))
		if l.name == "live" && (made > 0 || o.included > 0) || l.name != "live" && (made != accounts || spent > 2*accounts) {
			t.Errorf("%s: %d accounts for %d rao, %s", l.name, made, spent, o)
		}
	}
}

// On the ledger of an era, anyone who registers a stranger's hotkey first owns it, and its holder cannot join. On
// the ledger for strangers a hotkey consents to its owner.
func TestAHotkeyIsSquattedOnAnErasLedgerOnly(t *testing.T) {
	squat := []line{{100, func(host.Env) []chain.Msg { return []chain.Msg{chain.Register{Hotkey: hot("newcomer-1")}} }}}
	for _, l := range ledgers {
		r, outcomes := runAttacked(t, map[string][]line{"thief-1": squat}, l.sets...)
		owner, _ := r.world.Chain().OwnerOf(hot("newcomer-1"))
		spent := 1000*chain.RaoPerTAO - r.world.Chain().FreeOf(cold("thief-1"))
		t.Logf("%s: %s for %.9f TAO; the thief owns the newcomer's hotkey: %t", l.name, outcomes["thief-1"], tao(spent), owner == cold("thief-1"))
		want := cold("thief-1")
		if l.name == "live" {
			want = cold("newcomer-1")
		}
		if owner != want || l.name == "live" && spent > chain.RaoPerTAO/100 {
			t.Errorf("%s: the owner is %s, expected %s; %d rao spent", l.name, owner, want, spent)
		}
		if _, seated := r.world.Chain().UIDOf(hot("newcomer-1")); !seated {
			t.Errorf("%s: the hotkey has no seat", l.name)
		}
	}
}

// Stake that comes a few blocks before an epoch and leaves after it is paid for the whole of it on the ledger of an
// era. Among strangers it earns nothing, and is on its way out for as long as it answers for its hotkey.
func TestSnipedDividendsAreAnErasOnly(t *testing.T) {
	const amount = 500 * chain.RaoPerTAO
	delegate := []line{{30, func(env host.Env) []chain.Msg {
		return []chain.Msg{chain.Delegate{Hotkey: env.Self().Hotkey, Take: 1000}}
	}}}
	snipe := func(from uint64) []line {
		nominated := func(env host.Env) uint64 { return env.Chain().NominationOf(hot("validator-1"), cold("thief-1")) }
		return []line{
			{from - 4, func(host.Env) []chain.Msg {
				return []chain.Msg{chain.AddStake{Hotkey: hot("validator-1"), AmountRao: amount}}
			}},
			{from + 1, func(env host.Env) []chain.Msg {
				return []chain.Msg{chain.RemoveStake{Hotkey: hot("validator-1"), AmountRao: nominated(env)}}
			}},
		}
	}
	for _, l := range ledgers {
		const epoch = 450 // of the era 2026, which ends one every tempo
		r, outcomes := runAttacked(t, map[string][]line{"thief-1": snipe(epoch), "validator-1": delegate}, l.sets...)
		v, o := r.world.Chain(), outcomes["thief-1"]
		back := v.FreeOf(cold("thief-1"))
		for _, u := range v.UnbondingOf(cold("thief-1")) {
			back += u.Rao
		}
		gain := int64(back) - 1000*chain.RaoPerTAO
		t.Logf("%s: %s; 500 TAO for 5 blocks around block %d earned %.9f TAO", l.name, o, epoch, float64(gain)/chain.RaoPerTAO)
		if o.included != 2 || l.name == "live" && gain > 0 || l.name != "live" && gain < chain.RaoPerTAO {
			t.Errorf("%s: %s, gained %d rao", l.name, o, gain)
		}
	}
}

// A council of a scenario's nodes changes a parameter when enough of them agree, after the delay and at an
// epoch's end; one of them, or somebody else, cannot.
func TestACouncilOfNodesGovernsARun(t *testing.T) {
	propose := []line{{30, func(env host.Env) []chain.Msg {
		was := env.Chain().Params().ImmunityBlocks
		return []chain.Msg{chain.Propose{Changes: []chain.ParamChange{{Name: "ImmunityBlocks", Value: was + was/4}}}}
	}}}
	approve := []line{{60, func(host.Env) []chain.Msg { return []chain.Msg{chain.Approve{}} }}}
	sets := []string{
		`chain.council=["validator-1", "validator-2", "thief-1"]`, "chain.council_threshold=2", "chain.hard.vote_delay_blocks=100",
	}
	for _, c := range []struct {
		votes   map[string][]line
		changes bool
	}{
		{map[string][]line{"validator-1": propose, "validator-2": approve}, true},
		{map[string][]line{"thief-1": propose, "validator-3": approve}, false},
	} {
		before, _ := runAttacked(t, nil, sets...)
		r, outcomes := runAttacked(t, c.votes, sets...)
		members, threshold := r.world.Chain().Council()
		was, is := before.world.Chain().Params().ImmunityBlocks, r.world.Chain().Params().ImmunityBlocks
		if len(members) != 3 || members[0] != cold("validator-1") || threshold != 2 || (is == was+was/4) != c.changes || !c.changes && is != was {
			t.Errorf("%v: immunity of %d blocks became %d; %d of %v; %v", c.changes, was, is, threshold, members, outcomes)
		}
	}
}

func TestACouncilThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []struct {
		sets []string
		want string
	}{
		{[]string{`chain.council=["validator-1"]`, "chain.council_threshold=1"}, "nobody votes on this chain"},
		{[]string{`chain.council=["validator-1", "validator-2"]`, "chain.council_threshold=1"}, "more than half"},
		{[]string{"chain.council_threshold=1"}, "1 of a council of 0"},
		{[]string{`chain.council=["validator-9"]`, "chain.council_threshold=1"}, `no node "validator-9"`},
		{[]string{`chain.council=["validator-1", "validator-1"]`, "chain.council_threshold=2"}, "appears twice"},
	} {
		sets := c.sets
		if c.want != "nobody votes on this chain" {
			sets = append(sets, "chain.hard.vote_delay_blocks=100")
		}
		if _, err := Load("testdata/economy/attacked.toml", sets); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, expected %q", sets, err, c.want)
		}
	}
}

// A needless registration drives the price of a seat up for all others: by demand the price rises with each registration,
// by intervals it doubles with each that is filled. The figures are those of attacks.md, K1.
func TestAFloodOfRegistrationsPaysThePriceThatItDrivesUp(t *testing.T) {
	flood := func(blocks func(i uint64) uint64, n uint64) map[string][]line {
		var lines []line
		for i := range n {
			lines = append(lines, line{blocks(i), func(host.Env) []chain.Msg {
				return []chain.Msg{chain.Register{Hotkey: virtual.PublicKey(seedOfAttacks, fmt.Sprint("flood ", i), host.Hotkey)}}
			}})
		}
		return map[string][]line{"thief-1": lines}
	}
	for _, c := range []struct {
		name   string
		blocks func(i uint64) uint64
		costs  map[uint64]float64 // of so many registrations
		sets   []string
	}{
		{"by demand", func(i uint64) uint64 { return 101 + i }, map[uint64]float64{16: 14.80, 24: 94.65, 31: 472.39}, []string{"chain.burn_tao=0.12146638"}}, // halved in 360 blocks: 0.1 in block 101,
		{"by intervals", func(i uint64) uint64 { return 102 + 100*(i/6) + i%6 }, map[uint64]float64{6: 6, 12: 18, 24: 90, 42: 762},
			[]string{"chain.era=2025-01", "chain.burn_tao=1", "chain.adjustment_blocks=100", "chain.target_registrations=2", "chain.adjustment_alpha=0"}},
	} {
		for n, want := range c.costs { // order-free: each stands alone
			r, outcomes := runAttacked(t, flood(c.blocks, n), append(c.sets, "chain.max_uids=80", "chain.tempo_blocks=800", "chain.immunity_blocks=5000", "miners[2].stake_tao=0")...)
			o, spent := outcomes["thief-1"], tao(1000*chain.RaoPerTAO-r.world.Chain().FreeOf(cold("thief-1")))
			t.Logf("%s: %d registrations cost %.4f TAO; %s", c.name, n, spent, o)
			if o.included != int(n) || math.Abs(spent-want) > 0.01 {
				t.Errorf("%s: %d registrations cost %.4f TAO, want %.2f; %s", c.name, n, spent, want, o)
			}
		}
	}
}
