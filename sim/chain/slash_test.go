package chain

import (
	"slices"
	"testing"
)

// Dead keys take a bounded room. A key is forgotten when as many more died, each for a slash of its own.
func TestDeadKeysTakeABoundedRoom(t *testing.T) {
	w := seated(t, asItIs)
	for i := range maxTombs - 1 {
		w.s.tombs = append(w.s.tombs, engineKey(100+i))
	}
	old := w.s.View()
	w.accuse(3)
	w.no(hots[2], ServeConsensus{engineKey(100)}, KeySpent)
	w.no(hots[2], ServeConsensus{engineKey(3)}, KeySpent)
	w.accuse(2)
	if n := len(w.s.tombs); n != maxTombs || !slices.Contains(w.s.tombs, engineKey(2)) {
		t.Errorf("%d dead keys are remembered", n)
	}
	w.do(hots[1], ServeConsensus{engineKey(100)})
	w.no(hots[0], ServeConsensus{engineKey(101)}, KeySpent)
	if len(old.header.tombs) != maxTombs-1 || old.header.tombs[0] != engineKey(100) {
		t.Error("a view changed")
	}
	if err := w.s.CheckInvariants(); err != nil {
		t.Error(err)
	}
}

// Evidence that comes again slashes nobody, not even when the operator may serve again with another key.
func TestEvidenceThatComesAgainSlashesOnce(t *testing.T) {
	w := seated(t, func(h *Hard) { h.UnbondEpochs = 1 })
	w.accuse(1)
	staked := w.staked(hots[1])
	for w.s.epochs < w.operatorOf(hots[1]).barredUntil {
		w.accuse(1)
	}
	if now := w.staked(hots[1]); now < staked {
		t.Errorf("%d rao became %d while it was barred", staked, now)
	}
	w.do(hots[1], ServeConsensus{engineKey(11)})
	w.epoch()
	staked = w.staked(hots[1])
	w.begin(Begin{Misbehavior: []Misbehavior{{AddressOf(engineKey(1)), 1}}})
	if now := w.staked(hots[1]); now < staked {
		t.Errorf("%d rao became %d after it was barred", staked, now)
	}
	w.end(1)
	w.accuse(11)
	if now := w.staked(hots[1]); now >= staked {
		t.Error("the new key is not slashed")
	}
}

// A barred operator pays once, whichever of its keys the evidence is about.
func TestEvidenceAboutAnotherKeyOfTheBarredSlashesNoMore(t *testing.T) {
	w := seated(t, asItIs)
	w.do(hots[2], ServeConsensus{engineKey(9)})
	w.epoch()
	w.accuse(9)
	staked := w.staked(hots[2])
	w.begin(Begin{Misbehavior: []Misbehavior{{AddressOf(engineKey(2)), 3}}})
	if now := w.staked(hots[2]); now != staked || len(w.s.tombs) != 1 {
		t.Errorf("%d rao became %d, %d keys are dead", staked, now, len(w.s.tombs))
	}
}

// Power that is limited in its churn outlives the stake behind it. Until as long after that as stake takes to leave,
// what left answers for it.
func TestStakeAnswersForPowerThatOutlivesIt(t *testing.T) {
	w := seated(t, asItIs)
	w.epoch()
	w.do(colds[0], RemoveStake{hots[0].key, 399 * RaoPerTAO})
	began := w.s.epochs
	for w.epoch(); w.operatorOf(hots[0]).outgrown; {
		w.epoch()
	}
	over := w.s.epochs - 1 // the last that left power above stake
	for w.s.epochs < over+4 {
		w.epoch()
	}
	if over < began+2 {
		t.Fatalf("power was above its stake for %d epochs: nothing to see", over-began)
	}
	w.do(colds[0], Transfer{colds[1].key, 1}) // what is due would be free now
	waits := w.s.accounts.get(colds[0].key).unbonding
	if len(waits) != 1 {
		t.Fatalf("%d amounts wait %d epochs after power was gone", len(waits), w.s.epochs-over)
	}
	w.begin(Begin{Misbehavior: []Misbehavior{{AddressOf(engineKey(0)), w.s.height - 20}}})
	if now := w.s.accounts.get(colds[0].key).unbonding[0].rao; now != waits[0].rao-w.s.params.Hard.cut(waits[0].rao) {
		t.Errorf("%d rao became %d", waits[0].rao, now)
	}
	w.epoch()
	w.epoch()
	w.do(colds[0], Transfer{colds[1].key, 1})
	if waits := w.s.accounts.get(colds[0].key).unbonding; len(waits) != 0 {
		t.Errorf("%+v wait", waits)
	}
}

// Stake that was due before power outgrew the stake behind it stays due, though nobody has asked for it yet.
func TestWhatIsDueDoesNotAnswerForLaterPower(t *testing.T) {
	w := seated(t, func(h *Hard) { h.UnbondEpochs = 2 })
	w.do(colds[0], Delegate{hots[0].key, 0})
	w.do(colds[2], AddStake{hots[0].key, 2 * RaoPerTAO})
	w.do(colds[2], RemoveStake{hots[0].key, RaoPerTAO})
	for range 4 {
		w.epoch()
	}
	left := w.s.accounts.get(colds[2].key).unbonding[0]
	w.do(colds[0], RemoveStake{hots[0].key, 399 * RaoPerTAO})
	w.epoch()
	if !w.operatorOf(hots[0]).outgrown || w.s.due(left) > w.s.height {
		t.Errorf("%+v, and what left in block %d is due in %d", w.operatorOf(hots[0]), left.begun, w.s.due(left))
	}
	w.do(colds[2], Transfer{colds[1].key, 98*RaoPerTAO + RaoPerTAO/2}) // of 98 and what is due
}

// The account of a hotkey goes though stake on its way out names it. That stake answers for the hotkey, no matter who
// owns it meanwhile, until it is due, and then it is its coldkey's, which stays until then.
func TestStakeOnItsWayOutlivesTheAccountOfItsHotkey(t *testing.T) {
	for _, accused := range []bool{false, true} {
		w := seated(t, func(h *Hard) {
			h.ExistentialRao, h.StrictNonce, h.Consent, h.UnbondEpochs, h.MinSeatRao = 1000, true, true, 8, RaoPerTAO
			h.ChurnDen, h.WarmStake = 0, false
		})
		cold, hot := colds[5], hots[9]
		w.must(colds[0], Transfer{cold.key, 50 * RaoPerTAO})
		w.claims(cold, hot)
		w.must(cold, AddStake{hot.key, 40 * RaoPerTAO})
		w.must(cold, RemoveStake{hot.key, 40 * RaoPerTAO})
		w.must(hot, Transfer{colds[0].key, 1000})
		w.must(cold, Transfer{colds[0].key, w.freeOf(cold)})
		w.end(1)
		if w.s.accounts.has(hot.key) || !w.s.accounts.has(cold.key) {
			t.Fatal("the hotkey stayed, or its coldkey went")
		}
		w.claims(colds[1], hot)
		w.must(colds[1], AddStake{hot.key, 20 * RaoPerTAO})
		w.must(hot, SignConsensus(w.genesis.ChainID, provable(1).sign, hot.key, w.s.height+1))
		w.epoch()
		w.epoch()
		want := uint64(40 * RaoPerTAO)
		if accused {
			w.begin(Begin{Misbehavior: []Misbehavior{{AddressOf(provable(1).key), w.s.height}}})
			want -= w.s.params.Hard.cut(want)
		}
		if err := w.s.CheckInvariants(); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			w.epoch()
		}
		w.must(cold, Transfer{colds[0].key, want})
		if err := w.s.CheckInvariants(); err != nil {
			t.Error(err)
		}
		w.end(2)
		if w.s.accounts.has(cold.key) {
			t.Error("the coldkey stays, and nothing needs it")
		}
	}
}

// Stake that is due is its coldkey's own, though nobody has asked for it yet: a slash leaves it.
func TestASlashLeavesWhatIsDue(t *testing.T) {
	w := seated(t, func(h *Hard) { h.ChurnDen, h.WarmStake, h.UnbondEpochs = 0, false, 2 })
	w.do(colds[0], RemoveStake{hots[1].key, RaoPerTAO})
	w.epoch()
	w.end(1)
	w.do(colds[0], RemoveStake{hots[1].key, RaoPerTAO}) // is not due when the other is
	for list := w.s.accounts.get(colds[0].key).unbonding; w.s.due(list[0]) > w.s.height+1; {
		w.end(1)
	}
	w.accuse(1)
	waits := w.s.accounts.get(colds[0].key).unbonding
	if len(waits) != 2 || waits[0].rao != RaoPerTAO || waits[1].rao >= RaoPerTAO {
		t.Errorf("%+v wait, the first of them due", waits)
	}
}

// A consensus key that signed twice never serves again, whether it had a seat when the evidence came or not.
func TestADeadKeyNeverServesAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		seats uint16
	}{{"with a seat", 4}, {"without a seat", 3}} {
		w := seated(t, asItIs)
		w.s.params.Hard.Seats, w.s.params.Hard.ChurnDen = c.seats, 0
		w.epoch()
		if o := w.operatorOf(hots[3]); (o.power > 0) != (c.seats == 4) || o.key != engineKey(3) {
			t.Fatalf("%s: %+v", c.name, o)
		}
		w.accuse(3)
		w.s.params.Hard.Seats = 4
		for until := w.operatorOf(hots[3]).barredUntil; w.s.epochs < until+2; {
			w.epoch()
			if o := w.operatorOf(hots[3]); o.power > 0 || o.key != (Key{}) {
				t.Fatalf("%s: in epoch %d of %d: %+v", c.name, w.s.epochs, until, o)
			}
		}
		w.do(hots[3], ServeConsensus{engineKey(13)})
		w.epoch()
		if o := w.operatorOf(hots[3]); o.power == 0 {
			t.Errorf("%s: the hotkey gets no seat with a new key: %+v", c.name, o)
		}
	}
}

// The last seat keeps its dead key until somebody takes its place, however long that is.
func TestTheDeadKeyOfTheLastSeatGoesWhenSomebodyTakesItsPlace(t *testing.T) {
	w := queued(t)
	w.s.operators = slices.DeleteFunc(w.s.ownOperators(), func(o operator) bool { return o.key == (Key{}) })
	w.accuse(0)
	for until := w.operatorOf(hots[0]).barredUntil; w.s.epochs <= until; {
		w.epoch()
		if o := w.operatorOf(hots[0]); o.power == 0 || o.key != engineKey(0) {
			t.Fatalf("nobody is left: %+v", o)
		}
	}
	w.do(hots[7], ServeConsensus{engineKey(7)})
	w.epoch()
	w.epoch()
	if o, other := w.operatorOf(hots[0]), w.operatorOf(hots[7]); o.power > 0 || other.power == 0 {
		t.Errorf("the dead: %+v, the other: %+v", o, other)
	}
}

// An operator that lost its seat, for want of stake or to others, answers for what it signed for as long as stake
// takes to leave, no matter how many wait.
func TestWhoLostItsSeatAnswersForWhatItSigned(t *testing.T) {
	w := queued(t)
	w.do(colds[0], AddStake{hots[5].key, 50 * RaoPerTAO})
	w.do(colds[0], RemoveStake{hots[0].key, w.staked(hots[0])})
	w.epoch()
	w.epoch()
	if w.operatorOf(hots[0]).power > 0 || w.operatorOf(hots[5]).power == 0 {
		t.Fatalf("%+v", w.s.operators)
	}
	lost := w.s.epochs
	for _, i := range []int{6, 7} { // more than may wait
		w.do(hots[i], ServeConsensus{engineKey(i)})
	}
	burned := w.s.money.Burned
	w.begin(Begin{Misbehavior: []Misbehavior{{AddressOf(engineKey(0)), 3}}})
	if w.s.money.Burned == burned {
		t.Error("what left is not slashed")
	}
	w = queued(t)
	w.do(colds[0], AddStake{hots[5].key, 50 * RaoPerTAO})
	w.do(colds[0], RemoveStake{hots[0].key, w.staked(hots[0])})
	for w.s.epochs < lost+5 {
		w.epoch()
	}
	for _, i := range []int{6, 7} {
		w.do(hots[i], ServeConsensus{engineKey(i)})
	}
	if _, there := w.s.findOperator(hots[0].key); there || len(w.s.operators) != 5 {
		t.Errorf("it keeps a place that it needs no more, among %d", len(w.s.operators))
	}
}
