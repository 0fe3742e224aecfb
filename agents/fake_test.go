package agents

import (
	"crypto/ed25519"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/model/token"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// tinyText is a source of three subsets, each with its own words in random order.
type tinyText struct{}

func (tinyText) Subsets() []pile.Subset {
	return []pile.Subset{{Name: "sea", Weight: 0.5}, {Name: "law", Weight: 0.3}, {Name: "math", Weight: 0.2}}
}

func (tinyText) Documents() iter.Seq2[pile.Document, error] {
	words := [][]string{
		{"the ", "wave ", "and ", "a ", "sail ", "wind "}, {"whereas ", "court ", "of ", "appeal "},
		{"1 ", "+ ", "2 ", "= ", "x "},
	}
	return func(yield func(pile.Document, error) bool) {
		for i, own := range words {
			for _, split := range []pile.Split{pile.Train, pile.Score, pile.HeldOut} {
				s := num.NewStream(uint64(i), fmt.Sprint("tiny text ", split))
				var text []byte
				for range 2000 {
					text = append(text, own[s.IntN(len(own))]...)
				}
				if !yield(pile.Document{Subset: i, Split: split, Text: text}, nil) {
					return
				}
			}
		}
	}
}

func (tinyText) Digest() ([32]byte, error) { return [32]byte{1}, nil }

// tinyVocab is every byte, a few merges and the end of text.
const tinyVocab = 264

// tinyTokenizer is the tiny text's tokenizer, made once for all tests.
var tinyTokenizer = sync.OnceValue(func() *token.Tokenizer {
	var sample [][]byte
	for d := range (tinyText{}).Documents() {
		sample = append(sample, d.Text)
	}
	tokenizer, err := token.Train(sample, tinyVocab)
	if err != nil {
		panic(err)
	}
	return tokenizer
})

// corpus is the tiny text in tokens, likewise.
var corpus = sync.OnceValue(func() *pile.Store {
	store, err := pile.Build(tinyText{}, tinyTokenizer())
	if err != nil {
		panic(err)
	}
	return store
})

func mixOf(split pile.Split) *pile.Mix {
	mix, err := corpus().NewMix(split, nil)
	if err != nil {
		panic(err)
	}
	return mix
}

// smallShape is a model that runs in microseconds.
var smallShape = lm.Config{Vocab: tinyVocab, Context: 16, Width: 8, Layers: 1, Heads: 1}

func smallModel() *lm.Model { return lm.New(smallShape, num.NewStream(1, "model")) }

func smallRouter(n int) *lm.Router { return lm.NewRouter(smallShape, n, num.NewStream(1, "router")) }

// fakeEnv is a world in which a test chooses the next event; it keeps a log of the agent's effects.
type fakeEnv struct {
	t       testing.TB
	now     host.Time
	self    chain.Key
	coldkey chain.Key
	state   *chain.State
	streams []namedStream
	log     []string
	ids     uint64

	job    host.Job
	jobID  host.JobID
	timers []fakeTimer
	calls  []fakeCall
	rows   []trace.Row
	newest host.SubmitID
	reply  host.Response // the newest
}

type namedStream struct {
	name   string
	stream *num.Stream
}

type fakeTimer struct {
	id     host.TimerID
	at     host.Time
	height uint64
	block  bool
	tag    host.Tag
}

type fakeCall struct {
	id      host.CallID
	to      host.PeerID
	request host.Request
}

func testKey(name string) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	return ed25519.NewKeyFromSeed(seed)
}

func publicKey(name string) chain.Key { return chain.Key(testKey(name).Public().(ed25519.PublicKey)) }

// newFakeEnv returns the world of neuron 0 of n; neuron i has a stake of i + 1 TAO.
func newFakeEnv(t testing.TB, n int, changes ...func(*chain.Genesis)) *fakeEnv {
	t.Helper()
	params, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	params = params.Scaled(n)
	params.TempoBlocks, params.MinAllowedWeights, params.MaxWeight = 20, 1, 65535
	params.WeightsRateLimitBlocks, params.StakeThresholdRao = 10, 0
	params.MaxValidators = uint16(n)
	genesis := chain.Genesis{ChainID: "test", Params: params, Balances: []chain.Balance{{Coldkey: publicKey("cold"), FreeRao: 100}}}
	for i := range n {
		genesis.Neurons = append(genesis.Neurons, chain.GenesisNeuron{
			Hotkey: publicKey(fmt.Sprint("hot ", i)), Coldkey: publicKey("cold"),
			StakeRao: uint64(n-i) * chain.RaoPerTAO,
		})
	}
	for _, change := range changes {
		change(&genesis)
	}
	state, err := chain.New(genesis)
	if err != nil {
		t.Fatal(err)
	}
	state.Advance(params.TempoBlocks) // the first epoch gives the permits
	return &fakeEnv{t: t, self: publicKey("hot 0"), coldkey: publicKey("cold"), state: state}
}

func (f *fakeEnv) id() uint64 { f.ids++; return f.ids }

func (f *fakeEnv) note(format string, args ...any) {
	f.log = append(f.log, fmt.Sprintf(format, args...))
}

// NodeOf says that uid u is node 100 + u.
func (f *fakeEnv) NodeOf(peer host.PeerID) *uint32 {
	if uid, ok := f.state.View().UIDOf(peer); ok {
		return trace.Some(100 + uint32(uid))
	}
	return nil
}

func (f *fakeEnv) Self() host.Self {
	uid, ok := f.state.View().UIDOf(f.self)
	return host.Self{Peer: f.self, Hotkey: f.self, Coldkey: f.coldkey, UID: uid, HasUID: ok}
}

// As names the identities in what follows.
func (f *fakeEnv) As(id host.Identity) host.Env {
	if id == 0 {
		return f
	}
	return fakeAs{f, id}
}

// fakeAs acts under the hotkey "hot new ID".
type fakeAs struct {
	*fakeEnv
	id host.Identity
}

func (f fakeAs) hotkey() chain.Key { return publicKey(fmt.Sprint("hot new ", f.id)) }

func (f fakeAs) Self() host.Self {
	self := f.fakeEnv.Self()
	self.Hotkey, self.Peer = f.hotkey(), f.hotkey()
	self.UID, self.HasUID = f.state.View().UIDOf(f.hotkey())
	return self
}

func (f fakeAs) Submit(role host.KeyRole, m chain.Msg) host.SubmitID {
	f.note("as identity %d", f.id)
	return f.fakeEnv.Submit(role, m)
}

func (f fakeAs) Call(to host.PeerID, r host.Request, timeout host.Time) host.CallID {
	f.note("as identity %d", f.id)
	return f.fakeEnv.Call(to, r, timeout)
}

func (f *fakeEnv) Now() host.Time    { return f.now }
func (f *fakeEnv) Chain() chain.View { return f.state.View() }

func (f *fakeEnv) Rand(purpose string) *num.Stream {
	for _, s := range f.streams {
		if s.name == purpose {
			return s.stream
		}
	}
	s := num.NewStream(7, purpose)
	f.streams = append(f.streams, namedStream{purpose, s})
	return s
}

func (f *fakeEnv) Submit(_ host.KeyRole, m chain.Msg) host.SubmitID {
	f.newest = host.SubmitID(f.id())
	switch m := m.(type) {
	case chain.SetWeights:
		f.note("submit %d: weights %v on %v", f.newest, m.Values, m.UIDs)
	case chain.CommitWeights:
		f.note("submit %d: commit", f.newest)
	case chain.RevealWeights:
		f.note("submit %d: reveal %v on %v", f.newest, m.Values, m.UIDs)
	case chain.Claim:
		f.note("submit %d: claim", f.newest)
	case chain.Register:
		f.note("submit %d: register", f.newest)
	case chain.AddStake:
		f.note("submit %d: stake %d rao", f.newest, m.AmountRao)
	case chain.RemoveStake:
		f.note("submit %d: unstake %d rao", f.newest, m.AmountRao)
	case chain.Delegate:
		f.note("submit %d: delegate for %d", f.newest, m.Take)
	case chain.Transfer:
		f.note("submit %d: transfer %d rao", f.newest, m.AmountRao)
	default:
		f.t.Fatalf("submitted %T", m)
	}
	return f.newest
}

func (f *fakeEnv) Call(to host.PeerID, r host.Request, timeout host.Time) host.CallID {
	uid, _ := f.state.View().UIDOf(to)
	id := host.CallID(f.id())
	f.calls = append(f.calls, fakeCall{id, to, r})
	f.note("call %d: uid %d, synapse %d, %d bytes, %s", id, uid, r.Synapse, len(r.Body), seconds(timeout))
	return id
}

func (f *fakeEnv) Cancel(id host.CallID) { f.note("cancel %d", id) }

func (f *fakeEnv) Reply(id host.CallID, r host.Response) {
	f.reply = r
	if part, err := wire.DecodePromptPart(r.Body); err == nil {
		f.note("part of %d: %q with %.3f, of %d tokens, end %d, more %t", id, part.Token, part.Prob, part.PromptTokens, part.Finish, r.More)
		for _, p := range part.Peers {
			f.note("  uid %d: %v after %s, loss %.3f %s", p.UID, host.Code(p.Code), seconds(host.Time(p.LatencyNs)), p.Loss, p.Reason)
		}
		return
	}
	if r.Code != host.Success && len(r.Body) > 0 {
		f.note("reply %d: code %d, %s", id, r.Code, r.Body)
		return
	}
	f.note("reply %d: code %d, %d bytes", id, r.Code, len(r.Body))
}

func (f *fakeEnv) Compute(j host.Job) host.JobID {
	if f.job != nil {
		f.t.Fatal("a second job while one is outstanding")
	}
	f.job, f.jobID = j, host.JobID(f.id())
	f.note("compute %d: %s", f.jobID, strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", j), "agents."), "mind."))
	return f.jobID
}

func (f *fakeEnv) After(d host.Time, tag host.Tag) host.TimerID {
	id := host.TimerID(f.id())
	f.timers = append(f.timers, fakeTimer{id: id, at: f.now + d, tag: tag})
	f.note("after %s: timer %d", seconds(d), id)
	return id
}

func (f *fakeEnv) AtBlock(height uint64, _ host.Tag) host.TimerID {
	id := host.TimerID(f.id())
	f.timers = append(f.timers, fakeTimer{id: id, height: height, block: true})
	f.note("at block %d: timer %d", height, id)
	return id
}

func (f *fakeEnv) Stop(id host.TimerID) {
	f.timers = slices.DeleteFunc(f.timers, func(t fakeTimer) bool { return t.id == id })
	f.note("stop %d", id)
}

func (f *fakeEnv) Record(r trace.Row) { trace.Each(r, f.record) }

func (f *fakeEnv) record(r trace.Row) {
	f.rows = append(f.rows, r)
	switch r := r.(type) { // who was asked is named by node too
	case trace.Query:
		f.sameNode(r.UID, r.Peer)
	case trace.Answer:
		f.sameNode(r.UID, r.Peer)
	case trace.Score:
		f.sameNode(r.UID, r.Peer)
	case trace.Application:
		f.sameNode(r.UID, r.Peer)
	}
	switch r := r.(type) {
	case trace.Query:
		f.note("record query: step %d uid %d %s %d of %s code %s loss %s base %s route %s off %s", r.Step, r.UID, r.Lane, r.Rows,
			shown(r.Subset), r.Code, shown(r.Loss), shown(r.Base), shown(r.Route), shown(r.RoutingLoss))
	case trace.Answer:
		f.note("record answer: uid %d %s %d of %s loss %s gate %s target %s", r.UID, r.Lane, r.Rows, r.Subset,
			shown(r.Loss), shown(r.Gate), shown(r.Target))
	case trace.Score:
		f.note("record score: uid %d %s row %d of %s loss %s gate %s target %s", r.UID, r.Lane, r.Row, r.Subset,
			shown(r.Loss), shown(r.Gate), shown(r.Target))
	case trace.Train:
		f.note("record training: %s, %d steps, %d tokens", r.Subset, r.Steps, r.Tokens)
	case trace.Application:
		f.note("record application: session %d token %d uid %d code %s admitted %s loss %s of all %s",
			r.Session, r.Position, r.UID, r.Code, shown(r.Admitted), shown(r.Loss), shown(r.EnsembleLoss))
	}
}

func (f *fakeEnv) sameNode(uid uint16, peer *uint32) {
	f.t.Helper()
	if peer == nil || *peer != 100+uint32(uid) {
		f.t.Errorf("a row about uid %d names node %s", uid, shown(peer))
	}
}

// shown formats a column's value, floats with two decimals; "none" if it has no value.
func shown[T any](v *T) string {
	if v == nil {
		return "none"
	}
	switch f := any(*v).(type) {
	case float32:
		return fmt.Sprintf("%.2f", f)
	case float64:
		return fmt.Sprintf("%.4g", f)
	}
	return fmt.Sprint(*v)
}

func seconds(t host.Time) string { return fmt.Sprintf("%.3gs", float64(t)/float64(host.Second)) }

// scratch is shared by all jobs of all tests, as a worker's is.
var scratch host.Scratch

// driver passes events to an agent; with roundTrip it replaces the agent after each of them by a
// fresh one with the restored state.
type driver struct {
	env       *fakeEnv
	agent     host.Agent
	fresh     func() host.Agent
	roundTrip bool
	next      uint16 // token that answers about an operator's text go on with
}

func (d *driver) handle(e host.Event) {
	d.agent.Handle(d.env, e)
	if !d.roundTrip || d.env.job != nil {
		return
	}
	state := d.agent.AppendState(nil)
	next := d.fresh()
	if err := next.RestoreState(state); err != nil {
		d.env.t.Fatalf("after %T: %v", e, err)
	}
	if again := next.AppendState(nil); !slices.Equal(state, again) {
		d.env.t.Fatalf("after %T: the restored agent has another state", e)
	}
	d.agent = next
}

// done runs the outstanding job, which takes a second. Between the job's run and its Done event the
// agent's state may be saved, as by hosts that wait for running jobs.
func (d *driver) done() {
	f := d.env
	if f.job == nil {
		f.t.Fatal("no job is outstanding")
	}
	result := f.job.Run(&scratch)
	id := f.jobID
	f.job, f.now = nil, f.now+host.Second
	if d.roundTrip {
		state := d.agent.AppendState(nil)
		d.agent = d.fresh()
		if err := d.agent.RestoreState(state); err != nil {
			f.t.Fatal(err)
		}
	}
	d.handle(host.Done{ID: id, Result: result})
}

// fire advances time to the first timer.
func (d *driver) fire() {
	f := d.env
	first := -1
	for i, t := range f.timers {
		if !t.block && (first < 0 || t.at < f.timers[first].at) {
			first = i
		}
	}
	if first < 0 {
		f.t.Fatal("no timer is set")
	}
	t := f.timers[first]
	f.timers = slices.Delete(f.timers, first, first+1)
	f.now = max(f.now, t.at)
	d.handle(host.Timer{ID: t.id, Tag: t.tag})
}

// blocks adds blocks to the chain and fires the timers that wait for them.
func (d *driver) blocks(n uint64) {
	f := d.env
	f.state.Advance(n)
	height := f.state.Height()
	f.now += host.Time(n) * 12 * host.Second
	for _, t := range slices.Clone(f.timers) {
		if t.block && t.height <= height && slices.Contains(f.timers, t) {
			f.timers = slices.DeleteFunc(f.timers, func(o fakeTimer) bool { return o == t })
			d.handle(host.Block{ID: t.id, Height: height})
		}
	}
}

// setWeights sets a neuron's weights equally on uids.
func (f *fakeEnv) setWeights(from int, uids ...uint16) {
	f.t.Helper()
	values := make([]uint32, len(uids))
	for i := range values {
		values[i] = 65535
	}
	hotkey := publicKey(fmt.Sprint("hot ", from))
	tx := chain.Sign("test", testKey(fmt.Sprint("hot ", from)), f.state.Nonce(hotkey), f.state.Height()+8,
		chain.SetWeights{Version: f.state.View().Params().WeightsVersion, UIDs: uids, Values: values})
	if err := f.state.Apply(tx); err != nil {
		f.t.Fatal(err)
	}
}

// take returns the log since the last call.
func (f *fakeEnv) take() string {
	s := strings.Join(f.log, "\n")
	f.log = nil
	return s
}
