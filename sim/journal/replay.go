package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/snapshot"
	"taolab/sim/trace"
)

// Replayed is what a replay went through.
type Replayed struct {
	Name  string
	Turns uint64
	Acts  uint64
	Jobs  uint64
	Cut   bool   // the journal ends within a turn, which was left out
	State []byte // of the agent after the last turn; nil while a job of it is outstanding
}

// Views shows the ledger after a block. Replay asks for heights that never fall.
type Views func(height uint64) (chain.View, error)

// Replay hands the events of a journal to an agent of the same kind and compares all that it does. The agent
// is one that was just made; it gets the state with which the journal begins. The error is the first
// difference, or what is wrong with the journal.
func Replay(journal io.Reader, agent host.Agent, views Views) (r Replayed, err error) {
	in, err := newFrames(journal)
	if err != nil {
		return r, err
	}
	first, err := in.next()
	if err != nil {
		return r, fmt.Errorf("the journal has no beginning: %w", err)
	}
	var o opening
	c := snapshot.Read(first)
	o.layout(c)
	if err := c.End(); err != nil {
		return r, fmt.Errorf("%w: its beginning: %w", ErrDamaged, err)
	}
	r.Name = o.name
	if err := agent.RestoreState(o.state); err != nil {
		return r, fmt.Errorf("the agent of %s does not take the state with which its journal begins: %w: is it set up as it was?", o.name, err)
	}
	e := &replayEnv{self: o.self, streams: map[string]*num.Stream{}}
	for {
		content, err := in.next()
		if err == io.EOF || err == errCut {
			r.Cut = err == errCut
			break
		}
		if err != nil {
			return r, err
		}
		var t turn
		c := snapshot.Read(content)
		t.layout(c)
		if err := c.End(); err != nil {
			return r, fmt.Errorf("%w: turn %d: %w", ErrDamaged, r.Turns, err)
		}
		if err := e.play(agent, t, views); err != nil {
			return r, fmt.Errorf("%s, turn %d, %T at %s and block %d: %w", o.name, r.Turns, t.event, span(t.now), t.height, err)
		}
		r.Turns++
		r.Acts += uint64(len(t.acts))
	}
	r.Jobs = e.jobs
	if e.job == nil {
		r.State = agent.AppendState(nil)
	}
	return r, nil
}

// replayEnv is the world as a journal tells it.
type replayEnv struct {
	self    host.Self
	turn    turn
	view    chain.View
	place   int // of the next act
	streams map[string]*num.Stream
	began   bool     // the first turn is over
	job     host.Job // outstanding
	jobID   host.JobID
	jobs    uint64
	scratch host.Scratch
}

var _ host.Env = (*replayEnv)(nil)

// difference is what ends a replay from within an agent.
type difference struct{ error }

// play hands one event to the agent.
func (e *replayEnv) play(agent host.Agent, t turn, views Views) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case difference:
			err = r.error
		default:
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	e.turn, e.place = t, 0
	if e.view, err = views(t.height); err != nil {
		return fmt.Errorf("no view to show: %w", err)
	}
	if d, ends := t.event.(host.Done); ends {
		if err := e.finish(d); err != nil {
			return err
		}
	}
	e.began = true
	agent.Handle(e, t.event)
	if e.place < len(t.acts) {
		return fmt.Errorf("the agent did %d things; the journal has one more: %s", e.place, t.acts[e.place].text)
	}
	return nil
}

// finish runs the outstanding job and compares its result. A volume may begin between a job and its Done: that
// result stands.
func (e *replayEnv) finish(d host.Done) error {
	if !e.began {
		return nil
	}
	if e.job == nil || e.jobID != d.ID {
		return fmt.Errorf("job %d ended, and none of that number runs", d.ID)
	}
	job := e.job
	e.job = nil
	e.jobs++
	if got := job.Run(&e.scratch); !bytes.Equal(got, d.Result) {
		return fmt.Errorf("job %T came to %s; the journal has %s", job, sized(got), sized(d.Result))
	}
	return nil
}

// next is the answer to an act, which is to be the next one of the journal.
func (e *replayEnv) next(text string) *act {
	if e.place == len(e.turn.acts) {
		panic(difference{fmt.Errorf("act %d is not in the journal: %s", e.place, text)})
	}
	a := &e.turn.acts[e.place]
	if a.text != text {
		panic(difference{fmt.Errorf("act %d is: %s; the journal has: %s", e.place, text, a.text)})
	}
	e.place++
	return a
}

// Self is documented at host.Env, as what follows.
func (e *replayEnv) Self() host.Self {
	self := e.self
	self.UID, self.HasUID = e.view.UIDOf(self.Hotkey)
	return self
}

func (e *replayEnv) Now() host.Time    { return e.turn.now }
func (e *replayEnv) Chain() chain.View { return e.view }

func (e *replayEnv) Rand(purpose string) *num.Stream {
	if e.streams[purpose] == nil {
		s := new(num.Stream)
		if err := s.UnmarshalBinary(e.next("draw from " + purpose).bytes); err != nil {
			panic(difference{errors.Join(ErrDamaged, err)})
		}
		e.streams[purpose] = s
	}
	return e.streams[purpose]
}

func (e *replayEnv) Submit(role host.KeyRole, m chain.Msg) host.SubmitID {
	return host.SubmitID(e.next(submitted(role, m)).number)
}

func (e *replayEnv) Call(to host.PeerID, r host.Request, timeout host.Time) host.CallID {
	return host.CallID(e.next(called(to, r, timeout)).number)
}

func (e *replayEnv) As(id host.Identity) host.Env {
	if id == 0 {
		return e
	}
	return replayAs{e, id}
}

// replayAs is the same under another identity.
type replayAs struct {
	*replayEnv
	id host.Identity
}

func (e replayAs) Self() host.Self {
	self, keys := e.self, e.next(selfOf(e.id)).bytes
	if len(keys) != len(self.Peer)+len(self.Hotkey) {
		panic(difference{fmt.Errorf("%w: identity %d has keys of %d bytes", ErrDamaged, e.id, len(keys))})
	}
	copy(self.Hotkey[:], keys[copy(self.Peer[:], keys):])
	self.UID, self.HasUID = e.view.UIDOf(self.Hotkey)
	return self
}

func (e replayAs) Submit(role host.KeyRole, m chain.Msg) host.SubmitID {
	return host.SubmitID(e.next(under(e.id, submitted(role, m))).number)
}

func (e replayAs) Call(to host.PeerID, r host.Request, timeout host.Time) host.CallID {
	return host.CallID(e.next(under(e.id, called(to, r, timeout))).number)
}

func (e *replayEnv) Cancel(id host.CallID) { e.next(fmt.Sprintf("cancel %d", id)) }

func (e *replayEnv) Reply(id host.CallID, r host.Response) { e.next(replied(id, r)) }

func (e *replayEnv) Compute(j host.Job) host.JobID {
	e.jobID = host.JobID(e.next(computed(j)).number)
	e.job = j
	return e.jobID
}

func (e *replayEnv) After(d host.Time, tag host.Tag) host.TimerID {
	return host.TimerID(e.next(fmt.Sprintf("wait %s with tag %d", span(d), tag)).number)
}

func (e *replayEnv) AtBlock(height uint64, tag host.Tag) host.TimerID {
	return host.TimerID(e.next(fmt.Sprintf("wait for block %d with tag %d", height, tag)).number)
}

func (e *replayEnv) Stop(id host.TimerID) { e.next(fmt.Sprintf("stop %d", id)) }

func (e *replayEnv) Record(row trace.Row) {
	trace.Each(row, func(row trace.Row) { e.next(recorded(row)) })
}

func (e *replayEnv) NodeOf(peer host.PeerID) *uint32 {
	number := e.next(fmt.Sprintf("find %v", peer)).number
	if number == 0 {
		return nil
	}
	return trace.Some(uint32(number - 1))
}
