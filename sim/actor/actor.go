package actor

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Actor is an agent that executes the lines of a script one after the other: each begins when the last one
// has had its effect, so that the outcome does not depend on durations. It answers a request with a job on
// its bytes. All of its fields are its state.
type Actor struct {
	Name  string
	Peers map[string]host.PeerID
	Lines []string
	Line  int      // the current one
	Log   []string // the outcomes of the lines
	Mute  bool     // it answers nobody
	Slow  host.Time
	Queue []host.CallID
	Parts map[host.CallID]uint32
	Busy  host.CallID // whose job runs
	Jobs  int
	Drawn uint64

	Told func(string) `json:"-"` // receives each line of the log; may be nil
}

// digest is a job over some bytes.
type digest struct {
	Bytes []byte
	Panic bool
}

// Work is documented at host.Job.
func (d digest) Work() int64 { return 1000 }

// Run is documented at host.Job.
func (d digest) Run(*host.Scratch) []byte {
	if d.Panic {
		panic("asked to")
	}
	sum := sha256.Sum256(d.Bytes)
	return sum[:]
}

// Spoken is a row of an actor.
type Spoken struct{ Text string }

// Table is documented at trace.Row.
func (Spoken) Table() trace.Table { return "spoken" }

// Handle is documented at host.Agent.
func (a *Actor) Handle(env host.Env, event host.Event) {
	switch e := event.(type) {
	case host.Start:
		if e.Restored {
			a.say(env, "restored after %d lines and %d jobs", a.Line, a.Jobs)
			a.Queue, a.Busy = nil, 0
		}
		a.begin(env)
	case host.Incoming:
		if a.Mute {
			return
		}
		if a.Parts == nil {
			a.Parts = map[host.CallID]uint32{}
		}
		a.Parts[e.Call] = e.Request.MaxReplies
		if e.To > 0 {
			a.say(env, "asked as %d", e.To)
		}
		a.Queue = append(a.Queue, e.Call)
		a.work(env)
	case host.Cancelled:
		a.say(env, "need not answer")
	case host.Done:
		a.Jobs++
		if a.Busy == 0 {
			a.done(env, "computed %x", e.Result[:2])
		} else {
			a.reply(env, e.Result)
		}
		a.work(env)
	case host.Timer:
		a.done(env, "woke")
	case host.Block:
		a.done(env, "saw block %d at %v", e.Height, env.Chain().Height() >= e.Height)
	case host.Answer:
		text := fmt.Sprintf("answer %v of %d bytes", e.Response.Code, len(e.Response.Body))
		if e.Response.More {
			a.say(env, "%s, more", text)
			return
		}
		a.done(env, "%s", text)
	case host.Included:
		a.done(env, "included")
	case host.Rejected:
		a.done(env, "rejected: %s", e.Reason)
	case host.Expired:
		a.done(env, "expired")
	}
}

func (a *Actor) reply(env host.Env, result []byte) {
	parts := max(a.Parts[a.Busy], 1)
	for part := range parts {
		env.Reply(a.Busy, host.Response{Code: host.Success, Body: result, More: part+1 < parts})
	}
	delete(a.Parts, a.Busy)
	a.Busy = 0
}

// work computes the next answer.
func (a *Actor) work(env host.Env) {
	if a.Busy == 0 && len(a.Queue) > 0 {
		a.Busy, a.Queue = a.Queue[0], a.Queue[1:]
		env.Compute(digest{Bytes: binary.LittleEndian.AppendUint64(nil, uint64(a.Jobs))})
	}
}

func (a *Actor) say(env host.Env, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	a.Log = append(a.Log, text)
	env.Record(Spoken{a.Name + ": " + text})
	if a.Told != nil {
		a.Told(text)
	}
}

// done ends a line and begins the next.
func (a *Actor) done(env host.Env, format string, args ...any) {
	a.say(env, "%s: %s", a.Lines[a.Line], fmt.Sprintf(format, args...))
	a.Line++
	a.begin(env)
}

// begin does the next line.
func (a *Actor) begin(env host.Env) {
	if a.Line >= len(a.Lines) {
		return
	}
	f := strings.Fields(a.Lines[a.Line])
	n := func(i int) uint64 {
		var v uint64
		if i < len(f) {
			fmt.Sscan(f[i], &v)
		}
		return v
	}
	if f[0] == "as" { // identity, line
		env = env.As(host.Identity(n(1)))
		f = f[2:]
	}
	self := env.Self()
	switch f[0] {
	case "at":
		env.AtBlock(n(1), 0)
	case "sleep": // milliseconds
		env.After(host.Time(n(1))*host.Millisecond, 0)
	case "stake":
		env.Submit(host.Coldkey, chain.AddStake{Hotkey: self.Hotkey, AmountRao: n(1) * chain.RaoPerTAO})
	case "register":
		env.Submit(host.Coldkey, chain.Register{Hotkey: self.Hotkey})
	case "pay":
		env.Submit(host.Coldkey, chain.Transfer{To: chain.Key(a.Peers[f[1]]), AmountRao: n(2)})
	case "weight": // uid
		env.Submit(host.Hotkey, chain.SetWeights{UIDs: []uint16{uint16(n(1))}, Values: []uint32{65535}})
	case "ask": // peer, bytes, parts, milliseconds
		env.Call(a.Peers[f[1]], host.Request{
			Synapse: host.TextCausalLM, Dir: host.Forward, Body: make([]byte, n(2)), MaxReplies: uint32(n(3)),
		}, host.Time(max(n(4), 20_000*(1-min(n(4), 1))))*host.Millisecond)
	case "compute":
		env.Compute(digest{Bytes: []byte(f[1])})
	case "draw":
		a.Drawn = env.Rand("dice").Uint64()
		a.done(env, "%d", a.Drawn)
	case "see":
		a.done(env, "uid %v, neurons %d, known %v", self.HasUID, env.Chain().N(), env.NodeOf(self.Peer) != nil)
	case "panic":
		panic("asked to")
	case "fail":
		env.Compute(digest{Panic: true})
	default:
		panic("no line " + a.Lines[a.Line])
	}
}

// AppendState is documented at host.Agent.
func (a *Actor) AppendState(b []byte) []byte {
	j, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return append(b, j...)
}

// RestoreState is documented at host.Agent.
func (a *Actor) RestoreState(b []byte) error {
	told := a.Told
	*a = Actor{Told: told}
	return json.Unmarshal(b, a)
}

// Cast makes the actors of a play, in which each line is "NAME: LINE; LINE; ...". Peers are known by the
// keys of their names.
func Cast(text string, key func(name string) host.PeerID) []*Actor {
	var actors []*Actor
	peers := map[string]host.PeerID{}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		a := &Actor{Name: name, Peers: peers}
		for l := range strings.SplitSeq(rest, ";") {
			if l = strings.TrimSpace(l); l != "" {
				a.Lines = append(a.Lines, l)
			}
		}
		peers[name] = key(name)
		actors = append(actors, a)
	}
	return actors
}
