package chain

import (
	"errors"
	"fmt"
	"testing"
)

// strangers is a stage as its era has it or as people need it who do not trust each other.
func strangers(t testing.TB, live bool) *world {
	return stage(t, 4, func(g *Genesis) {
		g.Params.BondsReset, g.Params.MaxNominators = true, 2
		if live {
			g.Params = g.Params.Live()
		}
	})
}

// send signs a message with the ceiling that it needs, and applies it.
func (w *world) send(a actor, m Msg) error {
	tx := Sign(w.genesis.ChainID, a.sign, w.s.Nonce(a.key), w.s.height+1, m)
	if h := &w.s.params.Hard; h.FeeRao != 0 {
		fee := w.s.priceRao * w.s.WorkOf(SignPriced(w.genesis.ChainID, a.sign, 0, 0, 0, 0, m))
		tx = SignPriced(w.genesis.ChainID, a.sign, w.s.Nonce(a.key), w.s.height+1, fee, 0, m)
	}
	return w.seen.apply(w.s, tx)
}

// must sends what has to be accepted.
func (w *world) must(a actor, m Msg) {
	w.t.Helper()
	if err := w.send(a, m); err != nil {
		w.t.Fatalf("%s: %T: %v", a.name, m, err)
	}
}

// mustNot sends what has to be refused.
func (w *world) mustNot(a actor, m Msg, code Code) {
	w.t.Helper()
	if err := w.send(a, m); !errors.Is(err, code) {
		w.t.Fatalf("%s: %T: %v, want %q", a.name, m, err, code)
	}
}

// claims lets a coldkey claim a hotkey that agrees.
func (w *world) claims(cold, hot actor) {
	w.t.Helper()
	w.must(cold, SignClaim(w.genesis.ChainID, hot.sign, cold.key, w.s.height+1))
}

// spentBy is what it costs a coldkey when f happens.
func (w *world) spentBy(cold actor, f func()) uint64 {
	before := w.freeOf(cold)
	f()
	return before - w.freeOf(cold)
}

// Every attack works on the ledger of an era and fails on one for strangers.
func TestAttacksThatWorkOnAnErasLedgerFailAmongStrangers(t *testing.T) {
	for _, attack := range []struct {
		name string
		try  func(w *world) (worked bool, cost string)
	}{
		{"a hotkey is squatted", squatHotkey},
		{"a coldkey pays for a hotkey that it never chose", imposeHotkey},
		{"dust accounts grow the state for nothing", growState},
		{"money goes where nobody can sign", loseMoney},
		{"a nonce at the end kills an account", killNonce},
		{"a nonce gap reorders transactions", skipNonce},
		{"failing transactions cost nothing", failFree},
		{"a transaction without an end stays good", stayGood},
		{"a consensus key is squatted", squatConsensusKey},
		{"anybody's key serves the consensus", serveWeakKey},
		{"a delegate's list is filled with dust", fillDelegate},
		{"a take is raised before each payday", baitNominators},
		{"all bonds are reset in each block", resetEachBlock},
		{"endpoints change in each block", serveEachBlock},
		{"a transaction chooses the seal of works", chooseSeal},
	} {
		for _, live := range []bool{false, true} {
			w := strangers(t, live)
			worked, cost := attack.try(w)
			if worked == live {
				t.Errorf("%s: it worked %v where strangers are expected %v (%s)", attack.name, worked, live, cost)
			}
			t.Logf("%-48s worked %-5v %s", attack.name, worked, cost)
			if err := w.s.CheckInvariants(); err != nil {
				t.Errorf("%s: %v", attack.name, err)
			}
		}
	}
}

func squatHotkey(w *world) (bool, string) {
	thief, victim, hot := colds[3], colds[1], hots[7]
	var squatted error
	cost := w.spentBy(thief, func() { squatted = w.send(thief, Register{Hotkey: hot.key}) })
	if w.s.params.Hard.Consent {
		forged := SignClaim(w.genesis.ChainID, hots[8].sign, thief.key, w.s.height+1)
		forged.Hotkey = hot.key
		w.mustNot(thief, forged, NoConsent)
		w.claims(victim, hot)
	}
	err := w.send(victim, Register{Hotkey: hot.key})
	return squatted == nil && err != nil, fmt.Sprintf("%d rao; the victim: %v", cost, err)
}

func imposeHotkey(w *world) (bool, string) {
	w.s.BeginBlock(Begin{Hash: Digest{1}})
	w.s.Fork() // views are taken meanwhile
	hot, victim := hots[7], colds[1]
	err := w.send(hot, w.work(hot, victim, w.s.height))
	return w.s.accounts.get(hot.key).owner == victim.key, fmt.Sprint(err)
}

func growState(w *world) (bool, string) {
	const many = 50
	before, made := w.s.accounts.len(), 0
	var last error
	cost := w.spentBy(colds[0], func() {
		for i := range many {
			if last = w.send(colds[0], Transfer{pub(fmt.Sprint("dust ", i)), 1}); last == nil {
				made++
			}
		}
	})
	if made == many {
		w.end(1)
		return w.s.accounts.len() == before+many, fmt.Sprintf("%d rao for %d accounts", cost, many)
	}
	locked := w.spentBy(colds[0], func() {
		w.must(colds[0], Transfer{pub("dust 0"), w.s.params.Hard.ExistentialRao})
	})
	w.end(1)
	return w.s.accounts.len() != before+1, fmt.Sprintf("%v; 10^6 accounts cost %d TAO, of which %d are locked",
		last, locked/1000, w.s.params.Hard.ExistentialRao/1000)
}

func loseMoney(w *world) (bool, string) {
	nowhere := Key{}
	for nowhere = (Key{5}); nowhere.onCurve(); nowhere[1]++ {
	}
	err := w.send(colds[0], Transfer{nowhere, RaoPerTAO})
	for _, k := range []Key{{1}, tall(0xee, 0x7f), tall(0xf0, 0xff)} {
		if other := w.send(colds[0], Transfer{k, RaoPerTAO}); (err == nil) != (other == nil) {
			w.t.Errorf("key %s: %v", k, other)
		}
	}
	return err == nil, fmt.Sprint(err)
}

// tall is a key whose number has all bits between its first byte and its last.
func tall(first, last byte) Key {
	k := Key{0: first, 31: last}
	for i := 1; i < 31; i++ {
		k[i] = 0xff
	}
	return k
}

func killNonce(w *world) (bool, string) {
	tx := Sign(w.genesis.ChainID, colds[1].sign, 1<<64-2, w.s.height+1, Transfer{colds[0].key, 1})
	if w.s.params.Hard.FeeRao != 0 {
		tx = SignPriced(w.genesis.ChainID, colds[1].sign, 1<<64-2, w.s.height+1, 1e9, 0, tx.Msg)
	}
	err := w.s.Apply(tx)
	after := w.send(colds[1], Transfer{colds[0].key, 1})
	return after != nil, fmt.Sprintf("%v; the next: %v", err, after)
}

func skipNonce(w *world) (bool, string) {
	price := func(nonce uint64, m Msg) Tx {
		if w.s.params.Hard.FeeRao == 0 {
			return Sign(w.genesis.ChainID, colds[1].sign, nonce, w.s.height+1, m)
		}
		return SignPriced(w.genesis.ChainID, colds[1].sign, nonce, w.s.height+1, 1e9, 0, m)
	}
	first, second := price(0, Transfer{colds[0].key, 1}), price(1, Transfer{colds[0].key, 2})
	early := w.s.Apply(second)
	late := w.s.Apply(first)
	return late != nil, fmt.Sprintf("the second first: %v; then the first: %v", early, late)
}

func failFree(w *world) (bool, string) {
	cost := w.spentBy(colds[1], func() { w.mustNot(colds[1], RemoveStake{hots[0].key, 1}, NotOwner) })
	return cost == 0, fmt.Sprintf("%d rao each", cost)
}

func stayGood(w *world) (bool, string) {
	m := Transfer{colds[0].key, 1}
	tx := Sign(w.genesis.ChainID, colds[1].sign, 0, 1<<60, m)
	if w.s.params.Hard.FeeRao != 0 {
		tx = SignPriced(w.genesis.ChainID, colds[1].sign, 0, 1<<60, 1e9, 0, m)
	}
	err := w.s.Apply(tx)
	return err == nil, fmt.Sprint(err)
}

func squatConsensusKey(w *world) (bool, string) {
	key, thief, victim := provable(1), hots[1], hots[0]
	if w.s.params.Hard.Consent {
		w.mustNot(thief, ServeConsensus{key.key}, ProofMissing)
		stolen := SignConsensus(w.genesis.ChainID, key.sign, victim.key, w.s.height+1)
		w.mustNot(thief, stolen, NoConsent)
		elsewhere := SignConsensus("elsewhere", key.sign, thief.key, w.s.height+1)
		w.mustNot(thief, elsewhere, NoConsent)
		w.mustNot(victim, SignConsensus(w.genesis.ChainID, key.sign, victim.key, w.s.height), ConsentExpired)
		w.mustNot(victim, SignConsensus(w.genesis.ChainID, colds[0].sign, victim.key, w.s.height+1), KeyOfAccount)
		err := w.send(victim, stolen)
		return err != nil, fmt.Sprint("the victim: ", err)
	}
	w.must(thief, ServeConsensus{key.key})
	err := w.send(victim, ServeConsensus{key.key})
	return err != nil, fmt.Sprint("the victim: ", err)
}

func serveWeakKey(w *world) (bool, string) {
	served := 0
	var last error
	for _, k := range []Key{{1}, tall(0xed, 0x7f), tall(0xf0, 0x7f), tall(0xff, 0xff)} {
		m := Msg(ServeConsensus{k})
		if w.s.params.Hard.Consent {
			m = ProveConsensus{Key: k, Expiry: w.s.height + 1, Proof: [64]byte{1}}
		}
		if last = w.send(hots[0], m); last == nil {
			served++
		}
	}
	return served > 0, fmt.Sprintf("%d of 4 keys served: %v", served, last)
}

func fillDelegate(w *world) (bool, string) {
	w.must(colds[0], Delegate{hots[0].key, 0})
	each := max(w.s.params.Hard.MinNominationRao, 1)
	if each > 1 {
		w.mustNot(colds[1], AddStake{hots[0].key, each - 1}, NominationBelowMinimum)
	}
	cost := w.spentBy(colds[1], func() { w.must(colds[1], AddStake{hots[0].key, each}) })
	w.must(colds[2], AddStake{hots[0].key, each})
	err := w.send(colds[3], AddStake{hots[0].key, 50 * RaoPerTAO})
	return err != nil, fmt.Sprintf("%d TAO for a list of 1,024; the nominator of 50 TAO: %v", 1024*cost/RaoPerTAO, err)
}

func baitNominators(w *world) (bool, string) {
	w.must(colds[0], Delegate{hots[0].key, 0})
	raised := 0
	for range 5 {
		w.end(9)
		if w.send(colds[0], Delegate{hots[0].key, 11000}) == nil {
			raised++
		}
		w.end(1)
		_ = w.send(colds[0], Delegate{hots[0].key, 0})
	}
	return raised > 1, fmt.Sprintf("raised %d times in 5 epochs", raised)
}

func resetEachBlock(w *world) (bool, string) {
	done := 0
	for range 5 {
		if w.send(hots[0], ResetBonds{}) == nil {
			done++
		}
		w.end(1)
	}
	return done == 5, fmt.Sprintf("%d times in 5 blocks", done)
}

func serveEachBlock(w *world) (bool, string) {
	done := 0
	for i := range uint16(5) {
		if w.send(hots[0], ServeAxon{Axon: hots[0].key, Port: i}) == nil {
			done++
		}
		w.end(1)
	}
	return done == 5, fmt.Sprintf("%d times in 5 blocks", done)
}

func chooseSeal(w *world) (bool, string) {
	seals := map[Digest]bool{}
	for i := range uint64(4) {
		s := w.s.Fork()
		tx := Sign(w.genesis.ChainID, colds[1].sign, 0, s.height+1, Transfer{colds[0].key, 1 + i})
		if s.params.Hard.FeeRao != 0 {
			tx = SignPriced(w.genesis.ChainID, colds[1].sign, 0, s.height+1, 1e9, 0, tx.Msg)
		}
		if err := s.Apply(tx); err != nil {
			w.t.Fatal(err)
		}
		s.EndBlock()
		s.BeginBlock(Begin{Hash: Digest{7}})
		hash, ok := s.View().BlockHash(s.Height())
		if !ok {
			w.t.Fatal("the seal is not known")
		}
		seals[hash] = true
	}
	return len(seals) > 1, fmt.Sprintf("%d seals by 4 transactions", len(seals))
}

// An account without its deposit goes, what is left of it is dust, its bytes are free, and what it signed
// before never comes again.
func TestAnAccountWithoutItsDepositGoesAndItsTransactionsStayAway(t *testing.T) {
	w := strangers(t, true)
	guest := w.guest()
	size := len(encode(t, w.s))
	w.must(colds[0], Transfer{guest.key, 10_000_000})
	w.end(1)
	grown := len(encode(t, w.s))
	all := w.freeOf(guest)
	m := Transfer{colds[1].key, all - 100_000}
	old := SignPriced(w.genesis.ChainID, guest.sign, w.s.Nonce(guest.key), w.s.height+100, 90_000, 0, m)
	if err := w.s.Apply(old); err != nil {
		t.Fatal(err)
	}
	rest, dust := w.freeOf(guest), w.s.money.Dust
	if !w.s.accounts.has(guest.key) || rest == 0 {
		t.Fatal("it went within its block")
	}
	w.end(1)
	if w.s.accounts.has(guest.key) || w.s.money.Dust != dust+rest || len(encode(t, w.s)) >= grown {
		t.Errorf("%d rao of dust, %d bytes, %d before the account was made, %d with it", w.s.money.Dust-dust,
			len(encode(t, w.s)), size, grown)
	}
	w.must(colds[0], Transfer{guest.key, 10_000_000})
	w.end(1)
	if err := w.s.Apply(old); !errors.Is(err, NonceTooLow) {
		t.Errorf("what it signed before: %v", err)
	}
	if err := w.s.CheckInvariants(); err != nil {
		t.Error(err)
	}
}

func TestADepositIsExact(t *testing.T) {
	w := strangers(t, true)
	least := w.s.params.Hard.ExistentialRao
	w.mustNot(colds[0], Transfer{pub("a"), least - 1}, BelowDeposit)
	w.must(colds[0], Transfer{pub("a"), least})
	w.must(colds[0], Transfer{pub("b"), least + 1})
	w.must(colds[0], Transfer{pub("a"), 1}) // it has one
	w.end(5)
	if !w.s.accounts.has(pub("a")) || !w.s.accounts.has(pub("b")) {
		t.Error("an account went that has its deposit")
	}
}

// A coldkey stays for as long as it owns a hotkey or nominates, and goes after the last of them.
func TestAColdkeyStaysWhileItOwnsOrNominates(t *testing.T) {
	w := stage(t, 2, func(g *Genesis) {
		g.Params.Hard = Hard{ExistentialRao: 1000, StrictNonce: true, Consent: true}
	})
	w.must(colds[0], Delegate{hots[0].key, 0})
	w.must(colds[0], Transfer{colds[5].key, 5000})
	w.must(colds[5], AddStake{hots[0].key, 4500})
	w.must(colds[0], Transfer{colds[6].key, 1500})
	w.claims(colds[6], hots[6]) // takes the deposit of the hotkey
	w.end(3)
	if !w.s.accounts.has(colds[5].key) || !w.s.accounts.has(colds[6].key) {
		t.Fatal("who owns or nominates went")
	}
	w.must(colds[5], RemoveStake{hots[0].key, 4500})
	w.must(colds[5], Transfer{colds[0].key, 4999})
	w.must(hots[6], Transfer{colds[0].key, 1000})
	w.end(1)
	if w.s.accounts.has(colds[5].key) || w.s.accounts.has(colds[6].key) || w.s.accounts.has(hots[6].key) {
		t.Error("somebody stayed without a deposit")
	}
	w.must(colds[0], Transfer{colds[5].key, 5000})
	w.claims(colds[5], hots[6])
	if owner := w.s.accounts.get(hots[6].key).owner; owner != colds[5].key {
		t.Error("a hotkey that went cannot be claimed again")
	}
}

// A hotkey stays for as long as it has stake, though its deposit is gone, and goes after the last rao.
func TestAHotkeyStaysWhileItHasStake(t *testing.T) {
	w := stage(t, 2, func(g *Genesis) {
		g.Params.Hard = Hard{ExistentialRao: 1000, StrictNonce: true, Consent: true}
	})
	w.claims(colds[1], hots[6])
	w.must(colds[1], AddStake{hots[6].key, 5000})
	w.must(hots[6], Transfer{colds[0].key, 1000}) // its deposit
	w.end(2)
	if !w.s.accounts.has(hots[6].key) || w.stakeOf(hots[6]) != 5000 {
		t.Fatalf("it went, with a stake of 5000 rao: %d", w.stakeOf(hots[6]))
	}
	w.must(colds[1], RemoveStake{hots[6].key, 5000})
	w.end(1)
	if w.s.accounts.has(hots[6].key) {
		t.Error("it stays, and nothing needs it")
	}
}

// In a full list the smallest gives way to a strictly larger one, in a tie that of the highest key.
func TestTheSmallestNominationGivesWay(t *testing.T) {
	w := stage(t, 2, func(g *Genesis) {
		g.Params.MaxNominators, g.Params.Hard.MinNominationRao = 2, 1000
	})
	w.must(colds[0], Delegate{hots[0].key, 0})
	w.must(colds[1], AddStake{hots[0].key, 2000})
	w.must(colds[2], AddStake{hots[0].key, 2000})
	w.mustNot(colds[3], AddStake{hots[0].key, 2000}, TooManyNominators)
	high, low := colds[1], colds[2]
	if compareKeys(high.key, low.key) < 0 {
		high, low = low, high
	}
	free := w.freeOf(high)
	w.must(colds[3], AddStake{hots[0].key, 2001})
	v := w.s.View()
	if v.NominationOf(hots[0].key, high.key) != 0 || v.NominationOf(hots[0].key, low.key) != 2000 ||
		w.freeOf(high) != free+2000 {
		t.Error("another gave way, or the stake did not come back")
	}
	w.mustNot(low, RemoveStake{hots[0].key, 1001}, NominationBelowMinimum)
	w.must(low, RemoveStake{hots[0].key, 1000})
	w.must(low, RemoveStake{hots[0].key, 1000})
	w.s.params.Hard.MinNominationRao = 5000 // who is too small now goes when the delegate is next touched
	ways, s := []Msg{AddStake{hots[0].key, 1}, RemoveStake{hots[0].key, 1}}, w.s
	for _, touch := range ways {
		w.s = s.Fork()
		w.must(colds[0], touch)
		if v := w.s.View(); v.NominationOf(hots[0].key, colds[3].key) != 0 {
			t.Errorf("%T: a nomination that is too small stays", touch)
		}
	}
}

// A fresh hotkey joins a network that takes fees: its coldkey claims it and pays for what it signs.
func TestAClaimedHotkeyMayRegisterByWorkWhereFeesAreTaken(t *testing.T) {
	w := strangers(t, true)
	hot, cold := hots[7], colds[1]
	w.s.BeginBlock(Begin{Hash: Digest{1}})
	w.mustNot(hot, w.work(hot, cold, w.s.height), NoPayer)
	w.claims(cold, hot)
	w.mustNot(colds[2], SignClaim(w.genesis.ChainID, hot.sign, colds[2].key, w.s.height+1), HotkeyOwned)
	paid := w.spentBy(cold, func() { w.must(hot, w.work(hot, cold, w.s.height)) })
	if _, ok := w.s.neurons.uidOf(hot.key); !ok || paid == 0 {
		t.Errorf("it has no uid, or nobody paid: %d rao", paid)
	}
	w.end(1)
	if !w.s.accounts.has(hot.key) {
		t.Error("it went")
	}
}

// A claim pays what the hotkey's own money leaves of the deposit.
func TestAClaimPaysWhatADepositLacks(t *testing.T) {
	for _, has := range []uint64{0, 1000, 1500} {
		w := stage(t, 2, func(g *Genesis) {
			g.Params.Hard = Hard{ExistentialRao: 1000, StrictNonce: true, Consent: true}
		})
		if has > 0 {
			w.must(colds[0], Transfer{hots[7].key, has})
		}
		paid := w.spentBy(colds[1], func() { w.claims(colds[1], hots[7]) })
		if want := 1000 - min(has, 1000); paid != want || w.freeOf(hots[7]) != max(has, 1000) {
			t.Errorf("a hotkey with %d rao: %d were paid, want %d, and it has %d", has, paid, want, w.freeOf(hots[7]))
		}
	}
}

// A claim holds for one coldkey on one chain, until it expires.
func TestAClaimHoldsForOneColdkeyOnOneChainForAWhile(t *testing.T) {
	w := strangers(t, true)
	hot := hots[7]
	w.mustNot(colds[1], SignClaim("elsewhere", hot.sign, colds[1].key, 1), NoConsent)
	w.mustNot(colds[1], SignClaim(w.genesis.ChainID, hot.sign, colds[2].key, 1), NoConsent)
	w.mustNot(colds[1], SignClaim(w.genesis.ChainID, hot.sign, colds[1].key, 0), ConsentExpired)
	w.mustNot(colds[1], SignClaim(w.genesis.ChainID, hot.sign, colds[1].key, 1<<40), ExpiryTooFar)
	w.claims(colds[1], hot)
	era := strangers(t, false)
	era.mustNot(colds[1], SignClaim(w.genesis.ChainID, hot.sign, colds[1].key, 1), ConsentOff)
	era.mustNot(hots[0], SignConsensus(w.genesis.ChainID, provable(1).sign, hots[0].key, 1), ConsentOff)
	era.mustNot(colds[0], SignSwap(w.genesis.ChainID, hot.sign, colds[0].key, hots[0].key, 1), SwapsOff)
}

// A new hotkey takes the place of an old one, which is nobody's afterwards.
func TestANewHotkeyTakesThePlaceOfAnOldOne(t *testing.T) {
	w := strangers(t, true)
	old, fresh := hots[0], hots[9]
	w.must(colds[0], Delegate{old.key, 100})
	w.must(colds[1], AddStake{old.key, RaoPerTAO})
	w.end(10)
	w.must(old, on(1, 1, 2, 9))
	swap := func(w *world, fresh actor) SwapHotkey {
		return SignSwap(w.genesis.ChainID, fresh.sign, colds[0].key, old.key, w.s.height+1)
	}
	w.mustNot(colds[1], swap(w, fresh), NotOwner)
	w.mustNot(colds[0], swap(w, hots[1]), HotkeyUsed)
	forged := swap(w, fresh)
	forged.NewSignature[0] ^= 1
	w.mustNot(colds[0], forged, NoConsent)
	uid, _ := w.s.neurons.uidOf(old.key)
	before, burned := w.s.neurons.get(uid).weights, w.s.money.Burned
	stake, left := w.stakeOf(old), w.freeOf(old)
	w.must(colds[0], swap(w, fresh))
	if least := w.s.params.Hard.ExistentialRao; w.freeOf(fresh) != least || w.freeOf(old) != left {
		t.Errorf("the new hotkey has %d rao of a deposit of %d, the old %d of %d", w.freeOf(fresh), least, w.freeOf(old), left)
	}
	if now, ok := w.s.neurons.uidOf(fresh.key); !ok || now != uid || w.stakeOf(fresh) != stake ||
		w.s.View().NominationOf(fresh.key, colds[1].key) != RaoPerTAO || w.stakeOf(old) != 0 ||
		len(w.s.neurons.get(uid).weights) != len(before) || w.s.money.Burned < burned+w.s.params.Hard.SwapRao {
		t.Error("something stayed behind, or nothing was burned")
	}
	w.mustNot(colds[0], SignSwap(w.genesis.ChainID, hots[10].sign, colds[0].key, fresh.key, w.s.height+1), TooSoon)
	w.end(1)
	if err := w.s.CheckInvariants(); err != nil {
		t.Error(err)
	}
}

// Points of the curve agree with what the standard library verifies: only under a point is there a
// signature to check, and keys that are made are sound.
func TestSoundKeysArePointsInTheirCanonicalForm(t *testing.T) {
	points := 0
	for i := range 2000 {
		if k := engineKey(i); k.onCurve() {
			points++
		}
		if k := pub(fmt.Sprint("sound ", i)); i < 200 && !k.sound() {
			t.Fatalf("key %s of a private key is not sound", k)
		}
	}
	if points < 900 || points > 1100 {
		t.Errorf("%d of 2,000 random strings are points", points)
	}
	for i := range byte(19) { // y from the prime on, and the sign of each
		for _, top := range []byte{0x7f, 0xff} {
			k := tall(0xed+i, top)
			if k.canonical() || k.sound() {
				t.Errorf("%s is said to be canonical", k)
			}
			if k[0]--; i == 0 && !k.canonical() {
				t.Errorf("%s is said not to be canonical", k)
			}
		}
	}
}
