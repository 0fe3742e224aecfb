package chain

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

// seated is a network of four seats whose hotkeys have 400, 200, 100 and 50 TAO, those of hot0 to hot3.
func seated(t testing.TB, change func(*Hard)) *world {
	return stage(t, 4, func(g *Genesis) {
		g.Params.MaxTake = 20000
		h := &g.Params.Hard
		*h = Hard{
			Seats: 4, MinSeatRao: 10 * RaoPerTAO, ChurnDen: 10, JailWindow: 8, JailSigned: 32768, JailEpochs: 1,
			SlashEquivocation: 3277, UnbondEpochs: 5, WarmStake: true,
		}
		change(h)
		if h.Seats > 0 {
			for i := range 4 {
				g.Operators = append(g.Operators, GenesisOperator{hots[i].key, engineKey(i)})
			}
		}
	})
}

func asItIs(*Hard) {}

// voted ends a block in which everybody took part but some.
func (w *world) voted(away ...int) {
	var b Begin
	for i, o := range w.s.operators {
		missed := false
		for _, k := range away {
			missed = missed || o.key == engineKey(k)
		}
		b.Votes = append(b.Votes, Vote{AddressOf(w.s.operators[i].key), missed})
	}
	w.begin(b)
	w.end(1)
}

func (w *world) accuse(engine int) {
	w.begin(Begin{Misbehavior: []Misbehavior{{AddressOf(engineKey(engine)), w.s.height}}})
	w.end(1)
}

// operatorOf is the record of a hotkey, which must be there.
func (w *world) operatorOf(a actor) operator {
	i, ok := w.s.findOperator(a.key)
	if !ok {
		w.t.Fatalf("%s is not an operator", a.name)
	}
	return w.s.operators[i]
}

func (w *world) staked(a actor) uint64 { return w.s.View().StakeOf(a.key) }

// engine is a consensus engine as strict as CometBFT about what it is told.
type engine map[Key]uint64

func (e engine) told(list []SeatChange) error {
	seen := map[Key]bool{}
	for _, c := range list {
		if _, there := e[c.Key]; seen[c.Key] || c.Power == 0 && !there {
			return fmt.Errorf("key %s: twice %v, there %v, power %d", c.Key, seen[c.Key], there, c.Power)
		}
		seen[c.Key] = true
		if e[c.Key] = c.Power; c.Power == 0 {
			delete(e, c.Key)
		}
	}
	if len(e) == 0 {
		return errors.New("nobody is left")
	}
	return nil
}

// engineOf starts with the seats of a state.
func engineOf(s *State) engine {
	e := engine{}
	for _, o := range s.operators {
		if o.power > 0 {
			e[o.key] = o.power
		}
	}
	return e
}

var manyEpochs = flag.Int("epochs", 400, "random epochs of seats")

// Whatever people do, the engine is told only what it can follow, and of the power that a light client
// trusted at one epoch's end, a third and more is there at the next.
func TestASeatSetChangesSoThatEnginesAndLightClientsFollow(t *testing.T) {
	for done := 0; done < *manyEpochs; done += 40 {
		w := seated(t, func(h *Hard) { h.UnbondEpochs = 1 })
		w.Rand = rand.New(rand.NewPCG(uint64(done), 9))
		e := engineOf(w.s)
		for range 40 {
			op := seatOperations[2+w.IntN(len(seatOperations)-2)] // evidence is another matter
			op.do(w)
			_ = w.try(w.cold(), AddStake{hots[w.IntN(6)].key, 1 + w.Uint64N(90*RaoPerTAO)})
			w.begin(w.ballot())
			before := engineOf(w.s)
			for _, ev := range w.seen.advance(w.s, w.s.NextEvent()-w.s.height) {
				if seats, ok := ev.(Seated); ok {
					if err := e.told(seats.Changes); err != nil {
						t.Fatalf("block %d: %v", seats.Block, err)
					}
				}
			}
			var there, total uint64
			for k, power := range before { // order-free: sums
				there += min(power, e[k])
				total += power
			}
			var rotated uint64
			for _, o := range w.s.operators {
				if before[o.key] == 0 && len(o.past) > 0 {
					rotated += before[o.past[len(o.past)-1].key]
				}
			}
			// A tenth by stake, a third by jail, and keys that changed.
			if lost := total - there; lost > total/10+total/3+rotated+1 {
				t.Fatalf("height %d: %d of %d is gone, keys of %d changed", w.s.height, lost, total, rotated)
			}
			if err := w.s.CheckInvariants(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A buyer of nine times the stake of all others needs five epochs for a third of the power, twelve for two thirds.
// Without a limit one epoch is enough.
func TestPowerIsBoughtSlowly(t *testing.T) {
	for _, den := range []uint16{0, 10} {
		w := stage(t, 4, func(g *Genesis) {
			g.Params.Hard = Hard{Seats: 8, ChurnDen: den, WarmStake: true}
			for i := range 4 {
				g.Operators = append(g.Operators, GenesisOperator{hots[i].key, engineKey(i)})
			}
			g.Stakes = append(g.Stakes, GenesisStake{hots[8].key, colds[0].key, 6750 * RaoPerTAO})
		})
		w.do(hots[8], ServeConsensus{engineKey(8)})
		third, most := 0, 0
		for epoch := 1; most == 0; epoch++ {
			w.epoch()
			all, mine := power(w.s.operators), w.operatorOf(hots[8]).power
			if third == 0 && 3*mine > all {
				third = epoch
			}
			if 3*mine > 2*all {
				most = epoch
			}
		}
		t.Logf("at most 1/%d an epoch: a third after %d epochs, two thirds after %d", den, third, most)
		wantThird, wantMost := 1, 1
		if den == 10 { // 1.1^5 > 3/2, 1.1^12 > 3
			wantThird, wantMost = 5, 12
		}
		if third != wantThird || most != wantMost {
			t.Errorf("at most 1/%d an epoch: want %d and %d epochs", den, wantThird, wantMost)
		}
	}
}

func TestASeatThatIsAwayLosesItsPowerAndComesBack(t *testing.T) {
	w := seated(t, asItIs)
	w.end(2)
	for range 30 {
		w.voted(1) // 200 of 750
	}
	o := w.operatorOf(hots[1])
	if !o.jailed || o.power != 0 {
		t.Fatalf("%+v", o)
	}
	if w.staked(hots[1]) < 200*RaoPerTAO {
		t.Error("being away cost stake")
	}
	w.epoch()
	w.no(colds[1], Unjail{hots[1].key}, NotOwner)
	w.do(colds[0], Unjail{hots[1].key})
	w.no(colds[0], Unjail{hots[1].key}, NotJailed)
	w.epoch()
	if o := w.operatorOf(hots[1]); o.jailed || o.power == 0 {
		t.Errorf("%+v", o)
	}
}

func TestAnOutageOfAllJailsAThirdAtMost(t *testing.T) {
	w := seated(t, asItIs)
	total := power(w.s.operators)
	for range 21 {
		w.voted(0, 1, 2, 3)
	}
	var jailed uint64
	for i, o := range w.s.operators {
		if o.jailed {
			jailed += 400_000 >> i // at most
		}
	}
	if jailed == 0 || jailed > 2*(total/3) || power(w.s.operators) == 0 {
		t.Errorf("%d of %d was jailed, %d is left", jailed, total, power(w.s.operators))
	}
}

// An operator that unstakes before the evidence comes is slashed on the way out; where stake leaves at once nothing
// is left to slash.
func TestStakeThatLeavesPaysForWhatItDid(t *testing.T) {
	for _, epochs := range []uint16{0, 5} {
		w := seated(t, func(h *Hard) { h.UnbondEpochs = epochs })
		w.do(colds[0], Delegate{hots[1].key, 0})
		w.do(colds[1], AddStake{hots[1].key, 60 * RaoPerTAO})
		w.epoch()
		own := w.staked(hots[1]) - w.s.accounts.get(hots[1].key).nominations[0].stakeRao
		w.do(colds[0], RemoveStake{hots[1].key, own})
		w.end(1)
		before := w.s.Totals()
		w.accuse(1)
		w.accuse(1) // again, as engines may
		after := w.s.Totals()
		burned := after.Burned - before.Burned
		t.Logf("unbonding %d epochs: %d rao of %d are slashed", epochs, burned, own+60*RaoPerTAO)
		if all := (own + 60*RaoPerTAO) / 20; (burned > all*99/100) != (epochs > 0) || burned > all*101/100 {
			t.Errorf("unbonding %d epochs: %d rao are slashed, 5 %% of all are %d", epochs, burned, all)
		}
		o := w.operatorOf(hots[1])
		w.epoch()
		if o = w.operatorOf(hots[1]); o.power != 0 || o.barredUntil == 0 {
			t.Errorf("%+v", o)
		}
		w.no(hots[2], ServeConsensus{engineKey(1)}, KeySpent)
		if err := w.s.CheckInvariants(); err != nil {
			t.Error(err)
		}
	}
}

func TestEvidenceAboutNobodyChangesNothing(t *testing.T) {
	w := seated(t, asItIs)
	before := w.s.Totals()
	w.s.BeginBlock(Begin{Misbehavior: []Misbehavior{{Address{9}, 1}}, Votes: []Vote{{Address{8}, true}}})
	events := w.s.EndBlock()
	if _, ok := events[0].(Accused); !ok || w.s.Totals().Burned != before.Burned {
		t.Errorf("%+v", events)
	}
}

// A key that was changed answers for what it signed, and for nothing that it cannot have signed.
func TestEvidenceAboutAChangedKeySlashesItsHotkey(t *testing.T) {
	w := seated(t, asItIs)
	w.do(hots[2], ServeConsensus{engineKey(9)})
	w.epoch()
	if o := w.operatorOf(hots[2]); o.key != engineKey(9) || o.power == 0 {
		t.Fatalf("%+v", o)
	}
	w.end(5)
	before := w.staked(hots[2])
	w.accuse(2) // at a height at which it was in force no more
	if w.staked(hots[2]) != before {
		t.Error("slashed for a height at which it had another key")
	}
	w.begin(Begin{Misbehavior: []Misbehavior{{AddressOf(engineKey(2)), 3}}})
	if cut := before - w.staked(hots[2]); cut == 0 {
		t.Error("not slashed for what its old key signed")
	}
	w.end(1)
	w.epoch()
	w.no(hots[2], ServeConsensus{engineKey(10)}, Barred)
	for range 6 {
		w.epoch()
	}
	w.do(hots[2], ServeConsensus{engineKey(10)})
}

func TestASeatOutlivesItsSlotInTheNetwork(t *testing.T) {
	w := seated(t, asItIs)
	power := w.operatorOf(hots[3]).power
	for i := 4; i < 12; i++ { // all eight slots and more
		w.do(colds[1], Register{Hotkey: hots[i].key})
		w.epoch()
	}
	if _, there := w.s.neurons.uidOf(hots[3].key); there {
		t.Fatal("hot3 kept its slot: nothing to see")
	}
	if now := w.operatorOf(hots[3]).power; now < power {
		t.Errorf("power %d became %d", power, now)
	}
}

// A nominator that stakes before an epoch's end and leaves after it earns where stake counts at once, and else
// nothing.
func TestStakeThatComesForTheEpochEarnsNothing(t *testing.T) {
	for _, warm := range []bool{false, true} {
		w := seated(t, func(h *Hard) { h.WarmStake, h.UnbondEpochs = warm, 0 })
		w.do(colds[0], Delegate{hots[0].key, 0})
		w.epoch()
		w.do(hots[0], on(2, 1, 3, 1))
		w.epoch()
		w.toEpoch(1)
		w.do(colds[3], AddStake{hots[0].key, 90 * RaoPerTAO})
		w.epoch()
		earned := w.s.accounts.get(hots[0].key)
		i, _ := earned.nomination(colds[3].key)
		gain := earned.nominations[i].stakeRao - 90*RaoPerTAO
		t.Logf("warm %v: 90 TAO for one block earn %d rao", warm, gain)
		if (gain > 0) == warm {
			t.Errorf("warm %v: %d rao", warm, gain)
		}
	}
}

func TestTipsGoToWhoProposedTheBlock(t *testing.T) {
	w := seated(t, func(h *Hard) { h.FeeRao, h.MaxBlockWork, h.MaxBlockBytes = 10, 400_000, 1<<20 })
	w.begin(Begin{Proposer: AddressOf(engineKey(0))})
	before := w.s.accounts.get(colds[0].key).freeRao
	tx := SignPriced("stage", colds[1].sign, w.s.Nonce(colds[1].key), w.s.height+1, 1e6, 777,
		Transfer{colds[2].key, 5})
	if err := w.s.Apply(tx); err != nil {
		t.Fatal(err)
	}
	if got := w.s.accounts.get(colds[0].key).freeRao - before; got != 777 {
		t.Errorf("the proposer got %d rao of a tip of 777", got)
	}
}

func TestAStateWithoutSeatsTakesNoNoticeOfHowBlocksBegin(t *testing.T) {
	w := seated(t, func(h *Hard) { *h = Hard{} })
	before := w.s.Digest()
	w.s.BeginBlock(Begin{Hash: Digest{1}, TimeNs: 5, Proposer: AddressOf(engineKey(0)),
		Misbehavior: []Misbehavior{{AddressOf(engineKey(0)), 0}}})
	if w.s.Digest() != before {
		t.Error("the digest moved")
	}
}

// Places among those who wait for a seat are few, and go to the largest stake.
func TestThoseWhoWaitForASeatGiveWayToMoreStake(t *testing.T) {
	w := stage(t, 1, func(g *Genesis) {
		g.Params.Hard = Hard{Seats: 1, MinSeatRao: RaoPerTAO}
		for i := 1; i < 8; i++ {
			g.Stakes = append(g.Stakes, GenesisStake{hots[i].key, colds[0].key, uint64(i) * RaoPerTAO})
		}
		g.Operators = []GenesisOperator{{hots[0].key, engineKey(0)}}
	})
	for i := 2; i < 6; i++ {
		w.do(hots[i], ServeConsensus{engineKey(i)})
	}
	w.no(hots[1], ServeConsensus{engineKey(1)}, SeatsFull)
	w.do(hots[6], ServeConsensus{engineKey(6)})
	if _, ok := w.s.findOperator(hots[2].key); ok || len(w.s.operators) != 5 {
		t.Errorf("%d operators, the smallest is there: %v", len(w.s.operators), ok)
	}
	w.no(hots[7], ServeConsensus{engineKey(6)}, KeySpent)
	w.no(hots[8], ServeConsensus{engineKey(8)}, NotOwner)
	w.no(hots[7], ServeConsensus{}, NoOperator)
}

// More amounts on their way than fit join the newest of their hotkey.
func TestACoinsWayOutHasRoomForSixteen(t *testing.T) {
	w := seated(t, asItIs)
	for range 20 {
		w.do(colds[0], RemoveStake{hots[0].key, RaoPerTAO})
		w.end(1)
	}
	a := w.s.accounts.get(colds[0].key)
	if n := len(a.unbonding); n > maxUnbonding {
		t.Errorf("%d amounts wait", n)
	}
	w.no(colds[0], RemoveStake{hots[1].key, RaoPerTAO}, TooManyUnbonding)
	free := a.freeRao
	for range 8 {
		w.epoch()
	}
	w.do(colds[0], Transfer{colds[1].key, free + 10*RaoPerTAO}) // what is due pays for it
	if a := w.s.accounts.get(colds[0].key); len(a.unbonding) != 0 {
		t.Errorf("%+v wait", a.unbonding)
	}
}

// A nomination is crowded out without a signature of its coldkey, whose due money is paid first.
func TestAnEvictionDoesNotHoldBackWhatIsDue(t *testing.T) {
	w := seated(t, asItIs)
	for range maxUnbonding {
		w.do(colds[0], RemoveStake{hots[0].key, RaoPerTAO})
		w.end(1)
	}
	free := w.s.accounts.get(colds[0].key).freeRao
	for range 8 {
		w.epoch()
	}
	w.s.release(colds[0].key, hots[0].key, RaoPerTAO)
	a := w.s.accounts.get(colds[0].key)
	if len(a.unbonding) != 1 || a.unbonding[0].rao != RaoPerTAO || a.freeRao < free+maxUnbonding*RaoPerTAO {
		t.Errorf("%+v wait, %d rao are free, expected 1 TAO to wait and %d rao", a.unbonding, a.freeRao, free+maxUnbonding*RaoPerTAO)
	}
}

// Stake that comes for the epoch's end gives power a whole epoch later, where it has to be warm.
func TestStakeThatJustCameGivesNoPowerYet(t *testing.T) {
	for _, warm := range []bool{false, true} {
		w := seated(t, func(h *Hard) { h.ChurnDen, h.WarmStake = 0, warm })
		w.toEpoch(1)
		before := w.operatorOf(hots[3]).power
		w.do(colds[0], AddStake{hots[3].key, 50 * RaoPerTAO})
		w.epoch()
		if grew := w.operatorOf(hots[3]).power > before+49_000; grew == warm {
			t.Errorf("warm %v: power %d became %d at once", warm, before, w.operatorOf(hots[3]).power)
		}
	}
}

// Of those who were away too long, of whom not all may go at once, who missed most goes first.
func TestWhoMissedMostIsJailedFirst(t *testing.T) {
	w := seated(t, asItIs)
	for i := 0; w.s.epochs == 0; i++ {
		if i%8 < 3 {
			w.voted(2) // 100 of 750
		} else {
			w.voted(1, 2) // and 200, together more than a third
		}
	}
	if less, most := w.operatorOf(hots[1]), w.operatorOf(hots[2]); less.jailed || !most.jailed || !w.s.wasAway(&less) {
		t.Errorf("who missed %d is jailed: %v, who missed most: %v", less.misses(), less.jailed, most.jailed)
	}
}

// Power that changes its key leaves less of what an epoch may move.
func TestAChangeOfAKeyCountsAsMovedPower(t *testing.T) {
	w := seated(t, func(h *Hard) { h.WarmStake = false })
	before, total := w.s.operators, power(w.s.operators)
	w.do(hots[3], ServeConsensus{engineKey(13)})
	w.do(colds[0], AddStake{hots[0].key, 90 * RaoPerTAO})
	w.epoch()
	moved := w.operatorOf(hots[3]).power
	for i := range before {
		moved += distance(before[i].power, w.s.operators[i].power)
	}
	if w.operatorOf(hots[3]).key != engineKey(13) || moved != total/10 {
		t.Errorf("%d of %d moved, want a tenth", moved, total)
	}
}

// An operator answers for at most four keys that it had, and may change its key again when the oldest answers no more.
func TestAnOperatorChangesItsKeyFourTimesWhileEvidenceLives(t *testing.T) {
	w := seated(t, asItIs)
	for i := range maxPastKeys {
		w.do(hots[3], ServeConsensus{engineKey(20 + i)})
		w.epoch()
	}
	w.no(hots[3], ServeConsensus{engineKey(30)}, TooManyKeys)
	for w.epoch(); len(w.operatorOf(hots[3]).past) == maxPastKeys; {
		w.epoch()
	}
	w.do(hots[3], ServeConsensus{engineKey(30)})
	if w.s.epochs < 6 {
		t.Errorf("the oldest key answers no more after %d epochs", w.s.epochs)
	}
}

// An operator with a new seat is judged once a whole window of its votes is known.
func TestNobodyIsJailedBeforeAWholeWindow(t *testing.T) {
	w := seated(t, func(h *Hard) { h.JailWindow = 15 })
	for w.s.epochs == 0 {
		w.voted(1)
	}
	if o := w.operatorOf(hots[1]); o.jailed || o.misses() <= 15/2 {
		t.Errorf("%d of 15 blocks missed after %d: jailed %v", o.misses(), w.s.height, o.jailed)
	}
	for w.s.epochs == 1 {
		w.voted(1)
	}
	if o := w.operatorOf(hots[1]); !o.jailed {
		t.Errorf("%d of 15 blocks missed after %d: not jailed", o.misses(), w.s.height)
	}
}

// An operator that withdraws gets no seat again by the same key.
func TestWhoWithdrawsStaysAway(t *testing.T) {
	w := seated(t, func(h *Hard) { h.ChurnDen, h.UnbondEpochs = 0, 1 })
	w.do(hots[1], ServeConsensus{})
	for range 4 {
		w.epoch()
		if i, there := w.s.findOperator(hots[1].key); there && (w.s.operators[i].power > 0 || w.s.operators[i].key != Key{}) {
			t.Fatalf("epoch %d: %+v", w.s.epochs, w.s.operators[i])
		}
	}
	w.do(hots[1], ServeConsensus{engineKey(11)})
	w.epoch()
	if o := w.operatorOf(hots[1]); o.power == 0 {
		t.Errorf("it cannot come back: %+v", o)
	}
}
