package agents

import (
	"cmp"
	"fmt"
	"slices"

	"taolab/agents/mind"
	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Combine is how an application combines several answers into one prediction.
type Combine uint8

// The combinations.
const (
	Best Combine = iota // the answer of the miner with the highest incentive that gave one
	Mean                // the mean of all answers, each counting only for the tokens that it names
)

// ApplicationConfig holds the settings of an application.
type ApplicationConfig struct {
	Prompts   mind.Prompter // draws its prompts and reads the answers
	Peers     int           // miners asked per token, best incentive first
	Combine   Combine
	Forced    bool      // the text continues with the true token, not with the predicted one
	EveryNs   host.Time // mean time between sessions, which arrive as a Poisson process. 0: no sessions of its own
	Sessions  int       // sessions open at once; further arrivals are dropped. 0: 1
	PaceNs    host.Time // least time between the requests for two tokens. 0: 1 s
	TimeoutNs host.Time // of one request; 0: 12 s

	Continued int // texts of the operator that it continues at once; 0: 4
	MaxTokens int // of the continuation of one; 0: 1024
}

// Validate returns an error if the config is unusable.
func (c ApplicationConfig) Validate() error {
	switch {
	case c.Prompts == nil:
		return fmt.Errorf("application: no mind; set Prompts, which draws the prompts and reads the answers")
	case c.Peers < 1:
		return fmt.Errorf("application: %d peers for each token, expected at least 1", c.Peers)
	case c.Combine > Mean:
		return fmt.Errorf("application: combination %d is unknown; use Best or Mean", c.Combine)
	case c.EveryNs < 0 || c.Sessions < 0 || c.PaceNs < 0 || c.TimeoutNs < 0:
		return fmt.Errorf("application: a session every %d ns, %d at once, pace %d ns, timeout %d ns; "+
			"expected nothing below 0", c.EveryNs, c.Sessions, c.PaceNs, c.TimeoutNs)
	case c.Continued < 0 || c.MaxTokens < 0 || c.MaxTokens > maxContinuation:
		return fmt.Errorf("application: %d texts continued at once by %d tokens, expected nothing below 0 and at most %d tokens",
			c.Continued, c.MaxTokens, maxContinuation)
	}
	return nil
}

// session is one prompt and its continuation.
type session struct {
	number   uint32
	text     []uint16 // the tokens to send: the last ones so far, as many as in the prompt
	truth    []uint16 // the true continuation
	position uint32   // of the token that is asked for
	began    host.Time
	paced    bool    // it waits between two tokens, for the timer of its number
	asks     []offer // best incentive first
}

// arrival tags the timer of the next session; a session's own timers carry its number + 1.
const arrival host.Tag = 0

func (s session) tag() host.Tag { return 1 + host.Tag(s.number) }

// offer is one miner's answer for one token.
type offer struct {
	uid     uint16
	axon    host.PeerID
	open    bool
	call    host.CallID
	code    host.Code
	latency host.Time
	dist    score.Dist // of a usable answer
	reason  string     // of a refusal that gives one
}

// Application is a user of the network: it holds stake on a hotkey and has miners continue its prompts, token
// by token. It continues texts of its node's operator in the same way. At most config.Sessions x config.Peers
// calls are open at a time, and for each of the operator's texts as many as its Peers.
type Application struct {
	config ApplicationConfig
	begun  uint32 // sessions so far, the operator's texts among them

	sessions []session // open ones, oldest first; lost in a crash
	texts    []text    // of the operator, oldest first; likewise
	rests    []rest    // of miners that were asked for one of them
}

// NewApplication returns an application. It panics when the config is not valid.
func NewApplication(c ApplicationConfig) *Application {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	if c.Sessions == 0 {
		c.Sessions = 1
	}
	if c.PaceNs == 0 {
		c.PaceNs = host.Second
	}
	if c.TimeoutNs == 0 {
		c.TimeoutNs = blockNs
	}
	c.Continued = cmp.Or(c.Continued, 4)
	c.MaxTokens = cmp.Or(c.MaxTokens, 1024)
	return &Application{config: c}
}

// Handle implements host.Agent.
func (a *Application) Handle(env host.Env, event host.Event) {
	switch e := event.(type) {
	case host.Start:
		a.sessions, a.texts, a.rests = nil, nil, nil
		a.awaitArrival(env)
	case host.Timer:
		if e.Tag == arrival {
			a.arrive(env)
			a.awaitArrival(env)
			return
		}
		if i := a.textOf(e.Tag); i >= 0 {
			a.askMiners(env, i)
			return
		}
		i := slices.IndexFunc(a.sessions, func(s session) bool { return s.paced && s.tag() == e.Tag })
		if i >= 0 {
			a.ask(env, i)
		}
	case host.Answer:
		a.answered(env, e)
	case host.Incoming:
		a.take(env, e)
	case host.Cancelled:
		a.forget(env, e.Call)
	}
}

func (a *Application) awaitArrival(env host.Env) {
	if a.config.EveryNs == 0 {
		return
	}
	wait := float64(env.Rand("arrivals").Exponential() * float64(a.config.EveryNs))
	env.After(host.Time(min(max(1, wait), float64(maxRest))), arrival)
}

// arrive begins a session if there is room for one.
func (a *Application) arrive(env host.Env) {
	c := a.config
	if len(a.sessions) >= c.Sessions {
		return
	}
	prompt, truth := c.Prompts.Draw(env)
	a.sessions = append(a.sessions, session{number: a.begun, text: prompt, truth: truth})
	a.begun++
	a.ask(env, len(a.sessions)-1)
}

// ask sends a session's context to the best miners. Without any miner the session ends.
func (a *Application) ask(env host.Env, i int) {
	c, s := a.config, &a.sessions[i]
	s.began, s.paced, s.asks = env.Now(), false, nil
	request := c.Prompts.Ask(s.text)
	view := env.Chain()
	for _, uid := range bestMiners(view, env.Self(), c.Peers) {
		axon := view.Neuron(chain.UID(uid)).Axon
		s.asks = append(s.asks, offer{uid: uid, axon: axon, open: true, call: env.Call(axon, request, c.TimeoutNs)})
	}
	if len(s.asks) == 0 {
		a.sessions = slices.Delete(a.sessions, i, i+1)
	}
}

// bestMiners is the k uids with the highest incentive that set no weights on others; ties go to the lowest
// uid.
func bestMiners(view chain.View, self host.Self, k int) []uint16 {
	type earner struct{ uid, incentive uint16 }
	best := make([]earner, 0, k+1)
	for i := range view.N() {
		uid := chain.UID(i)
		if self.HasUID && self.UID == uid || Validates(view, uid) {
			continue
		}
		e := earner{uint16(i), view.Incentive(uid)}
		at := len(best)
		for at > 0 && best[at-1].incentive < e.incentive {
			at--
		}
		if at < k {
			best = slices.Insert(best, at, e)
			best = best[:min(len(best), k)]
		}
	}
	uids := make([]uint16, len(best))
	for i, e := range best {
		uids[i] = e.uid
	}
	return uids
}

// answered takes one answer, and closes the token after the last one.
func (a *Application) answered(env host.Env, e host.Answer) {
	for i := range a.sessions {
		s := &a.sessions[i]
		if asked, last := a.hear(env, e, s.text, s.began, s.asks); asked {
			if last {
				a.close(env, i)
			}
			return
		}
	}
	for i := range a.texts {
		t := &a.texts[i]
		if asked, last := a.hear(env, e, t.tokens, t.began, t.asks); asked {
			if last {
				a.round(env, i)
			}
			return
		}
	}
}

// hear takes an answer if it belongs to one of these questions, and reports whether no answer is missing any
// more.
func (a *Application) hear(env host.Env, e host.Answer, text []uint16, began host.Time, asks []offer) (asked, last bool) {
	k := slices.IndexFunc(asks, func(o offer) bool { return o.open && o.call == e.Call })
	if k < 0 {
		return false, false
	}
	o := &asks[k]
	if e.Response.More { // the question asked for one part
		env.Cancel(o.call)
	}
	o.open, o.latency, o.code = false, env.Now()-began, e.Response.Code
	if o.code == host.Success {
		dist, err := a.config.Prompts.Read(text, e.Response.Body)
		if o.dist = dist; err != nil {
			o.code, o.dist = host.InvalidResponse, score.Dist{}
		}
	} else {
		o.reason = reasonOf(e.Response)
	}
	return true, !slices.ContainsFunc(asks, func(o offer) bool { return o.open })
}

// close records the answers for a token and moves the session on to the next one. A session ends after its
// last token, or when no answer predicts one.
func (a *Application) close(env host.Env, i int) {
	c, s := a.config, &a.sessions[i]
	a.record(env, s.number, s.position, s.asks, trace.Some(s.truth[s.position]))
	token, found := a.predict(s.asks)
	if c.Forced {
		token, found = s.truth[s.position], true
	}
	s.asks = nil
	s.position++
	if !found || int(s.position) == len(s.truth) {
		a.sessions = slices.Delete(a.sessions, i, i+1)
		return
	}
	s.text = append(s.text[1:], token)
	s.paced = true
	env.After(max(0, s.began+c.PaceNs-env.Now()), s.tag())
}

// record writes a row for each answer to a token. Where the text continues with predicted tokens an answer
// has no loss: the text has left the true one, or there is none.
func (a *Application) record(env host.Env, session, position uint32, asks []offer, truth *uint16) {
	forced := a.config.Forced && truth != nil
	for _, o := range asks {
		row := trace.Application{
			TimeNs: int64(env.Now()), Block: env.Chain().Height(), Node: env.Self().Node,
			StakeRao: env.Chain().StakeOf(env.Self().Hotkey), Session: session, Position: position,
			Peer: env.NodeOf(o.axon), UID: o.uid, Code: o.code.String(), Admitted: admitted(o.code),
			LatencyNs: int64(o.latency),
		}
		if forced {
			row.EnsembleLoss = a.ensembleLoss(asks, *truth)
		}
		if forced && o.code == host.Success {
			row.Loss = trace.Some(float32(a.config.Prompts.Loss(o.dist, *truth)))
		}
		env.Record(row)
	}
}

// ensembleLoss is the loss of the true token under the mean of the answers' distributions, added in
// uid order; nil without an answer.
func (a *Application) ensembleLoss(offers []offer, truth uint16) *float32 {
	usable := make([]offer, 0, len(offers))
	for _, o := range offers {
		if o.code == host.Success && len(o.dist.IDs) > 0 {
			usable = append(usable, o)
		}
	}
	if len(usable) == 0 {
		return nil
	}
	slices.SortFunc(usable, func(x, y offer) int { return cmp.Compare(x.uid, y.uid) })
	p := 0.0
	for _, o := range usable {
		p += num.Exp(-a.config.Prompts.Loss(o.dist, truth))
	}
	return trace.Some(float32(-num.Log(p / float64(len(usable)))))
}

// admitted reports whether a miner admitted a request that ended in a code; nil for one that timed out, where
// the caller cannot know.
func admitted(c host.Code) *bool {
	switch c {
	case host.NoReturn, host.Timeout, host.Unavailable:
		return nil
	case host.Backoff, host.Unauthenticated:
		return trace.Some(false)
	}
	return trace.Some(true)
}

// predict is the most probable token of the combined answers; ties go to the one named first.
func (a *Application) predict(offers []offer) (token uint16, found bool) {
	ids, sums := mixture(combined(offers, a.config.Combine))
	if len(ids) == 0 {
		return 0, false
	}
	best := 0
	for i, p := range sums {
		if p > sums[best] {
			best = i
		}
	}
	return ids[best], true
}

// mixture adds the distributions of offers in their order. It returns the tokens in order of first
// appearance, and the sum of each one's probabilities.
func mixture(offers []offer) (ids []uint16, sums []float64) {
	place := map[uint16]int{}
	for _, o := range offers {
		for k, id := range o.dist.IDs {
			at, named := place[id]
			if !named {
				at = len(ids)
				place[id] = at
				ids, sums = append(ids, id), append(sums, 0)
			}
			sums[at] += float64(o.dist.Probs[k])
		}
	}
	return ids, sums
}

// combined lists the usable offers that enter the prediction, in uid order.
func combined(offers []offer, how Combine) []offer {
	usable := make([]offer, 0, len(offers))
	for _, o := range offers {
		if len(o.dist.IDs) > 0 {
			usable = append(usable, o)
		}
	}
	if how == Best {
		return usable[:min(len(usable), 1)]
	}
	slices.SortFunc(usable, func(a, b offer) int { return cmp.Compare(a.uid, b.uid) })
	return usable
}

// AppendState implements host.Agent.
func (a *Application) AppendState(b []byte) []byte {
	b = state.Begin(b, "application")
	b = state.AppendU32(b, a.begun)
	b = state.AppendU32(b, uint32(len(a.sessions)))
	for _, s := range a.sessions {
		b = state.AppendU32(b, s.number)
		b = state.AppendU16s(b, s.text)
		b = state.AppendU16s(b, s.truth)
		b = state.AppendU32(b, s.position)
		b = state.AppendU64(b, uint64(s.began))
		b = state.AppendBool(b, s.paced)
		b = appendOffers(b, s.asks)
	}
	return a.appendTexts(b)
}

// appendOffers appends offers, answered and open.
func appendOffers(b []byte, offers []offer) []byte {
	b = state.AppendU32(b, uint32(len(offers)))
	for _, o := range offers {
		b = state.AppendU16(b, o.uid)
		b = append(b, o.axon[:]...)
		b = state.AppendBool(b, o.open)
		b = state.AppendU64(b, uint64(o.call))
		b = append(b, byte(o.code))
		b = state.AppendU64(b, uint64(o.latency))
		b = state.AppendF32s(b, o.dist.Probs)
		b = state.AppendU16s(b, o.dist.IDs)
		b = state.AppendText(b, o.reason)
	}
	return b
}

// Lengths of the state of a session and of an offer without their lists.
const (
	sessionBytes = 4 + 4 + 4 + 4 + 8 + 1 + 4
	offerBytes   = 2 + 32 + 1 + 8 + 1 + 8 + 4 + 4 + 4
)

// RestoreState implements host.Agent. After an error the application is as it was.
func (a *Application) RestoreState(b []byte) error {
	c := state.Open("application", b)
	r := Application{config: a.config, begun: c.U32("sessions begun")}
	for n := c.Count("sessions", sessionBytes); n > 0; n-- {
		s := session{
			number: c.U32("session"), text: c.U16s("text"), truth: c.U16s("true continuation"),
			position: c.U32("position"), began: host.Time(c.U64("start")),
			paced: c.Bool("paced"),
		}
		s.asks = restoreOffers(c)
		if prompt, truth := a.config.Prompts.Shape(); len(s.text) != prompt || len(s.truth) != truth || int(s.position) >= truth {
			c.Fail("a session of %d tokens at %d of %d more, expected %d tokens and %d more",
				len(s.text), s.position, len(s.truth), prompt, truth)
		}
		r.sessions = append(r.sessions, s)
	}
	if len(r.sessions) > a.config.Sessions {
		c.Fail("%d open sessions, expected at most %d", len(r.sessions), a.config.Sessions)
	}
	r.restoreTexts(c)
	if err := c.End(); err != nil {
		return err
	}
	*a = r
	return nil
}

// restoreOffers reads what appendOffers wrote.
func restoreOffers(c *state.Cursor) (offers []offer) {
	for n := c.Count("offers", offerBytes); n > 0; n-- {
		o := offer{
			uid: c.U16("uid"), axon: c.Key("axon"), open: c.Bool("open"), call: host.CallID(c.U64("call")),
			code: host.Code(c.U8("code")), latency: host.Time(c.U64("latency")),
			dist:   score.Dist{Probs: c.F32s("probabilities"), IDs: c.U16s("tokens")},
			reason: c.Text("reason"),
		}
		if len(o.dist.Probs) != len(o.dist.IDs) {
			c.Fail("%d probabilities of %d tokens", len(o.dist.Probs), len(o.dist.IDs))
		}
		offers = append(offers, o)
	}
	return offers
}
