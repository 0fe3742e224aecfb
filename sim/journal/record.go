package journal

import (
	"fmt"
	"io"

	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/snapshot"
	"taolab/sim/trace"
)

// Recorder is an agent that keeps the journal of the one within. It is driven like any agent.
type Recorder struct {
	agent   host.Agent
	out     io.Writer
	written int64
	err     error
	env     recordingEnv
	streams map[string]bool // whose position is in the journal
	content []byte
	frame   []byte
}

var _ host.Agent = (*Recorder)(nil)

// Record wraps an agent that is about to begin, or to go on, with the state that it has. Each turn goes to
// out in one write as soon as it is over.
func Record(name string, self host.Self, agent host.Agent, out io.Writer) *Recorder {
	r := &Recorder{agent: agent, out: out, streams: map[string]bool{}}
	r.env.recorder = r
	c := snapshot.Append(nil)
	(&opening{name, self, agent.AppendState(nil)}).layout(c)
	r.write(append([]byte(magic), appendFrame(nil, c.Written())...))
	return r
}

// Written is the number of bytes of the journal so far.
func (r *Recorder) Written() int64 { return r.written }

// Err is why the journal ended before its agent did; nil: it goes on.
func (r *Recorder) Err() error { return r.err }

// write writes bytes, unless an earlier write failed: what is behind a gap would be worth nothing.
func (r *Recorder) write(b []byte) {
	if r.err != nil {
		return
	}
	n, err := r.out.Write(b)
	r.written += int64(n)
	if err != nil {
		r.err = fmt.Errorf("the journal ends at byte %d: %w", r.written, err)
	}
}

// Handle is documented at host.Agent.
func (r *Recorder) Handle(env host.Env, event host.Event) {
	e := &r.env
	e.Env, e.turn = env, turn{env.Now(), env.Chain().Height(), event, e.turn.acts[:0]}
	r.agent.Handle(e, event)
	c := snapshot.Append(r.content[:0])
	e.turn.layout(c)
	r.content = c.Written()
	r.frame = appendFrame(r.frame[:0], r.content)
	r.write(r.frame)
	const keep = 1 << 20 // a turn that had larger bodies leaves no memory behind
	if cap(r.content) > keep {
		r.content, r.frame = nil, nil
	}
}

// AppendState is documented at host.Agent.
func (r *Recorder) AppendState(b []byte) []byte { return r.agent.AppendState(b) }

// RestoreState is documented at host.Agent. A journal does not hold it: one begins with the state that the
// agent has.
func (r *Recorder) RestoreState(b []byte) error { return r.agent.RestoreState(b) }

// recordingEnv is an Env that notes each act.
type recordingEnv struct {
	host.Env
	recorder *Recorder
	turn     turn
}

// recordedAs is the same under another identity, which the journal names. The keys of that identity are an act,
// since the opening knows the first identity only.
type recordedAs struct {
	*recordingEnv
	id  host.Identity
	env host.Env // under it
}

func (e *recordingEnv) note(text string, number uint64) {
	e.turn.acts = append(e.turn.acts, act{text: text, number: number})
}

// Rand is documented at host.Env, as what follows. The first use of a stream notes where it stands.
func (e *recordingEnv) Rand(purpose string) *num.Stream {
	s := e.Env.Rand(purpose)
	if !e.recorder.streams[purpose] {
		e.recorder.streams[purpose] = true
		b, _ := s.AppendBinary(nil) // which never fails
		e.turn.acts = append(e.turn.acts, act{text: "draw from " + purpose, bytes: b})
	}
	return s
}

func (e *recordingEnv) Submit(role host.KeyRole, m chain.Msg) host.SubmitID {
	id := e.Env.Submit(role, m)
	e.note(submitted(role, m), uint64(id))
	return id
}

func (e *recordingEnv) Call(to host.PeerID, r host.Request, timeout host.Time) host.CallID {
	id := e.Env.Call(to, r, timeout)
	e.note(called(to, r, timeout), uint64(id))
	return id
}

func (e *recordingEnv) As(id host.Identity) host.Env {
	if id == 0 {
		return e
	}
	return recordedAs{e, id, e.Env.As(id)}
}

func (e recordedAs) Self() host.Self {
	self := e.env.Self()
	e.turn.acts = append(e.turn.acts, act{text: selfOf(e.id), bytes: append(self.Peer[:], self.Hotkey[:]...)})
	return self
}

func (e recordedAs) Submit(role host.KeyRole, m chain.Msg) host.SubmitID {
	id := e.env.Submit(role, m)
	e.note(under(e.id, submitted(role, m)), uint64(id))
	return id
}

func (e recordedAs) Call(to host.PeerID, r host.Request, timeout host.Time) host.CallID {
	id := e.env.Call(to, r, timeout)
	e.note(under(e.id, called(to, r, timeout)), uint64(id))
	return id
}

func (e *recordingEnv) Cancel(id host.CallID) {
	e.Env.Cancel(id)
	e.note(fmt.Sprintf("cancel %d", id), 0)
}

func (e *recordingEnv) Reply(id host.CallID, r host.Response) {
	e.Env.Reply(id, r)
	e.note(replied(id, r), 0)
}

func (e *recordingEnv) Compute(j host.Job) host.JobID {
	text := computed(j) // before the job can run
	id := e.Env.Compute(j)
	e.note(text, uint64(id))
	return id
}

func (e *recordingEnv) After(d host.Time, tag host.Tag) host.TimerID {
	id := e.Env.After(d, tag)
	e.note(fmt.Sprintf("wait %s with tag %d", span(d), tag), uint64(id))
	return id
}

func (e *recordingEnv) AtBlock(height uint64, tag host.Tag) host.TimerID {
	id := e.Env.AtBlock(height, tag)
	e.note(fmt.Sprintf("wait for block %d with tag %d", height, tag), uint64(id))
	return id
}

func (e *recordingEnv) Stop(id host.TimerID) {
	e.Env.Stop(id)
	e.note(fmt.Sprintf("stop %d", id), 0)
}

func (e *recordingEnv) Record(row trace.Row) {
	e.Env.Record(row)
	trace.Each(row, func(row trace.Row) { e.note(recorded(row), 0) })
}

func (e *recordingEnv) NodeOf(peer host.PeerID) *uint32 {
	node := e.Env.NodeOf(peer)
	var number uint64
	if node != nil {
		number = uint64(*node) + 1
	}
	e.note(fmt.Sprintf("find %v", peer), number)
	return node
}
