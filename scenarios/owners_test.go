package scenarios

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/agents"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// choices keeps the decisions of a run.
type choices struct{ rows []trace.Decision }

// Record implements trace.Recorder.
func (c *choices) Record(row trace.Row) {
	if d, ok := row.(trace.Decision); ok {
		c.rows = append(c.rows, d)
	}
}

// of are the decisions of a kind and a choice; an empty choice is any.
func (c *choices) of(kind, choice string) []trace.Decision {
	return slices.DeleteFunc(slices.Clone(c.rows), func(d trace.Decision) bool {
		return d.Kind != kind || choice != "" && d.Choice != choice
	})
}

// lived returns a scenario's network after its last block; if paranoid, every invariant of its ledger is
// checked after every step.
func lived(t *testing.T, name string, paranoid bool, sets ...string) (*virtual.World, *Network, *choices) {
	t.Helper()
	file, err := Load(name, sets)
	if err != nil {
		t.Fatal(err)
	}
	seen := &choices{}
	network, err := file.Build(&Material{}, Options{Recorder: seen, Paranoid: paranoid})
	if err != nil {
		t.Fatal(err)
	}
	world := ran(t, network)
	return world, network, seen
}

func TestTheDearestMinersLeaveFirstWhenThePriceDoubles(t *testing.T) {
	_, network, seen := lived(t, "economy/exit", false)
	var order []string
	for _, d := range seen.of("seat", "leave") {
		order = append(order, network.Nodes[d.Node].Name)
		if remaining := 24 - len(order) + 1; math.Abs(*d.IncomeRao*float64(remaining)/180e9-1) > 0.01 {
			t.Errorf("%s expects %.4g rao an epoch among %d, want an equal part of 180 TAO", network.Nodes[d.Node].Name, *d.IncomeRao, remaining)
		}
	}
	want := []string{"miner-24", "miner-23", "miner-22", "miner-21", "miner-20", "miner-19", "miner-18", "miner-17"}
	if !slices.Equal(order, want) {
		t.Errorf("they leave in the order %v, want the dearest first, %v", order, want)
	}
}

func TestBooksBalanceWhileOwnersComeAndGo(t *testing.T) {
	sets := []string{"time.hours=60", "prices[0].drift=100", "miners[0].decide.every_epochs=1", "miners[0].decide.sell=1", "validators[0].decide.every_epochs=3", "miners[0].decide.patience=12",
		"validators[0].decide.sell=0.5", "validators[0].decide.half_life_years=1", "validators[0].decide.take=0.1"}
	world, _, seen := lived(t, "economy/exit", true, sets...)
	moved := uint64(0)
	for _, d := range seen.of("stake", "sell") {
		moved += *d.AmountRao
	}
	if len(seen.of("seat", "leave")) < 5 || moved == 0 {
		t.Errorf("%d departures, %d rao sold: nothing has come and gone", len(seen.of("seat", "leave")), moved)
	}
	bought := world.Chain().FreeOf(virtual.PublicKey(1, "exchange", host.Coldkey))
	if late := moved - bought; moved < bought || late > moved/20 {
		t.Errorf("owners sold %d rao, the exchange has %d: more than the newest sales are missing", moved, bought)
	}
}

func TestNoiseIsOutWithinItsImmunityAndThreeEpochs(t *testing.T) {
	const tempo, immunity = 360, 1080
	world, network, seen := lived(t, "testdata/economy/noise.toml", false)
	entered, out := map[uint32]uint64{}, map[uint32]uint64{}
	for _, d := range seen.of("seat", "") {
		name := network.Nodes[d.Node].Name
		switch d.Choice {
		case "enter":
			if _, left := out[d.Node]; left {
				t.Errorf("%s enters again at block %d, expecting %g rao", name, d.Block, *d.IncomeRao)
			}
			entered[d.Node] = d.Block
		case "return":
			t.Errorf("%s returns at block %d, expecting %g rao at a cost of %g", name, d.Block, *d.IncomeRao, *d.CostRao)
		case "leave":
			out[d.Node] = d.Block
			if took := d.Block - entered[d.Node]; took > immunity+3*tempo {
				t.Errorf("%s leaves %d blocks after it entered, want at most %d of immunity and 3 epochs", name, took, immunity)
			}
		}
	}
	if len(entered) != 4 || len(seen.of("seat", "leave")) != 4 {
		t.Errorf("%d of 4 entered, %d left", len(entered), len(seen.of("seat", "leave")))
	}
	if n := world.Chain().N(); n != 19 {
		t.Errorf("%d seats are taken, want 19", n)
	}
	// Where a seat costs nothing, noise keeps it.
	if _, _, seen := lived(t, "testdata/economy/noise.toml", false, "miners[1].decide.hardware_per_h=0"); len(seen.of("seat", "leave")) > 0 {
		t.Error("noise leaves a seat that costs nothing")
	}
}

// A seat that nobody loses, where nothing is discounted, is worth more than any number: its row has none.
func TestAWorthWithoutBoundHasNoValue(t *testing.T) {
	_, _, seen := lived(t, "testdata/economy/noise.toml", false, "time.hours=60", "miners[1].decide.entry=value", "miners[1].decide.discount=0")
	boundless := 0
	for _, d := range seen.of("seat", "") {
		if d.EntryRao == nil {
			continue // it has a seat
		}
		if *d.Hazard == 0 {
			boundless++
		}
		if (d.ValueRao == nil) != (*d.Hazard == 0) || d.ValueRao != nil && math.IsInf(*d.ValueRao, 0) {
			t.Errorf("%s at hazard %v: value %v", d.Choice, *d.Hazard, d.ValueRao)
		}
	}
	if boundless == 0 {
		t.Error("no seat without hazard was looked at")
	}
}

// A run whose agents go through bytes, and one that stops and goes on, end as the straight one does: with
// owners who enter, leave, hash, sell and nominate.
func TestOwnersSurviveBytes(t *testing.T) {
	for _, c := range []struct {
		name string
		at   []host.Time // seconds
		sets []string
	}{
		{"testdata/economy/noise.toml", []host.Time{90 * 3600, 180_001}, []string{"miners[1].decide.sell=0.5"}},
		{"testdata/economy/work.toml", []host.Time{4000, 20_001}, []string{"time.hours=6", "chain.seal=keccak-hotkey", "chain.difficulty=10000",
			"miners[0].decide.hashes_per_s=10", "miners[1].decide.hashes_per_s=10", "miners[2].decide.hashes_per_s=10"}},
		{"testdata/economy/learn.toml", []host.Time{90_000}, []string{"time.hours=50", "miners[0].decide.mix_by=bandit", "miners[0].decide.every_epochs=2"}},
		{"testdata/economy/learn.toml", []host.Time{90_000}, []string{"time.hours=50", "miners[0].decide.mix_by=gradient", "miners[0].decide.every_epochs=2"}},
		{"economy/concentration", []host.Time{4_000_000}, []string{"time.hours=2000", "trace.every_epochs=1", "validators[1].decide.take_step=0.01"}},
	} {
		digest := func(at host.Time) (string, int) {
			file, err := Load(c.name, c.sets)
			if err != nil {
				t.Fatal(err)
			}
			seen := &choices{}
			network, err := file.Build(&Material{}, Options{Recorder: seen, RoundTripAt: at * host.Second})
			if err != nil {
				t.Fatal(err)
			}
			world := ran(t, network)
			return world.Digest().String(), len(seen.rows)
		}
		want, n := digest(0)
		if n < 20 {
			t.Errorf("%s: %d decisions only", c.name, n)
		}
		for _, at := range c.at {
			if got, _ := digest(at); got != want {
				t.Errorf("%s: run digest %s with states sent through bytes at %d s, %s without", c.name, got, at, want)
			}
		}
	}
}

// Real seals are searched and checked where the work budget allows it.
func TestMinersRegisterWithRealSeals(t *testing.T) {
	_, _, seen := lived(t, "testdata/economy/work.toml", false, "time.hours=6", "chain.seal=keccak-hotkey", "chain.difficulty=10000",
		"miners[0].decide.hashes_per_s=10", "miners[1].decide.hashes_per_s=10", "miners[2].decide.hashes_per_s=10")
	if n := len(seen.of("work", "seal")); n < 20 {
		t.Errorf("%d seals in 10 hours of 48 miners at 10 hashes a second against a difficulty of 10,000 are too few", n)
	}
	_, err := Load("testdata/economy/work.toml", []string{"chain.seal=keccak-hotkey"})
	if err == nil || !strings.Contains(err.Error(), "granted") {
		t.Errorf("work for %g hashes a second is not refused: %v", hashesPerS, err)
	}
}

// The gain that explain prints follows the law, and a gain above half of the limit gives a warning.
func TestGroupsThatAnswerTooStronglyAreWarnedOf(t *testing.T) {
	for beta, warned := range map[string]bool{"holders[0].move=0.02": false, "holders[0].move=0.05": true} { // order-free: each stands alone
		file, err := Load("economy/concentration", []string{beta})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(file.Warnings()) > 0; got != warned {
			t.Errorf("%s: warnings %q", beta, file.Warnings())
		}
		list, err := file.InForce()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(list, func(s Setting) bool {
			return strings.Contains(s.Name, "nominations") && strings.HasPrefix(s.Value, "gain")
		}) {
			t.Errorf("%s: the settings in force do not tell the gain", beta)
		}
	}
}

// Nominators who follow yields bring half of all stake onto two seats; with equal takes, or nominators who
// follow less closely, it stays spread over four or five.
func TestRestakingConcentratesStakeUnlessDelegatesCompete(t *testing.T) {
	for _, c := range []struct {
		set       string
		low, high int
	}{{"seed=1", 1, 2}, {"validators[1].decide.take=0", 5, 8}, {"holders[0].beta=1", 4, 8}} {
		world, _, _ := lived(t, "economy/concentration", false, c.set)
		if n := nakamoto(world.Chain()); n < c.low || n > c.high {
			t.Errorf("%s: half of the stake is on %d seats, want %d to %d", c.set, n, c.low, c.high)
		}
	}
}

// A network survives a foundation that sells three quarters of its stake: each epoch pays.
func TestANetworkLivesOnWhenItsFoundationSellsOut(t *testing.T) {
	world, network, _ := lived(t, "economy/foundation", false)
	view := world.Chain()
	foundation := slices.IndexFunc(network.Nodes, func(n report.Node) bool { return n.Name == "foundation-1" })
	hotkey := virtual.PublicKey(1, network.Nodes[foundation].Name, host.Hotkey)
	if left := view.StakeOf(hotkey); left > 3_000_000e9/25 {
		t.Errorf("after five half-lives the foundation has %d rao of 3,000,000 TAO", left)
	}
	if n := nakamoto(view); n < 4 {
		t.Errorf("half of the stake is on %d seats, want at least 4", n)
	}
	if m := view.Totals(); m.Unallocated != 0 || m.Minted != m.Free+m.Staked+m.Unbonding+m.Pending+m.Burned+m.Dust+m.Unallocated {
		t.Errorf("the books do not balance, or an epoch paid nobody: %+v", m)
	}
	last := uint64(0)
	for i := range view.N() {
		last += view.Neuron(chain.UID(i)).EmissionRao
	}
	if last == 0 {
		t.Error("the last epoch paid nobody")
	}
}

// nakamoto is the fewest seats with more than half of the stake.
func nakamoto(view chain.View) (seats int) {
	var stakes []uint64
	total := uint64(0)
	for i := range view.N() {
		rao := view.Neuron(chain.UID(i)).StakeRao
		stakes, total = append(stakes, rao), total+rao
	}
	slices.Sort(stakes)
	for held := uint64(0); held <= total/2; seats++ {
		held += stakes[len(stakes)-1-seats]
	}
	return seats
}

// vaultBooks are the books of a bridge as the rows of its run tell them: what it locked, what was burned on the
// other chain, and what the ledger paid out of the vault.
type vaultBooks struct {
	choices
	bridge               uint32
	locked, burned, paid uint64
	payments             []uint64 // that the ledger does not have yet, in the order in which they were submitted
}

// Record implements trace.Recorder.
func (v *vaultBooks) Record(row trace.Row) {
	v.choices.Record(row)
	switch r := row.(type) {
	case trace.Decision:
		switch {
		case r.Kind != "bridge":
		case r.Choice == "lock":
			v.locked += *r.AmountRao
		case r.Choice == "burn":
			v.burned += *r.AmountRao
		case r.Choice == "pay":
			v.payments = append(v.payments, *r.AmountRao)
		}
	case trace.Transaction:
		if r.Node != nil && *r.Node == v.bridge && r.Outcome == trace.Included {
			v.paid, v.payments = v.paid+v.payments[0], v.payments[1:]
		}
	}
}

// check compares the rows with the bridge's own books and with the vault's account.
func (v *vaultBooks) check(b *agents.Bridge, freeRao uint64) error {
	m := b.Totals()
	settled := v.burned - m.PendingBackRao // of what was burned, the bridge knows this to be paid
	switch {
	case m.Check() != nil || m.ShortfallRao != 0:
		return fmt.Errorf("%w, %d rao missing", m.Check(), m.ShortfallRao)
	case m.LockedRao != v.locked-settled:
		return fmt.Errorf("%d rao are locked in the books; %d were, of which %d were paid", m.LockedRao, v.locked, settled)
	case v.paid < settled || v.paid > settled+b.UnderWayRao():
		return fmt.Errorf("the ledger has payments of %d rao; by the books %d are made and %d under way", v.paid, settled, b.UnderWayRao())
	case freeRao+v.paid < v.locked:
		return fmt.Errorf("the vault holds %d rao and paid %d; %d were locked", freeRao, v.paid, v.locked)
	}
	return nil
}

// The books of a bridge agree with its vault and its payments to the rao, at every block, through crashes of the
// bridge and reorganisations of the other chain no deeper than it waits. A crash that set the books back would
// have it pay again, or forget what was burned.
func TestTheVaultHoldsWhatIsLocked(t *testing.T) {
	file, err := Load("testdata/economy/bridge.toml", []string{"faults[0].every_s=300", "faults[0].down_s=40"})
	if err != nil {
		t.Fatal(err)
	}
	seen := &vaultBooks{}
	network, err := file.Build(&Material{}, Options{Recorder: seen, Paranoid: true})
	if err != nil {
		t.Fatal(err)
	}
	vault := virtual.PublicKey(file.Seed, "bridge", host.Coldkey)
	place := slices.IndexFunc(network.Nodes, func(n report.Node) bool { return n.Name == "bridge" })
	seen.bridge = uint32(place)
	world, err := virtual.New(network.Config)
	if err != nil {
		t.Fatal(err)
	}
	level, clear := 0, uint64(0)
	for height := uint64(1); height < file.BlockCount(); height++ {
		world.PauseAt(height)
		if err := world.Run(context.Background()); !errors.Is(err, virtual.ErrPaused) {
			t.Fatal(err)
		}
		bridge, free := world.Agent(place).(*agents.Bridge), world.Chain().FreeOf(vault)
		if err := seen.check(bridge, free); err != nil {
			t.Fatalf("block %d: %v", height, err)
		}
		if locked := bridge.Totals().LockedRao; free == locked && locked > 0 {
			level++
		}
		if bridge.UnderWayRao() == 0 {
			clear = height
		}
	}
	if file.BlockCount()-clear > 100 {
		t.Errorf("the bridge has not heard of a payment since block %d of %d", clear, file.BlockCount())
	}
	if uint64(level) < file.BlockCount()/2 {
		t.Errorf("the vault holds what is locked after %d of %d blocks", level, file.BlockCount())
	}
	for _, choice := range []string{"lock", "burn", "pay", "reorganise"} {
		if len(seen.of("bridge", choice)) < 10 {
			t.Errorf("%d times %s, want at least 10", len(seen.of("bridge", choice)), choice)
		}
	}
	if m := world.Agent(place).(*agents.Bridge).Totals(); m.MintedRao == 0 || m.PendingBackRao == 0 {
		t.Errorf("nothing is minted, or nothing on its way back: %+v", m)
	}
}
