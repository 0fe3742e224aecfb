package agents

import (
	"errors"
	"fmt"
	"slices"

	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/sim/host"
)

// AppendState implements host.Agent.
func (v *Validator) AppendState(b []byte) []byte {
	b = state.Begin(b, "validator")
	b = v.judge.AppendState(b)
	b = state.AppendPart(b, &v.rotation)
	b = state.AppendPart(b, &v.averages)
	if v.config.Credit == Market {
		b = state.AppendPart(b, &v.market)
	}
	b = state.AppendU32(b, v.steps)
	b = state.AppendU32(b, uint32(len(v.peers)))
	for _, p := range v.peers {
		b = append(b, p.hotkey[:]...)
		b = append(b, p.axon[:]...)
		b = state.AppendBool(b, p.target)
		b = state.AppendU64(b, p.askedAt)
		b = append(b, byte(p.standing))
	}
	b = state.AppendBool(b, v.synced)
	b = state.AppendU64(b, v.epochBlock)
	b = state.AppendU64(b, uint64(v.epochNs))
	b = v.step.append(b)
	b = v.weights.append(b)
	return v.commits.AppendState(b)
}

// peerBytes is the length of a peer's state.
const peerBytes = 32 + 32 + 1 + 8 + 1

// RestoreState implements host.Agent. After an error the validator is as it was.
func (v *Validator) RestoreState(b []byte) error {
	c := state.Open("validator", b)
	r := Validator{config: v.config, era: v.era, powers: v.powers, judge: v.judge.Fresh()}
	r.rotation.Selection, r.averages.Alpha, r.market = v.era.Selection, v.config.Alpha, v.newMarket()
	r.judge.Restore(c)
	c.Part("rotation", r.rotation.UnmarshalBinary)
	c.Part("averages", r.averages.UnmarshalBinary)
	if v.config.Credit == Market {
		c.Part("market", r.market.UnmarshalBinary)
	}
	r.steps = c.U32("steps")
	r.peers = make([]peer, c.Count("peers", peerBytes))
	for i := range r.peers {
		r.peers[i] = peer{
			hotkey: c.Key("hotkey"), axon: c.Key("axon"), target: c.Bool("target"),
			askedAt: c.U64("height of the last question"), standing: score.Standing(c.U8("standing")),
		}
	}
	r.synced = c.Bool("epoch begun")
	r.epochBlock = c.U64("epoch's height")
	r.epochNs = host.Time(c.U64("epoch's time"))
	r.step.restore(c)
	r.weights.restore(c)
	r.commits.Restore(c)
	if err := c.End(); err != nil {
		return err
	}
	if err := errors.Join(r.consistent(), r.commits.Check()); err != nil {
		return fmt.Errorf("agents: state of a validator: %w", err)
	}
	r.listTargets()
	*v = r
	return nil
}

// consistent returns an error unless a restored state can be this validator's.
func (v *Validator) consistent() error {
	for uid, p := range v.peers {
		if p.standing > score.Unasked {
			return fmt.Errorf("standing %d of uid %d is unknown", p.standing, uid)
		}
	}
	if v.step.phase > learning {
		return fmt.Errorf("phase %d of a step is unknown", v.step.phase)
	}
	if batch := len(v.judge.Rows()) > 0; batch != (v.step.phase != pausing) {
		return fmt.Errorf("phase %d of a step, and a batch of %d rows", v.step.phase, len(v.judge.Rows()))
	}
	return v.consistentAsks()
}

func (v *Validator) consistentAsks() error {
	rows := len(v.judge.Rows())
	if v.step.phase <= routing && len(v.step.asks) > 0 {
		return fmt.Errorf("%d questions before there is a batch to ask about", len(v.step.asks))
	}
	for _, a := range v.step.asks {
		switch {
		case int(a.uid) >= len(v.peers):
			return fmt.Errorf("a question to uid %d, expected below %d", a.uid, len(v.peers))
		case a.lane > score.ServiceLane:
			return fmt.Errorf("a question in lane %d, which is unknown", a.lane)
		case len(a.losses) != 0 && len(a.losses) != len(a.rows):
			return fmt.Errorf("%d losses of a question of %d rows", len(a.losses), len(a.rows))
		case len(a.body) != 0 && (v.step.phase != asking || !a.reads()):
			return fmt.Errorf("an answer of %d bytes that is not to be read", len(a.body))
		case len(a.rows) == 0 || len(a.rows) > rows:
			return fmt.Errorf("a question of %d rows, expected 1 to %d", len(a.rows), rows)
		}
		for i, row := range a.rows {
			if int(row) >= rows || i > 0 && row <= a.rows[i-1] {
				return fmt.Errorf("a question of rows %d, expected ascending ones below %d", a.rows, rows)
			}
		}
	}
	return nil
}

func (s *step) append(b []byte) []byte {
	b = append(b, byte(s.phase))
	b = state.AppendU64(b, uint64(s.timer))
	b = state.AppendU64(b, uint64(s.job))
	b = state.AppendU64(b, uint64(s.began))
	b = state.AppendU16(b, s.self)
	b = state.AppendU32(b, uint32(len(s.asks)))
	for _, a := range s.asks {
		b = state.AppendU16(b, a.uid)
		b = append(b, byte(a.lane))
		b = state.AppendU16s(b, a.rows)
		b = state.AppendBool(b, a.open)
		b = state.AppendU64(b, uint64(a.call))
		b = state.AppendU64(b, uint64(a.sent))
		b = append(b, byte(a.code))
		b = state.AppendU64(b, uint64(a.latency))
		b = state.AppendU32(b, a.bytes)
		b = state.AppendU64(b, uint64(len(a.body)))
		b = append(b, a.body...)
		b = state.AppendF64s(b, a.losses)
	}
	return b
}

// askBytes is the length of an ask's state without rows, body and losses.
const askBytes = 2 + 1 + 4 + 1 + 8 + 8 + 1 + 8 + 4 + 8 + 4

func (s *step) restore(c *state.Cursor) {
	s.phase = phase(c.U8("phase"))
	s.timer = host.TimerID(c.U64("timer"))
	s.job = host.JobID(c.U64("job"))
	s.began = host.Time(c.U64("start of step"))
	s.self = c.U16("own uid")
	for n := c.Count("questions", askBytes); n > 0; n-- {
		a := ask{
			uid: c.U16("uid"), lane: score.Lane(c.U8("lane")), rows: c.U16s("rows"),
			open: c.Bool("open"), call: host.CallID(c.U64("call")),
			sent: host.Time(c.U64("time of sending")), code: host.Code(c.U8("code")),
			latency: host.Time(c.U64("latency")), bytes: c.U32("answer's bytes"),
		}
		c.Part("answer", func(body []byte) error { a.body = slices.Clone(body); return nil })
		a.losses = c.F64s("losses")
		s.asks = append(s.asks, a)
	}
}

func (s *submission) append(b []byte) []byte {
	b = state.AppendBool(b, s.open)
	b = state.AppendU64(b, uint64(s.id))
	b = state.AppendU32(b, s.attempts)
	b = state.AppendBool(b, s.waits)
	b = state.AppendU64(b, uint64(s.timer))
	b = state.AppendU16s(b, s.uids)
	return state.AppendU16s(b, s.values)
}

func (s *submission) restore(c *state.Cursor) {
	*s = submission{
		open: c.Bool("weights open"), id: host.SubmitID(c.U64("submission")), attempts: c.U32("attempts"),
		waits: c.Bool("waiting"), timer: host.TimerID(c.U64("timer")),
		uids: c.U16s("uids"), values: c.U16s("weights"),
	}
}
