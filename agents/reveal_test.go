package agents

import (
	"testing"

	"taolab/sim/host"
)

func TestCommitsThatCannotBeRevealedAreForgotten(t *testing.T) {
	for name, event := range map[string]func(*Commits, host.SubmitID) host.Event{ // order-free: each is on its own
		"refused": func(_ *Commits, id host.SubmitID) host.Event { return host.Rejected{ID: id} },
		"expired": func(_ *Commits, id host.SubmitID) host.Event { return host.Expired{ID: id} },
		"not in the ledger when it is due": func(s *Commits, _ host.SubmitID) host.Event {
			return host.Block{ID: s.list[1].timer}
		},
	} {
		env, s := newFakeEnv(t, 3), new(Commits)
		var ids []host.SubmitID
		for uid := range uint16(3) {
			id := s.Commit(env, []uint16{uid}, []uint16{65535})
			s.Handle(env, host.Included{ID: id})
			ids = append(ids, id)
		}
		s.Handle(env, event(s, ids[1]))
		if len(s.list) != 2 || s.list[0].uids[0] != 0 || s.list[1].uids[0] != 2 {
			t.Errorf("%s: %d commits are left, %+v", name, len(s.list), s.list)
		}
	}
}

func TestARestartSetsTheTimersOfAllCommits(t *testing.T) {
	env, s := newFakeEnv(t, 3), new(Commits)
	for range 2 {
		s.Handle(env, host.Included{ID: s.Commit(env, []uint16{1}, []uint16{65535})})
	}
	env.timers = nil // a crash stopped them
	s.Handle(env, host.Start{})
	if len(env.timers) != 2 || env.timers[0].id != s.list[0].timer || env.timers[1].id != s.list[1].timer {
		t.Errorf("timers %+v of commits %+v", env.timers, s.list)
	}
}

func TestOfManyCommitsTheNewestStay(t *testing.T) {
	env, s := newFakeEnv(t, 3), new(Commits)
	for i := range maxCommits + 2 {
		s.Commit(env, []uint16{uint16(i)}, []uint16{65535})
	}
	if len(s.list) != maxCommits || s.list[0].uids[0] != 2 {
		t.Errorf("%d commits, the oldest on %v", len(s.list), s.list[0].uids)
	}
}
