package agents

import (
	"encoding/binary"
	"fmt"
	"slices"

	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// commitment holds weights that a validator committed to and has not revealed yet.
type commitment struct {
	commit  host.SubmitID
	version uint64
	uids    []uint16
	values  []uint16
	salt    [32]byte
	timer   host.TimerID
}

// maxCommits bounds the list: the ledger keeps as many commits of a hotkey.
const maxCommits = 10

// Commits are the weights that a validator has committed to and not revealed, oldest first; at most ten. It
// reveals them when the ledger allows. The zero value is empty.
type Commits struct{ list []commitment }

func (s *commitment) message() chain.RevealWeights {
	return chain.RevealWeights{Version: s.version, UIDs: s.uids, Values: widened(s.values), Salt: s.salt}
}

// widened converts weights to the ledger's type.
func widened(values []uint16) []uint32 {
	wide := make([]uint32, len(values))
	for i, v := range values {
		wide[i] = uint32(v)
	}
	return wide
}

// Commit submits the hash of weights and keeps them.
func (s *Commits) Commit(env host.Env, uids, values []uint16) host.SubmitID {
	next := commitment{version: env.Chain().Params().WeightsVersion, uids: uids, values: values}
	salt := env.Rand("salt")
	for i := range len(next.salt) / 8 {
		binary.LittleEndian.PutUint64(next.salt[8*i:], salt.Uint64())
	}
	next.commit = env.Submit(host.Hotkey, chain.CommitWeights{
		Commit: chain.CommitmentOf(env.Self().Hotkey, next.message()),
	})
	if len(s.list) == maxCommits {
		s.list = slices.Delete(s.list, 0, 1)
	}
	s.list = append(s.list, next)
	return next.commit
}

// Handle reveals the commits that are due, waits for the epoch of one that the ledger accepted, and forgets
// one that it rejected. A restart sets the timers that a crash stopped.
func (s *Commits) Handle(env host.Env, event host.Event) {
	switch e := event.(type) {
	case host.Start:
		for i := range s.list {
			s.wait(env, i)
		}
	case host.Block:
		s.due(env, e.ID)
	case host.Included:
		s.decided(env, e.ID, true)
	case host.Rejected:
		s.decided(env, e.ID, false)
	case host.Expired:
		s.decided(env, e.ID, false)
	}
}

func (s *Commits) decided(env host.Env, id host.SubmitID, taken bool) {
	for i := range s.list {
		if s.list[i].commit != id {
			continue
		}
		if taken {
			s.wait(env, i)
		} else {
			s.list = slices.Delete(s.list, i, i+1)
		}
		return
	}
}

// wait looks again after a quarter of a tempo, so that most of the epoch is left for the reveal.
func (s *Commits) wait(env host.Env, i int) {
	view := env.Chain()
	s.list[i].timer = env.AtBlock(view.Height()+max(view.Params().TempoBlocks/4, 1), 0)
}

// due reveals the commit of an expired timer.
func (s *Commits) due(env host.Env, timer host.TimerID) {
	i := slices.IndexFunc(s.list, func(x commitment) bool { return x.timer == timer })
	if i < 0 {
		return
	}
	view, self := env.Chain(), env.Self()
	due, waits := uint64(0), false
	if self.HasUID {
		digest := chain.CommitmentOf(self.Hotkey, s.list[i].message())
		for _, c := range view.Commits(self.UID) {
			if c.Digest == digest {
				due, waits = c.Epoch+uint64(view.Params().RevealPeriodEpochs), true
			}
		}
	}
	switch {
	case waits && view.Epochs() < due:
		s.wait(env, i)
		return
	case waits && view.Epochs() == due:
		env.Submit(host.Hotkey, s.list[i].message())
	}
	s.list = slices.Delete(s.list, i, i+1) // revealed, or too late
}

// AppendState appends the state that Restore reads.
func (s *Commits) AppendState(b []byte) []byte {
	b = state.AppendU32(b, uint32(len(s.list)))
	for _, x := range s.list {
		b = state.AppendU64(b, uint64(x.commit))
		b = state.AppendU64(b, x.version)
		b = state.AppendU16s(b, x.uids)
		b = state.AppendU16s(b, x.values)
		b = append(b, x.salt[:]...)
		b = state.AppendU64(b, uint64(x.timer))
	}
	return b
}

// commitmentBytes is the length of a commit's state without its lists.
const commitmentBytes = 8 + 8 + 4 + 4 + 32 + 8

// Restore reads the state that AppendState appended.
func (s *Commits) Restore(c *state.Cursor) {
	n := c.Count("commits", commitmentBytes)
	if n > maxCommits {
		c.Fail("%d commits, expected at most %d", n, maxCommits)
		return
	}
	s.list = nil
	for range n {
		x := commitment{
			commit: host.SubmitID(c.U64("commit")), version: c.U64("version"),
			uids: c.U16s("committed uids"), values: c.U16s("committed weights"),
			salt: c.Key("salt"), timer: host.TimerID(c.U64("commit's timer")),
		}
		s.list = append(s.list, x)
	}
}

// Check returns an error unless restored commits can be a validator's.
func (s *Commits) Check() error {
	for _, x := range s.list {
		if len(x.uids) != len(x.values) {
			return fmt.Errorf("a commit of %d weights on %d uids", len(x.values), len(x.uids))
		}
	}
	return nil
}
