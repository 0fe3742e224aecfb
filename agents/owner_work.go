package agents

import (
	"encoding/binary"

	"taolab/agents/decide"
	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/chain/registration"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// hashing is an owner's search for a seal. When the next one comes is a lottery against the ledger's
// difficulty; only then is a nonce searched that really seals.
type hashing struct {
	on         bool
	timer      host.TimerID // of the next seal
	watch      host.TimerID // of the block at which the difficulty may move
	difficulty uint64       // that the timer was drawn for
	searching  bool
	job        host.JobID
	block      uint64 // that the seal is of
}

// start begins the search, unless it goes on already.
func (h *hashing) start(o *Owner, env host.Env) {
	if h.on {
		return
	}
	h.on = true
	h.draw(o, env)
	h.await(env)
}

// stop ends it.
func (h *hashing) stop(env host.Env) {
	if h.on {
		env.Stop(h.timer)
		env.Stop(h.watch)
	}
	*h = hashing{searching: h.searching, job: h.job} // a job that runs ends, and is not listened to
}

// draw draws when the next seal comes.
func (h *hashing) draw(o *Owner, env host.Env) {
	h.difficulty = env.Chain().Difficulty()
	seconds := decide.SealSeconds(h.difficulty, o.config.Seat.HashesPerS, env.Rand("decide/seals"))
	h.timer = env.After(host.Time(float64(seconds*float64(host.Second))), 0)
}

// await sets the timer of the next block after which the difficulty may have moved.
func (h *hashing) await(env host.Env) {
	view := env.Chain()
	interval := max(view.Params().AdjustmentIntervalBlocks, 1)
	h.watch = env.AtBlock((view.Height()/interval+1)*interval, 0)
}

// watchDifficulty draws again where the difficulty has moved.
func (o *Owner) watchDifficulty(env host.Env) {
	if !o.hash.on {
		return
	}
	if env.Chain().Difficulty() != o.hash.difficulty && !o.hash.searching && !o.entry.open {
		env.Stop(o.hash.timer)
		o.hash.draw(o, env)
	}
	o.hash.await(env)
}

// searchTries is how many times the difficulty a search tries: one in e^64 fails.
const searchTries = 64

// foundSeal searches the nonce of the seal whose time has come.
func (o *Owner) foundSeal(env host.Env) {
	view, self, h := env.Chain(), env.As(o.entry.as).Self(), &o.hash
	hash, known := view.BlockHash(view.Height())
	switch {
	case self.HasUID || o.entry.open:
		return
	case !known || h.searching || o.worker != nil && o.worker.Busy():
		h.draw(o, env)
		return
	}
	h.block = view.Height()
	s := search{
		seal: registration.Seal(view.Params().Seal), hash: hash, hotkey: self.Hotkey,
		difficulty: view.Difficulty(), first: env.Rand("decide/nonces").Uint64(),
	}
	if s.seal == registration.Granted {
		o.submitSeal(env, s.Run(nil))
		return
	}
	h.searching, h.job = true, env.Compute(s)
}

// tookSeal takes the result of a search.
func (o *Owner) tookSeal(env host.Env, result []byte) {
	o.hash.searching = false
	if o.hash.on && !env.As(o.entry.as).Self().HasUID {
		o.submitSeal(env, result)
	}
}

// submitSeal registers with a seal.
func (o *Owner) submitSeal(env host.Env, seal []byte) {
	if len(seal) != sealBytes {
		o.hash.draw(o, env)
		return
	}
	as := env.As(o.entry.as)
	self := as.Self()
	msg := chain.RegisterWork{Coldkey: self.Coldkey, Block: o.hash.block, Nonce: binary.LittleEndian.Uint64(seal)}
	copy(msg.Work[:], seal[8:])
	o.entry.open, o.entry.claims, o.entry.id = true, false, as.Submit(host.Hotkey, msg)
	s := sight{self: self, view: env.Chain()}
	o.record(env, &s, trace.Decision{
		Kind: "work", Choice: "seal",
		Signal: trace.Some(decide.MeanSealSeconds(o.hash.difficulty, o.config.Seat.HashesPerS)),
	})
}

// search is the job that looks for a nonce. The time that it takes was drawn before.
type search struct {
	seal         registration.Seal
	hash, hotkey [32]byte
	difficulty   uint64
	first        uint64
}

// sealBytes is the length of a nonce and its work.
const sealBytes = 8 + 32

// Work implements host.Job.
func (search) Work() int64 { return 0 }

// Run implements host.Job. The result is empty where no nonce was found.
func (s search) Run(*host.Scratch) []byte {
	nonce, work, ok := s.seal.Solve(s.hash, s.hotkey, s.difficulty, s.first, searchTries*s.difficulty)
	if !ok {
		return nil
	}
	return append(binary.LittleEndian.AppendUint64(nil, nonce), work[:]...)
}

func (h *hashing) append(b []byte) []byte {
	b = state.AppendBool(b, h.on)
	b = state.AppendU64(b, uint64(h.timer))
	b = state.AppendU64(b, uint64(h.watch))
	b = state.AppendU64(b, h.difficulty)
	b = state.AppendBool(b, h.searching)
	b = state.AppendU64(b, uint64(h.job))
	return state.AppendU64(b, h.block)
}

func (h *hashing) restore(c *state.Cursor) {
	*h = hashing{
		on: c.Bool("hashing"), timer: host.TimerID(c.U64("seal's timer")), watch: host.TimerID(c.U64("difficulty's timer")),
		difficulty: c.U64("difficulty"), searching: c.Bool("searching"), job: host.JobID(c.U64("search")), block: c.U64("sealed block"),
	}
}
