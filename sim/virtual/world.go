package virtual

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync/atomic"

	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// World is a network in virtual time. Apart from Progress it belongs to one goroutine.
type World struct {
	cfg     Config
	records Recording
	peers   map[host.PeerID]party
	places  map[chain.Key]int32 // of nodes, by each hotkey that they ever have
	nodes   []node
	pool    *pool

	now    host.Time
	queue  queue
	seq    uint64 // of the last event
	stale  int    // about how many events in the queue are about records that are gone
	log    *eventLog
	events uint64
	flop   int64
	tokens int64

	injections []*injection
	former     *former // of the snapshot that is being read
	alarms     heap    // of the schedule of faults
	alarmSeq   uint64
	life       life

	producer    producer
	messages    pending[message]
	nextMessage uint64

	active       *node      // whose agent is handling an event
	handled      host.Event // by it
	doing        deed
	roundTripped bool
	ended        bool
	halt         uint64 // height at which Run returns once; 0: none
	err          error  // why the run cannot go on
	scratch      []byte // state of an agent on its way into a snapshot
	progress     progress
}

// node is one machine.
type node struct {
	cfg   Node
	index int32
	agent host.Agent
	ids   []identity

	coldkey key
	link    *num.Stream // jitter and loss of what the node sends
	streams []namedStream

	down   int // faults that keep the process from running
	paused int // faults that hold it
	behind int // faults that make it speak an older version
	faults nodeFaults
	lags   []host.Time // of faults.lags, by which the node sees blocks later
	names  int         // times that faults will give it other hotkeys
	named  int         // how many of them are over

	savesUntil  host.Time // while a fault may stop it; 0: it never saves
	disk        disk
	forgets     bool // it will start without its state
	misdirected bool // it will read another node's
	slowRead    bool // it is reading

	pausedAt host.Time
	held     []event // that wait for the end of the pause
	keptHeld int     // of them at the last look

	lastID uint64 // of calls, jobs, timers, submissions and requests alike

	upFree, downFree host.Time  // when the links are done with what they have
	txArrival        host.Time  // of the last transaction, so that nonces arrive in order
	upBps, downBps   int64      // of the links now
	cutOff           int        // faults between the node and the blocks
	frozenUntil      host.Time  // by those
	frozen           chain.View // while cutOff, and where it would see an older one
	floor            uint64     // its height
	signedTwice      bool       // two blocks of one height, and no block told of it yet

	job       job
	timers    pending[timer]
	calls     pending[call]
	served    pending[service]
	admission host.Admission
}

// identity is one of a node's hotkeys: of those that it had and will have the one it has now.
type identity struct {
	env    env
	peer   host.PeerID
	hotkey key
	names  []key // the hotkeys that it will have after the first

	standing standing // at the newest look, memory only
}

// party is who sends or gets a message.
type party struct {
	node int32
	id   host.Identity
}

// key is one of a node's keys with its account in the ledger.
type key struct {
	chain.Key
	account host.Account
}

type namedStream struct {
	purpose string
	*num.Stream
}

// job is the node's outstanding job; none when task is nil.
type job struct {
	id    uint64
	task  *task
	began host.Time
	owed  host.Time // what the node's pauses add
}

// timer is what After and AtBlock wait for.
type timer struct {
	tag    host.Tag
	height uint64 // of AtBlock
	block  bool
}

// progress is Progress for other goroutines.
type progress struct {
	now, flop      atomic.Int64
	tokens         atomic.Int64
	height, events atomic.Uint64
}

// Progress is how far a run has come.
type Progress struct {
	Now    host.Time // virtual time
	Height uint64    // blocks made
	Blocks uint64    // blocks of the whole run
	Events uint64    // events processed, blocks not counted
	FLOP   int64     // work of the jobs whose results were delivered
	Tokens int64     // tokens that those jobs read, as far as they tell

	// Where the threads have been, in nanoseconds of Config.Stopwatch; zero without one.
	JobNs  int64 // in compute jobs, all threads together
	LoopNs int64 // in compute jobs, of that the loop's own thread
	WaitNs int64 // the loop, for a job or a hash that another thread is at
}

// New makes the world at time 0.
func New(cfg Config) (_ *World, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("virtual: %w", err)
	}
	cfg = cfg.withDefaults()
	cfg.Blocks += cfg.Genesis.Height
	w := &World{
		cfg:     cfg,
		records: cfg.Trace,
		peers:   make(map[host.PeerID]party, len(cfg.Nodes)),
		places:  make(map[chain.Key]int32, len(cfg.Nodes)),
		nodes:   make([]node, len(cfg.Nodes)),
		pool:    newPool(cfg.Workers, cfg.Stopwatch),
	}
	w.log = newEventLog(cfg.Origin, w.pool.await)
	defer w.survive(&err)
	if cfg.Recorder == nil {
		w.records = Recording{}
	}
	hotkeys := make([]ed25519.PrivateKey, len(cfg.Nodes))
	for i, n := range cfg.Nodes {
		hotkeys[i] = Key(cfg.Seed, n.Name, host.Hotkey)
	}
	if err := w.openLedger(hotkeys); err != nil {
		return nil, fmt.Errorf("virtual: %w", err)
	}
	if err := errors.Join(w.addNodes(hotkeys), w.addOthers()); err != nil {
		return nil, fmt.Errorf("virtual: %w", err)
	}
	w.openFaults()
	for i := range w.nodes {
		w.push(0, evStart, int32(i), 0)
	}
	return w, nil
}

// addNodes gives every node its keys, streams and agent.
func (w *World) addNodes(hotkeys []ed25519.PrivateKey) error {
	for i := range w.nodes {
		n := &w.nodes[i]
		n.cfg, n.index = w.cfg.Nodes[i], int32(i)
		n.agent = n.cfg.Agent
		if n.agent == nil {
			w.doing = deed{n, "making its agent"}
			n.agent, w.doing = n.cfg.Fresh(), deed{}
		}
		if n.cfg.ColdkeyOf == "" {
			n.cfg.ColdkeyOf = n.cfg.Name
		}
		n.ids = make([]identity, n.cfg.identities())
		if err := w.addIdentity(n, 0, w.open(hotkeys[i]), n.cfg.Peer); err != nil {
			return err
		}
		n.coldkey = w.open(Key(w.cfg.Seed, n.cfg.ColdkeyOf, host.Coldkey))
		n.link = num.NewStream(w.cfg.Seed, "link\x00"+n.cfg.Name)
		n.admission.Rules = n.cfg.Admission
		n.setSpeeds()
	}
	return nil
}

// addOthers gives every node its hotkeys after the first.
func (w *World) addOthers() error {
	for i := range w.nodes {
		n := &w.nodes[i]
		for id := 1; id < len(n.ids); id++ {
			hotkey := w.open(Key(w.cfg.Seed, Named(n.cfg.Name, host.Identity(id)), host.Hotkey))
			w.producer.ledger.Assign(hotkey.Key, n.index)
			if err := w.addIdentity(n, id, hotkey, host.PeerID{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// addIdentity lets a node act under a hotkey and be asked at a peer key; zero: at the hotkey.
func (w *World) addIdentity(n *node, id int, hotkey key, peer host.PeerID) error {
	if peer == (host.PeerID{}) {
		peer = hotkey.Key
	}
	if other, taken := w.peers[peer]; taken {
		return fmt.Errorf("%v: peer key %v is node %d's", n, peer, other.node)
	}
	at := party{n.index, host.Identity(id)}
	n.ids[id] = identity{env: env{w, n, at.id}, peer: peer, hotkey: hotkey}
	w.peers[peer], w.places[hotkey.Key] = at, n.index
	return nil
}

// open makes a key one of the ledger's own.
func (w *World) open(private ed25519.PrivateKey) key {
	account := w.producer.ledger.Open(private)
	return key{w.producer.ledger.Key(account), account}
}

// push schedules an event, behind all others of its time.
func (w *World) push(at host.Time, k kind, node int32, id uint64) {
	w.seq++
	w.queue.push(event{at: at, seq: w.seq, id: id, node: node, kind: k})
}

// Progress may be called from any goroutine while Run runs.
func (w *World) Progress() Progress {
	return Progress{
		Now:    host.Time(w.progress.now.Load()),
		Height: w.progress.height.Load(),
		Blocks: w.cfg.Blocks,
		Events: w.progress.events.Load(),
		FLOP:   w.progress.flop.Load(),
		Tokens: w.progress.tokens.Load(),
		JobNs:  w.pool.spent.jobs.Load(),
		LoopNs: w.pool.spent.ownJobs.Load(),
		WaitNs: w.pool.spent.waiting.Load(),
	}
}

func (w *World) publish() {
	w.progress.now.Store(int64(w.now))
	w.progress.height.Store(w.producer.ledger.Height())
	w.progress.events.Store(w.events)
	w.progress.flop.Store(w.flop)
	w.progress.tokens.Store(w.tokens)
}

// Digest is the hash of all that has happened so far: every processed event and the ledger
// digests.
func (w *World) Digest() chain.Digest { return w.log.digest() }

// LedgerDigest is the hash of the ledger after the newest block.
func (w *World) LedgerDigest() chain.Digest { return w.producer.ledger.Digest() }

// Chain is the ledger after the newest block.
func (w *World) Chain() chain.View { return w.producer.ledger.View(w.producer.ledger.Height()) }

// Agent is the agent of node i, in the order of the config.
func (w *World) Agent(i int) host.Agent { return w.nodes[i].agent }

// fail ends the run: something is wrong that no result should hide.
func (w *World) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *World) record(r trace.Row) {
	if w.cfg.Recorder != nil {
		trace.Record(w.cfg.Recorder, r)
	}
}

// ErrPaused is what Run returns at the height that PauseAt named.
var ErrPaused = errors.New("virtual: paused")

// PauseAt makes Run return ErrPaused once, between the block of a height and all that follows it: what
// Run does when it is called again is what it would have done. It replaces an earlier height; 0 is none.
func (w *World) PauseAt(height uint64) { w.halt = height }

// Run lets time pass until the last block, or until Config.Until. When ctx ends first, it returns
// ctx's error between two events, and may be called again to go on. It returns an error when an agent
// asked for what no world can give, or when an agent or a job panicked; then the run cannot go on.
func (w *World) Run(ctx context.Context) (err error) {
	w.pool.start()
	defer w.pool.stop()
	defer w.publish()
	defer w.survive(&err)
	for turn := 0; w.err == nil; turn++ {
		if turn%256 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			w.publish()
		}
		if w.halt > 0 && w.producer.ledger.Height() == w.halt {
			w.halt = 0
			return ErrPaused
		}
		if w.at(w.cfg.Until) {
			w.Close()
			return nil
		}
		if w.producer.ledger.Height() >= w.cfg.Blocks {
			w.end()
			return w.checkLife()
		}
		if err := w.turn(ctx); err != nil {
			return err
		}
	}
	return w.err
}

// at reports whether the run has come to a position; the zero position is nowhere.
func (w *World) at(p Position) bool {
	return p != Position{} && w.producer.ledger.Height() == p.Height && w.events == p.Events
}

// turn processes what comes next: a block, or the earliest event.
func (w *World) turn(ctx context.Context) error {
	next := w.producer.nextBlock()
	isEvent := w.queue.len() > 0 && w.queue.first().at < next
	if isEvent {
		next = w.queue.first().at
	}
	if len(w.alarms) > 0 && w.alarms[0].at <= next {
		return w.soundAlarm(ctx)
	}
	if w.cfg.RoundTripAt > 0 && !w.roundTripped && next >= w.cfg.RoundTripAt {
		if err := w.roundTrip(ctx); err != nil {
			return err
		}
		w.roundTripped = true
	}
	if isEvent {
		return w.step(ctx)
	}
	w.makeBlocks()
	return nil
}

// end closes the log with the final ledger.
func (w *World) end() {
	if !w.ended {
		w.ended = true
		w.log.ledger(w.producer.ledger.Height(), w.producer.ledger.Digest())
	}
	w.Close()
}

// Close records what only the end of a run shows: the seats that are still held. Run does so at the
// last block and at Config.Until; who does not go on after an interruption calls it.
func (w *World) Close() { w.producer.ledger.Close() }

// pass lets time pass, which never goes back.
func (w *World) pass(to host.Time) {
	if to < w.now {
		w.fail(fmt.Errorf("time went back from %d to %d ns: an event was late", w.now, to))
	}
	w.now = to
}

// Govern sets a parameter of the chain between two calls of Run, though nobody signed a message that
// says so: for a fork with other parameters.
func (w *World) Govern(m chain.SetParams) error { return w.producer.ledger.Govern(m) }
