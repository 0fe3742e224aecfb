package agents

import (
	"bytes"
	"fmt"
	"slices"

	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// Limits of an application's work for its operator.
const (
	maxContinuation = 1 << 14 // tokens of one continuation
	maxRounds       = 3       // of questions about one token
	maxFailures     = 256     // of miners that a text remembers
	maxReason       = 255     // bytes of a refusal's reason
)

// text is a text of the node's operator in the course of being continued: its last tokens are sent to miners,
// and the token that they predict is appended.
type text struct {
	call     host.CallID // the operator's
	number   uint32      // of its session
	wish     wire.Prompt // the request without its text
	length   uint32      // in tokens, when it came
	tokens   []uint16    // the tokens to send: the last ones so far
	position uint32      // of the token that is asked for
	parts    uint32      // that the operator still takes
	rounds   uint32      // of questions about this token
	began    host.Time   // of this round
	waits    bool        // for miners to rest: until the timer of its call
	asks     []offer     // best incentive first
	failures []host.PeerID
}

// rest is a pause before the next request to a miner, which refuses callers that come back too soon.
type rest struct {
	axon  host.PeerID
	until host.Time
}

// ofTexts marks the timers of texts; sessions have a 32-bit number.
const ofTexts host.Tag = 1 << 63

func (t *text) tag() host.Tag { return ofTexts | host.Tag(t.call) }

// textOf is the place of the text whose timer has a tag, or -1.
func (a *Application) textOf(tag host.Tag) int {
	return slices.IndexFunc(a.texts, func(t text) bool { return t.waits && t.tag() == tag })
}

// take begins with a text of the operator. It refuses all other callers.
func (a *Application) take(env host.Env, e host.Incoming) {
	if e.From != env.Self().Peer || e.Request.Synapse != host.Continuation {
		Refuse(env, e)
		return
	}
	refuse := func(code host.Code, format string, args ...any) {
		env.Reply(e.Call, host.Response{Code: code, Body: fmt.Appendf(nil, format, args...)})
	}
	wish, err := wire.DecodePrompt(e.Request.Body, a.config.MaxTokens)
	if err != nil {
		refuse(host.InvalidRequest, "%v", err)
		return
	}
	if len(a.texts) >= a.config.Continued {
		refuse(host.Backoff, "%d texts are being continued, which is all that this application does at once; come back later", len(a.texts))
		return
	}
	tokens, err := a.config.Prompts.Encode(wish.Text)
	if err != nil {
		refuse(host.NotImplemented, "%v", err)
		return
	}
	wish.Text = nil
	a.texts = append(a.texts, text{
		call: e.Call, number: a.begun, wish: wish, length: uint32(len(tokens)),
		tokens: slices.Clone(a.window(tokens)), parts: max(e.Request.MaxReplies, 1),
	})
	a.begun++
	a.askMiners(env, len(a.texts)-1)
}

// window is the end of a text that is sent with a request.
func (a *Application) window(tokens []uint16) []uint16 {
	return tokens[max(0, len(tokens)-a.config.Prompts.Context()):]
}

// askMiners asks the best miners for the next token of a text, as soon as all of them have rested.
func (a *Application) askMiners(env host.Env, i int) {
	t := &a.texts[i]
	t.asks, t.waits = nil, false
	view, now := env.Chain(), env.Now()
	a.rests = slices.DeleteFunc(a.rests, func(r rest) bool { return r.until <= now })
	until := now
	for _, uid := range t.choose(view, env.Self(), a.peers(t)) {
		axon := view.Neuron(chain.UID(uid)).Axon
		t.asks = append(t.asks, offer{uid: uid, axon: axon, open: true})
		for _, r := range a.rests {
			if r.axon == axon {
				until = max(until, r.until)
			}
		}
	}
	switch {
	case len(t.asks) == 0:
		a.reply(env, i, wire.PromptPart{Finish: wire.NoAnswer})
		return
	case until > now:
		t.asks, t.waits = nil, true
		env.After(until-now, t.tag())
		return
	}
	t.began = now
	request := a.config.Prompts.Ask(t.tokens)
	for k := range t.asks {
		o := &t.asks[k]
		o.call = env.Call(o.axon, request, a.config.TimeoutNs)
		a.rests = append(a.rests, rest{o.axon, now + a.config.PaceNs})
	}
}

func (a *Application) peers(t *text) int {
	if t.wish.Peers > 0 {
		return t.wish.Peers
	}
	return min(a.config.Peers, wire.MaxPromptPeers)
}

// choose is the k best miners for a text: those with the fewest failures before it, and of these the best
// incentive first.
func (t *text) choose(view chain.View, self host.Self, k int) []uint16 {
	best := bestMiners(view, self, k+len(t.failures))
	failures := func(uid uint16) (n int) {
		axon := view.Neuron(chain.UID(uid)).Axon
		for _, failed := range t.failures {
			if failed == axon {
				n++
			}
		}
		return n
	}
	slices.SortStableFunc(best, func(x, y uint16) int { return failures(x) - failures(y) })
	return best[:min(len(best), k)]
}

// round continues after all answers for a token: it extends the text, or asks other miners.
func (a *Application) round(env host.Env, i int) {
	t := &a.texts[i]
	a.record(env, t.number, t.position, t.asks, nil)
	how := Best
	if t.wish.Mean {
		how = Mean
	}
	offers := combined(t.asks, how)
	ids, sums := mixture(offers)
	part := wire.PromptPart{}
	t.rounds++
	if at := draw(ids, sums, float64(t.wish.Temperature), float64(t.wish.TopP), t.stream()); at >= 0 {
		a.extend(t, &part, ids[at], sums[at]/float64(len(offers)))
	} else if t.rounds == maxRounds {
		part.Finish = wire.NoAnswer
	}
	for _, o := range t.asks {
		if part.Peers = append(part.Peers, a.peer(t, o, part)); o.code != host.Success {
			t.failures = append(t.failures[max(0, len(t.failures)-maxFailures+1):], o.axon)
		}
	}
	if part.Finish == wire.GoesOn && t.parts == 1 {
		part.Finish = wire.Length
	}
	a.reply(env, i, part)
	if part.Finish == wire.GoesOn {
		a.askMiners(env, i)
	}
}

// extend appends a token to a text.
func (a *Application) extend(t *text, part *wire.PromptPart, token uint16, prob float64) {
	t.tokens = slices.Clone(a.window(append(t.tokens, token)))
	t.position++
	t.rounds = 0
	words, end := a.config.Prompts.Text(token)
	part.HasToken, part.Token, part.Prob = true, words, float32(min(prob, 1))
	switch {
	case end:
		part.Finish = wire.EndOfText
	case int(t.position) == t.wish.MaxTokens:
		part.Finish = wire.Length
	}
}

// stream is the random stream that draws the next token.
func (t *text) stream() *num.Stream {
	return num.NewStream(t.wish.Seed, fmt.Sprint("continuation ", t.position))
}

// peer describes one answer, and its loss on the chosen token.
func (a *Application) peer(t *text, o offer, part wire.PromptPart) wire.PromptPeer {
	p := wire.PromptPeer{UID: o.uid, Code: uint8(o.code), LatencyNs: uint64(o.latency), Loss: wire.NoLoss, Reason: o.reason}
	if part.HasToken && o.code == host.Success {
		p.Loss = max(0, float32(a.config.Prompts.Loss(o.dist, t.tokens[len(t.tokens)-1])))
	}
	return p
}

// reply sends a part, and ends with the last.
func (a *Application) reply(env host.Env, i int, part wire.PromptPart) {
	t := &a.texts[i]
	t.parts--
	part.PromptTokens = int(t.length)
	more := part.Finish == wire.GoesOn
	env.Reply(t.call, host.Response{Code: host.Success, Body: wire.EncodePromptPart(part), More: more})
	if !more {
		a.texts = slices.Delete(a.texts, i, i+1)
	}
}

// forget drops the text of a call that was cancelled.
func (a *Application) forget(env host.Env, call host.CallID) {
	i := slices.IndexFunc(a.texts, func(t text) bool { return t.call == call })
	if i < 0 {
		return
	}
	for _, o := range a.texts[i].asks {
		if o.open {
			env.Cancel(o.call)
		}
	}
	a.texts = slices.Delete(a.texts, i, i+1)
}

// reasonOf is the reason that a refusal gives, if any.
func reasonOf(r host.Response) string {
	words := bytes.ToValidUTF8(r.Body[:min(len(r.Body), maxReason)], nil)
	if bytes.ContainsFunc(words, func(c rune) bool { return c < ' ' }) {
		return ""
	}
	return string(words)
}

// draw picks one of the tokens with these sums of probabilities: at temperature 0 the most probable one, else
// one drawn with the probabilities to the power of 1/temperature from the most probable ones that together
// have the share topP. Ties go to the lower token. It returns -1 if there are no tokens.
func draw(ids []uint16, sums []float64, temperature, topP float64, stream *num.Stream) int {
	order := make([]int, len(ids))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, k int) int {
		switch {
		case sums[i] > sums[k]:
			return -1
		case sums[i] < sums[k]:
			return 1
		}
		return int(ids[i]) - int(ids[k])
	})
	if len(order) == 0 || !(sums[order[0]] > 0) {
		return -1
	}
	if temperature == 0 {
		return order[0]
	}
	weights, total := make([]float64, len(order)), 0.0
	for k, i := range order {
		weights[k] = num.Pow(sums[i]/sums[order[0]], 1/temperature)
		total += weights[k]
	}
	kept := 0.0
	for k, w := range weights {
		if kept += w; kept >= float64(topP*total) {
			weights = weights[:k+1]
			break
		}
	}
	at := float64(stream.Float64() * kept)
	for k, w := range weights {
		if at -= w; at < 0 {
			return order[k]
		}
	}
	return order[len(weights)-1]
}

// appendTexts appends the operator's texts and the miners that rest.
func (a *Application) appendTexts(b []byte) []byte {
	b = state.AppendU32(b, uint32(len(a.texts)))
	for _, t := range a.texts {
		b = state.AppendU64(b, uint64(t.call))
		b = state.AppendU32(b, t.number)
		b = state.AppendText(b, string(wire.EncodePrompt(t.wish)))
		b = state.AppendU32(b, t.length)
		b = state.AppendU16s(b, t.tokens)
		b = state.AppendU32(b, t.position)
		b = state.AppendU32(b, t.parts)
		b = state.AppendU32(b, t.rounds)
		b = state.AppendU64(b, uint64(t.began))
		b = state.AppendBool(b, t.waits)
		b = appendOffers(b, t.asks)
		b = state.AppendU32(b, uint32(len(t.failures)))
		for _, axon := range t.failures {
			b = append(b, axon[:]...)
		}
	}
	b = state.AppendU32(b, uint32(len(a.rests)))
	for _, r := range a.rests {
		b = append(b, r.axon[:]...)
		b = state.AppendU64(b, uint64(r.until))
	}
	return b
}

// Lengths of the state of a text and of a rest without their lists.
const (
	textBytes = 8 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 8 + 1 + 4 + 4
	restBytes = 32 + 8
)

// restoreTexts reads what appendTexts wrote.
func (a *Application) restoreTexts(c *state.Cursor) {
	for n := c.Count("texts", textBytes); n > 0; n-- {
		t := text{call: host.CallID(c.U64("call")), number: c.U32("session")}
		wish, err := wire.DecodePrompt([]byte(c.Text("prompt")), a.config.MaxTokens)
		if t.wish = wish; err != nil || len(wish.Text) > 0 {
			c.Fail("a prompt that was never taken: %v", err)
		}
		t.wish.Text = nil
		t.length, t.tokens = c.U32("length"), c.U16s("tokens")
		t.position, t.parts, t.rounds = c.U32("position"), c.U32("parts"), c.U32("rounds")
		t.began, t.waits, t.asks = host.Time(c.U64("start")), c.Bool("waiting"), restoreOffers(c)
		for m := c.Count("failures", 32); m > 0; m-- {
			t.failures = append(t.failures, c.Key("failure"))
		}
		if most := a.config.Prompts.Context(); len(t.tokens) < 1 || len(t.tokens) > most || t.parts < 1 || int(t.position) >= t.wish.MaxTokens {
			c.Fail("a text of %d tokens at %d of %d more with %d parts, expected 1 to %d tokens and a part",
				len(t.tokens), t.position, t.wish.MaxTokens, t.parts, most)
		}
		a.texts = append(a.texts, t)
	}
	for n := c.Count("rests", restBytes); n > 0; n-- {
		a.rests = append(a.rests, rest{c.Key("axon"), host.Time(c.U64("end of a rest"))})
	}
	if len(a.texts) > a.config.Continued {
		c.Fail("%d texts, expected at most %d", len(a.texts), a.config.Continued)
	}
}
