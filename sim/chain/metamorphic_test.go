package chain

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// A history is what happens to a ledger: transactions and ends of blocks. It is made up at random
// from a seed, with an eye on the state so that most of it means something, and then played again in
// several ways that must not matter.
type history struct {
	seed    uint64
	genesis Genesis
	steps   []step
}

// step is a signed transaction, the beginning of a block, or the end of some.
type step struct {
	kind   string // the operation that it is a part of
	tx     *Tx
	begin  *Begin
	blocks uint64
}

// outcome is what comes of a step.
type outcome struct {
	refusal string
	events  []string
	digest  Digest // at the end of a block
}

func (o outcome) String() string {
	switch {
	case o.refusal != "":
		return "refused: " + o.refusal
	case o.digest == Digest{}:
		return "ok"
	}
	return strings.Join(append(slices.Clone(o.events), "digest "+o.digest.String()[:16]), "\n      ")
}

func ended(s *State, events []Event) outcome {
	o := outcome{digest: s.Digest()}
	for _, e := range events {
		o.events = append(o.events, fmt.Sprintf("%T %+v", e, e))
	}
	return o
}

func applied(err error) outcome {
	if err == nil {
		return outcome{}
	}
	return outcome{refusal: err.Error()}
}

// play is a run of a history in some way.
type play struct {
	*rand.Rand
	s      *State
	watch  *Watch
	views  []held
	stored map[string][]byte // records, as a store has them
	then   Snapshot          // when the first view was taken, for changes
	fault  error             // what was found to be wrong besides the outcomes
}

// held is a view and all that it showed when it was taken.
type held struct {
	view View
	seen [32]byte
}

func (p *play) objects(err error) {
	if p.fault == nil {
		p.fault = err
	}
}

// way is a way to play a history. What is nil happens in the plainest way.
type way struct {
	name    string
	order   func(d *rand.Rand, h history) []int // in which the steps are taken
	apply   func(p *play, tx Tx) error
	advance func(p *play, n uint64) []Event
	after   func(p *play) // each step
	costly  bool          // not for every history
}

// ways are the ways that must not matter.
var ways = []way{
	{name: "as it stands"},
	{name: "block by block", advance: func(p *play, n uint64) (events []Event) {
		for range n {
			events = append(events, p.s.EndBlock()...)
		}
		return events
	}},
	{name: "blocks in pieces", advance: func(p *play, n uint64) (events []Event) {
		for n > 0 {
			piece := 1 + p.Uint64N(n)
			events = append(events, p.s.Advance(piece)...)
			n -= piece
		}
		return events
	}},
	{name: "reloaded from a snapshot", after: func(p *play) {
		if p.IntN(3) == 0 {
			p.reload()
		}
	}},
	{name: "reloaded after every step", after: (*play).reload, costly: true},
	{name: "exported and imported", after: func(p *play) {
		if p.IntN(4) > 0 {
			return
		}
		again, err := Import(p.s.Export())
		if err != nil {
			p.objects(fmt.Errorf("import: %w", err))
			return
		}
		p.s = again
	}},
	{name: "with views held", after: (*play).look},
	{name: "transactions as bytes", apply: func(p *play, tx Tx) error {
		b, err := tx.AppendBinary(nil)
		if err != nil {
			p.objects(err)
		}
		again, err := DecodeTx(b)
		if err != nil {
			p.objects(err)
		}
		return p.s.Apply(again)
	}},
	{name: "independent transactions permuted", order: permuted},
	{name: "with refused transactions in between", apply: func(p *play, tx Tx) error {
		p.disturb(tx)
		err := p.s.Apply(tx)
		p.disturb(tx)
		return err
	}},
	{name: "with digests at every step", after: func(p *play) { p.s.Digest() }},
	{name: "sealed", after: (*play).seal},
	{name: "forked", after: (*play).fork},
	{name: "with changes listed", after: (*play).changes},
	{name: "with every invariant checked", costly: true, after: func(p *play) {
		if err := p.watch.Check(p.s); err != nil {
			p.objects(err)
		}
		if err := p.s.CheckInvariants(); err != nil {
			p.objects(err)
		}
	}},
}

func (p *play) reload() {
	b, err := p.s.AppendBinary(nil)
	if err != nil {
		p.objects(err)
	}
	again := new(State)
	if err := again.UnmarshalBinary(b); err != nil {
		p.objects(err)
		return
	}
	p.s = again
}

// look takes a view and reads one again that was taken before.
func (p *play) look() {
	const most = 12
	v := p.s.View()
	p.views = append(p.views, held{v, shown(v)})
	h := p.views[p.IntN(len(p.views))]
	if shown(h.view) != h.seen {
		p.objects(fmt.Errorf("the view of height %d shows something else at height %d", h.view.Height(),
			p.s.Height()))
	}
	if len(p.views) > most {
		p.views = slices.Delete(p.views, 1, 2) // the first stays to the end
	}
}

// shown is the hash of all that a view shows.
func shown(v View) [32]byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, v.Height(), withoutUnbonding(v.Totals()), v.BurnRao(), v.Difficulty(), v.Epochs(), v.Governor(),
		v.Owner(), strings.Replace(fmt.Sprint(v.Params()), fmt.Sprintf(" %v", Hard{}), "", 1))
	for uid := range UID(v.N()) {
		fmt.Fprintln(&b, v.Neuron(uid), v.Weights(uid), v.Bonds(uid), v.Commits(uid))
	}
	for _, a := range actors {
		uid, registered := v.UIDOf(a.key)
		take, delegate := v.Take(a.key)
		fmt.Fprintln(&b, uid, registered, take, delegate, v.StakeOf(a.key), v.FreeOf(a.key), v.Nonce(a.key),
			v.NominationOf(a.key, actors[0].key))
		if waits := v.UnbondingOf(a.key); waits != nil {
			fmt.Fprintln(&b, waits)
		}
	}
	if members, threshold := v.Council(); v.Rules() > 0 {
		fmt.Fprintln(&b, members, threshold, v.Proposals(), v.Rules(), v.Plan())
	}
	if seats := v.Operators(); seats != nil {
		fmt.Fprintln(&b, seats)
	}
	for back := range min(v.Height(), 4) {
		hash, ok := v.BlockHash(v.Height() - back)
		fmt.Fprintln(&b, hash, ok)
	}
	return sha256.Sum256(b.Bytes())
}

// disturb applies spoiled copies of a transaction, which must be refused and leave no trace.
func (p *play) disturb(tx Tx) {
	spoiled := []Tx{tx, tx, tx, tx}
	spoiled[0].Expiry = p.s.Height()
	spoiled[1].Signature[7] ^= 1
	spoiled[2].Nonce = 1<<64 - 1
	spoiled[3].Msg = nil
	if next := p.s.Nonce(tx.Signer); next > 0 {
		old := tx
		old.Nonce = next - 1
		spoiled = append(spoiled, old)
	}
	before := p.s.Digest()
	for i, bad := range spoiled {
		var refusal *Error
		if err := p.s.Apply(bad); !errors.As(err, &refusal) {
			p.objects(fmt.Errorf("spoiled transaction %d: %v", i, err))
		}
	}
	if p.s.Digest() != before {
		p.objects(fmt.Errorf("a refused transaction changed the state"))
	}
}

// played plays a history and returns what came of each step.
func (w way) played(h history) (outcomes []outcome, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	s, err := New(h.genesis)
	if err != nil {
		return nil, err
	}
	p := &play{Rand: rand.New(rand.NewPCG(h.seed, 1)), s: s, watch: s.Watch()}
	order := make([]int, len(h.steps))
	for i := range order {
		order[i] = i
	}
	if w.order != nil {
		order = w.order(p.Rand, h)
	}
	outcomes = make([]outcome, len(h.steps))
	for _, i := range order {
		st := h.steps[i]
		switch {
		case st.tx != nil && w.apply != nil:
			outcomes[i] = applied(w.apply(p, *st.tx))
		case st.tx != nil:
			outcomes[i] = applied(p.s.Apply(*st.tx))
		case st.begin != nil:
			p.s.BeginBlock(*st.begin)
		case w.advance != nil:
			events := w.advance(p, st.blocks)
			outcomes[i] = ended(p.s, events)
		default:
			events := p.s.Advance(st.blocks)
			outcomes[i] = ended(p.s, events)
		}
		if w.after != nil {
			w.after(p)
		}
		if p.fault != nil {
			return outcomes, fmt.Errorf("step %d: %w", i, p.fault)
		}
	}
	for _, h := range p.views {
		if shown(h.view) != h.seen {
			return outcomes, fmt.Errorf("the view of height %d shows something else in the end",
				h.view.Height())
		}
	}
	return outcomes, nil
}

// differs says where a way of playing a history leads elsewhere than want.
func (w way) differs(h history, want []outcome) error {
	got, err := w.played(h)
	if err != nil {
		return err
	}
	for i := range want {
		a, b := want[i], got[i]
		if w.order != nil { // then so are the events of a block
			a.events = slices.Sorted(slices.Values(a.events))
			b.events = slices.Sorted(slices.Values(b.events))
		}
		if !reflect.DeepEqual(a, b) {
			return fmt.Errorf("step %d:\n  as it stands: %v\n  in this way:  %v", i, a, b)
		}
	}
	return nil
}

// footprint is what a transaction reads and writes of the ledger. Two transactions commute if
// neither writes what the other reads or writes. Sums of money are left out: additions commute.
type footprint struct{ reads, writes []any }

type place string

func footprintOf(tx Tx, p *Params) (f footprint) {
	f.reads, f.writes = []any{place("params")}, []any{tx.Signer} // the nonce, the money
	neuron := func() { f.reads = append(f.reads, place("slots")) }
	newcomer := func(hotkey, coldkey Key) {
		f.writes = append(f.writes, hotkey, coldkey, place("slots"), place("stakes"))
		if p.nakamoto() { // a replaced neuron gets the stake back
			f.writes = append(f.writes, place("params"))
		}
	}
	staking := func(hotkey Key) {
		f.writes, f.reads = append(f.writes, hotkey), append(f.reads, place("stakes"))
		if p.Hard.MinNominationRao > 0 { // a nominator that gives way gets the stake back
			f.writes = append(f.writes, place("params"))
		}
	}
	switch m := tx.Msg.(type) {
	case Transfer:
		f.writes = append(f.writes, m.To)
	case AddStake:
		staking(m.Hotkey)
	case RemoveStake:
		staking(m.Hotkey)
	case Claim:
		f.writes = append(f.writes, m.Hotkey)
	case Delegate:
		f.writes = append(f.writes, m.Hotkey)
	case Burn, Recycle:
	case Register:
		newcomer(m.Hotkey, tx.Signer)
	case RegisterWork:
		newcomer(tx.Signer, m.Coldkey)
	case ServeConsensus:
		neuron()
		f.writes = append(f.writes, place("consensus keys"))
	case SetWeights, CommitWeights, RevealWeights, ServeAxon, ResetBonds:
		neuron()
	default:
		f.writes = append(f.writes, place("params"))
	}
	return f
}

func (f footprint) commutes(g footprint) bool {
	clash := func(writes, touched []any) bool {
		return slices.ContainsFunc(writes, func(w any) bool { return slices.Contains(touched, w) })
	}
	return !clash(f.writes, g.writes) && !clash(f.writes, g.reads) && !clash(g.writes, f.reads)
}

// permuted swaps neighbours in a block that commute, many times.
func permuted(d *rand.Rand, h history) []int {
	prints := make([]footprint, len(h.steps))
	order := make([]int, len(h.steps))
	for i, st := range h.steps {
		order[i] = i
		if st.tx != nil {
			prints[i] = footprintOf(*st.tx, &h.genesis.Params)
			if h.genesis.Params.Hard.FeeRao != 0 { // the owner of a hotkey pays, and the block fills
				prints[i].writes = append(prints[i].writes, place("params"))
			}
		}
	}
	if len(order) < 2 {
		return order
	}
	for range 4 * len(order) {
		i := d.IntN(len(order) - 1)
		a, b := order[i], order[i+1]
		if h.steps[a].tx != nil && h.steps[b].tx != nil && prints[a].commutes(prints[b]) {
			order[i], order[i+1] = b, a
		}
	}
	return order
}

// shrunk drops steps from a history for as long as it still fails.
func shrunk(h history, fails func(history) bool) history {
	for size := len(h.steps) / 2; size > 0; {
		smaller := false
		for from := 0; from+size <= len(h.steps); {
			try := h
			try.steps = slices.Concat(h.steps[:from], h.steps[from+size:])
			if fails(try) {
				h, smaller = try, true
			} else {
				from += size
			}
		}
		if !smaller || size > len(h.steps) {
			size /= 2
		}
	}
	for i := range h.steps {
		for h.steps[i].blocks > 1 {
			try := h
			try.steps = slices.Clone(h.steps)
			try.steps[i].blocks /= 2
			if !fails(try) {
				break
			}
			h = try
		}
	}
	return h
}

// script is a history as a human reads it.
func (h history) script() string {
	var b strings.Builder
	outcomes, err := ways[0].played(h)
	if err != nil {
		fmt.Fprintf(&b, "(playing it as it stands: %v)\n", err)
	}
	fmt.Fprintf(&b, "seed %d; to see it again: go test -run 'ALedgerIsTheSame' -seed %d\n", h.seed, h.seed)
	fmt.Fprintln(&b, named(fmt.Sprintf("genesis %+v", h.genesis)))
	for i, st := range h.steps {
		switch {
		case st.tx != nil:
			fmt.Fprintf(&b, "%4d %-28s %s (nonce %d, expiry %d): %s", i, st.kind, name(st.tx.Signer),
				st.tx.Nonce, st.tx.Expiry, named(fmt.Sprintf("%T %+v", st.tx.Msg, st.tx.Msg)))
		default:
			fmt.Fprintf(&b, "%4d %-28s %d blocks end", i, st.kind, st.blocks)
		}
		if i < len(outcomes) {
			fmt.Fprintf(&b, "\n      %s", named(outcomes[i].String()))
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}

// actor is somebody who signs.
type actor struct {
	name string
	sign ed25519.PrivateKey
	key  Key
}

var actors = func() (all []actor) {
	for _, kind := range []string{"cold", "hot"} {
		for i := range 12 {
			name := fmt.Sprint(kind, i)
			all = append(all, actor{name, testKey(name), pub(name)})
		}
	}
	return append(all, actor{"governor", testKey("governor"), pub("governor")})
}()

func name(k Key) string {
	for _, a := range actors {
		if a.key == k {
			return a.name
		}
	}
	return k.String()[:12]
}

// named writes names for the keys in a text.
func named(text string) string {
	for _, a := range actors {
		text = strings.ReplaceAll(text, a.key.String(), a.name)
	}
	return text
}

var (
	opsWanted = flag.Int("ops", 0, "random operations of the long run of a ledger, 0: no long run")
	oneSeed   = flag.Uint64("seed", 0, "only this history, or the first one of the long run")
	seedCount = flag.Uint64("seeds", 40, "random histories that are played in all ways")
)

// checkWays plays a history in every way and shrinks what fails.
func checkWays(t *testing.T, h history, want []outcome, all []way) {
	t.Helper()
	for _, w := range all {
		err := w.differs(h, want)
		if err == nil {
			continue
		}
		small := shrunk(h, func(h history) bool {
			want, err := ways[0].played(h)
			return err != nil || w.differs(h, want) != nil
		})
		want, _ := ways[0].played(small)
		t.Fatalf("seed %d, %q leads elsewhere: %v\n\nwith %d of its %d steps: %v\n%s", h.seed, w.name, err,
			len(small.steps), len(h.steps), w.differs(small, want), small.script())
	}
}

func TestALedgerIsTheSameInWhateverWayItsHistoryIsPlayed(t *testing.T) {
	seeds := []uint64{*oneSeed}
	if *oneSeed == 0 {
		seeds = nil
		for i := range *seedCount {
			seeds = append(seeds, 1+i)
		}
	}
	steps, refused, moved := 0, 0, 0
	for _, seed := range seeds {
		g := generate(t, seed, 100)
		checkWays(t, g.history, g.outcomes, slices.DeleteFunc(slices.Clone(ways), func(w way) bool {
			return w.costly && seed%4 != 0
		}))
		for i, j := range permuted(rand.New(rand.NewPCG(seed, 1)), g.history) {
			if i != j {
				moved++
			}
		}
		for _, o := range g.outcomes {
			if o.refusal != "" {
				refused++
			}
		}
		steps += len(g.outcomes)
	}
	if moved == 0 || refused == 0 || refused > steps*3/4 {
		t.Errorf("of %d steps %d were refused, %d were permuted", steps, refused, moved)
	}
	t.Logf("seeds %d to %d: %d steps in %d ways, %d refused, %d permuted", seeds[0], seeds[len(seeds)-1],
		steps, len(ways), refused, moved)
}

// TestManyRandomOperationsConserve plays -ops operations in histories of ten thousand from -seed on, adds up all
// money after each and checks every invariant after each thousand.
func TestManyRandomOperationsConserve(t *testing.T) {
	ops, length, first := *opsWanted, 10_000, cmp.Or(*oneSeed, 1000)
	if ops == 0 {
		ops, length = 3000, 2000
	}
	begin, seed, done, refused := time.Now(), first, 0, 0
	for ; done < ops; seed++ {
		g := newWorld(t, seed)
		g.check = func() {
			done++
			free, staked := g.s.sums()
			if free != g.s.money.Free || staked != g.s.money.Staked {
				t.Fatalf("seed %d, step %d: accounts hold %d + %d, the totals say %+v", seed, len(g.steps),
					free, staked, g.s.money)
			}
			if done%1000 == 0 {
				if err := g.s.CheckInvariants(); err != nil {
					t.Fatalf("seed %d, step %d: %v", seed, len(g.steps), err)
				}
			}
		}
		g.run(min(length, ops-done))
		for _, o := range g.outcomes {
			if o.refusal != "" {
				refused++
			}
		}
	}
	t.Logf("%d operations, %d refused, seeds %d to %d, %.0f s", done, refused, first, seed-1, time.Since(begin).Seconds())
}

// TestAFailingHistoryIsShrunk plants a fault in a way and looks what is left of a long history.
func TestAFailingHistoryIsShrunk(t *testing.T) {
	g := generate(t, 5, 100)
	planted := way{name: "planted", apply: func(p *play, tx Tx) error {
		err := p.s.Apply(tx)
		if _, ok := tx.Msg.(Transfer); ok && err == nil && p.s.Height() > 3 {
			p.s.burnPriceRao++
		}
		return err
	}}
	if planted.differs(g.history, g.outcomes) == nil {
		t.Fatal("the history does not meet the fault")
	}
	small := shrunk(g.history, func(h history) bool {
		want, err := ways[0].played(h)
		return err != nil || planted.differs(h, want) != nil
	})
	if text := small.script(); len(small.steps) > 4 || !strings.Contains(text, "chain.Transfer") {
		t.Errorf("%d steps are left of %d:\n%s", len(small.steps), len(g.steps), text)
	}
}
