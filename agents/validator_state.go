package agents

import (
	"errors"
	"fmt"

	"taolab/agents/score"
	"taolab/model/lm"
	"taolab/sim/host"
)

// AppendState implements host.Agent.
func (v *Validator) AppendState(b []byte) []byte {
	b = append(b, validatorState, stateVersion)
	b = appendPart(b, v.router)
	b = appendPart(b, &v.training)
	b = appendPart(b, &v.rotation)
	b = appendPart(b, &v.averages)
	b = appendU32(b, v.steps)
	b = appendU32(b, uint32(len(v.peers)))
	for _, p := range v.peers {
		b = append(b, p.hotkey[:]...)
		b = append(b, p.axon[:]...)
		b = appendBool(b, p.target)
		b = appendU64(b, p.askedAt)
		b = append(b, byte(p.standing))
	}
	b = appendBool(b, v.synced)
	b = appendU64(b, v.epochBlock)
	b = appendU64(b, uint64(v.epochNs))
	b = v.step.append(b)
	b = v.weights.append(b)
	return v.seals.append(b)
}

// peerBytes is the length of a peer's state.
const peerBytes = 32 + 32 + 1 + 8 + 1

// RestoreState implements host.Agent. After an error the validator is as it was.
func (v *Validator) RestoreState(b []byte) error {
	c := open("validator", validatorState, b)
	r := Validator{config: v.config, era: v.era, powers: v.powers, router: new(lm.Router)}
	r.rotation.Selection, r.averages.Alpha = v.era.Selection, v.config.Alpha
	c.part("routing model", r.router.UnmarshalBinary)
	c.part("training of the routing model", r.training.UnmarshalBinary)
	c.part("rotation", r.rotation.UnmarshalBinary)
	c.part("averages", r.averages.UnmarshalBinary)
	r.steps = c.u32("steps")
	r.peers = make([]peer, c.count("peers", peerBytes))
	for i := range r.peers {
		r.peers[i] = peer{
			hotkey: c.key("hotkey"), axon: c.key("axon"), target: c.bool("target"),
			askedAt: c.u64("height of the last question"), standing: score.Standing(c.u8("standing")),
		}
	}
	r.synced = c.bool("epoch begun")
	r.epochBlock = c.u64("epoch's height")
	r.epochNs = host.Time(c.u64("epoch's time"))
	r.step.restore(c)
	r.weights.restore(c)
	r.seals.restore(c)
	if err := c.end(); err != nil {
		return err
	}
	if err := errors.Join(r.consistent(), r.seals.consistent()); err != nil {
		return fmt.Errorf("agents: state of a validator: %w", err)
	}
	r.listTargets()
	*v = r
	return nil
}

// consistent says whether a restored state can be this validator's.
func (v *Validator) consistent() error {
	own, want := v.router, v.config.Router
	if own.Trunk.Config != want.Trunk.Config || len(own.Bias) != len(want.Bias) {
		return fmt.Errorf("a routing model of shape %+v with %d gates, expected %+v with %d",
			own.Trunk.Config, len(own.Bias), want.Trunk.Config, len(want.Bias))
	}
	if err := v.training.Check(own); err != nil {
		return err
	}
	for uid, p := range v.peers {
		if p.standing > score.Unasked {
			return fmt.Errorf("standing %d of uid %d is unknown", p.standing, uid)
		}
	}
	s := &v.step
	if s.phase > learning {
		return fmt.Errorf("phase %d of a step is unknown", s.phase)
	}
	if s.subset >= len(v.config.Subsets) {
		return fmt.Errorf("a batch of subset %d, expected below %d", s.subset, len(v.config.Subsets))
	}
	if s.phase != pausing {
		if err := want.Trunk.Config.CheckBatch(s.tokens, v.config.Rows, v.config.Cols); err != nil {
			return fmt.Errorf("batch: %w", err)
		}
		if want := v.config.Rows * phraseTokens; len(s.phrases) != want {
			return fmt.Errorf("%d tokens kept back of a batch, expected %d", len(s.phrases), want)
		}
	}
	for _, a := range s.asks {
		if int(a.uid) >= len(v.peers) {
			return fmt.Errorf("a question to uid %d, expected below %d", a.uid, len(v.peers))
		}
	}
	return nil
}

func (s *step) append(b []byte) []byte {
	b = append(b, byte(s.phase))
	b = appendU64(b, uint64(s.timer))
	b = appendU64(b, uint64(s.job))
	b = appendU64(b, uint64(s.began))
	b = appendU16(b, s.self)
	b = appendU32(b, uint32(s.subset))
	b = appendU16s(b, s.tokens)
	b = appendU16s(b, s.phrases)
	b = appendF32s(b, s.gates)
	b = appendU32(b, uint32(len(s.asks)))
	for _, a := range s.asks {
		b = appendU16(b, a.uid)
		b = appendBool(b, a.open)
		b = appendU64(b, uint64(a.call))
		b = appendU64(b, uint64(a.sent))
		b = append(b, byte(a.code))
		b = appendU64(b, uint64(a.latency))
		b = appendU32(b, a.bytes)
		b = appendF64s(b, a.losses)
	}
	return b
}

// askBytes is the length of an ask's state without losses.
const askBytes = 2 + 1 + 8 + 8 + 1 + 8 + 4 + 4

func (s *step) restore(c *cursor) {
	s.phase = phase(c.u8("phase"))
	s.timer = host.TimerID(c.u64("timer"))
	s.job = host.JobID(c.u64("job"))
	s.began = host.Time(c.u64("start of step"))
	s.self = c.u16("own uid")
	s.subset = int(c.u32("subset"))
	s.tokens = c.u16s("batch")
	s.phrases = c.u16s("phrases")
	s.gates = c.f32s("gates")
	for n := c.count("questions", askBytes); n > 0; n-- {
		s.asks = append(s.asks, ask{
			uid: c.u16("uid"), open: c.bool("open"), call: host.CallID(c.u64("call")),
			sent: host.Time(c.u64("time of sending")), code: host.Code(c.u8("code")),
			latency: host.Time(c.u64("latency")), bytes: c.u32("answer's bytes"), losses: c.f64s("losses"),
		})
	}
}

func (s *submission) append(b []byte) []byte {
	b = appendBool(b, s.open)
	b = appendU64(b, uint64(s.id))
	b = appendU32(b, s.attempts)
	b = appendBool(b, s.waits)
	b = appendU64(b, uint64(s.timer))
	b = appendU16s(b, s.uids)
	return appendU16s(b, s.values)
}

func (s *submission) restore(c *cursor) {
	*s = submission{
		open: c.bool("weights open"), id: host.SubmitID(c.u64("submission")), attempts: c.u32("attempts"),
		waits: c.bool("waiting"), timer: host.TimerID(c.u64("timer")),
		uids: c.u16s("uids"), values: c.u16s("weights"),
	}
}
