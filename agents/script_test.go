package agents

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"taolab/agents/mind"
	"taolab/agents/score"
	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/model/pile"
	"taolab/sim/host"
)

func init() {
	flag.BoolFunc("update", "rewrite the golden files",
		func(on string) error { return flag.Set("rewrite", on) })
}

// The scripts of testdata show the effects of agents, event by event. Each runs twice: plainly,
// and with the agent encoded and restored into a fresh one after every event, which must change
// nothing.

func TestAgentsDoAsTheScriptsSay(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) { runScript(t, path, false) })
}

func TestAnAgentThatIsSavedAndRestoredBetweenAnyTwoEventsDoesTheSame(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) { runScript(t, path, true) })
}

func runScript(t *testing.T, path string, roundTrip bool) {
	var d *driver
	var saved []byte
	datadriven.RunTest(t, path, func(t *testing.T, cmd *datadriven.TestData) string {
		if cmd.Cmd == "new" {
			d = newDriver(t, cmd)
			d.roundTrip = roundTrip
			return d.env.take()
		}
		d.env.t = t
		n := 1
		cmd.MaybeScanArgs(t, "n", &n)
		switch cmd.Cmd {
		case "start":
			d.handle(host.Start{})
		case "done":
			for range n {
				d.done()
			}
		case "fire":
			for range n {
				d.fire()
			}
		case "blocks":
			d.blocks(uint64(n))
		case "incoming":
			d.incoming(cmd)
		case "operator":
			d.operator(cmd)
		case "cancelled": // nobody waits for the answer any more
			var call uint64
			cmd.ScanArgs(t, "call", &call)
			d.handle(host.Cancelled{Call: host.CallID(call)})
		case "answer":
			d.answer(cmd)
		case "included":
			d.handle(host.Included{ID: d.env.newest, Height: d.env.state.Height()})
		case "registered": // the ledger knows the agent, under a hotkey of the fake's
			d.env.self = d.env.state.View().Neuron(1).Hotkey
		case "rejected":
			d.handle(host.Rejected{ID: d.env.newest, Reason: "because"})
		case "expired":
			d.handle(host.Expired{ID: d.env.newest})
		case "weights":
			var from int
			cmd.ScanArgs(t, "from", &from)
			var uids []uint16
			for _, v := range argument(cmd, "uids") {
				var uid uint16
				fmt.Sscan(v, &uid)
				uids = append(uids, uid)
			}
			d.env.setWeights(from, uids...)
		case "save":
			saved = d.agent.AppendState(nil)
		case "crash":
			d.env.job, d.env.timers, d.env.calls = nil, nil, nil
			d.agent = d.fresh()
			if err := d.agent.RestoreState(saved); err != nil {
				t.Fatal(err)
			}
			d.handle(host.Start{Restored: true})
		default:
			t.Fatalf("unknown command %q", cmd.Cmd)
		}
		return d.env.take()
	})
}

func argument(cmd *datadriven.TestData, key string) []string {
	for _, a := range cmd.CmdArgs {
		if a.Key == key {
			return a.Vals
		}
	}
	return nil
}

// newDriver makes the agent and the world that a "new" command describes.
func newDriver(t *testing.T, cmd *datadriven.TestData) *driver {
	var kind string
	n := 5
	cmd.MaybeScanArgs(t, "n", &n)
	cmd.ScanArgs(t, "kind", &kind)
	d := &driver{env: newFakeEnv(t, n)}
	switch kind {
	case "miner":
		c := testMiner()
		behaviour := ""
		cmd.MaybeScanArgs(t, "behaviour", &behaviour)
		thinks := testMind()
		if behaviour == "frozen" {
			thinks.Training, c.Duty = nil, 0
		}
		if cmd.HasArg("idle") {
			c.Duty = 0
		}
		if cmd.HasArg("blind") {
			thinks.Evaluation = nil
		}
		c.Mind = func() mind.Server { return mind.NewTransformer(thinks) }
		if behaviour == "random" {
			c.Mind = func() mind.Server {
				return mind.Random{Bounds: wire.Bounds{Vocab: tinyVocab, Rows: 4, Cols: 16, TopK: 8}}
			}
		}
		d.fresh = func() host.Agent { return NewMiner(c) }
	case "validator":
		c := testValidator(n)
		cmd.MaybeScanArgs(t, "era", &c.Era)
		cmd.MaybeScanArgs(t, "peers", &c.Peers)
		cmd.MaybeScanArgs(t, "rows", &c.text.Rows)
		if cmd.HasArg("gated") {
			c = gatedValidator(n, c)
		}
		cmd.MaybeScanArgs(t, "score_peers", &c.Gate.ScorePeers)
		c.RecordAnswers, c.RecordRows = cmd.HasArg("answers"), cmd.HasArg("by-row")
		if cmd.HasArg("subset") {
			c.text.Batch = mind.OneSubset
		}
		if cmd.HasArg("everyone") {
			c.Targets = Everyone
		}
		config := c.config()
		d.fresh = func() host.Agent { return NewValidator(config) }
	case "application":
		c := testApplication()
		cmd.MaybeScanArgs(t, "sessions", &c.Sessions)
		c.Forced = cmd.HasArg("forced")
		if cmd.HasArg("quiet") {
			c.EveryNs = 0
		}
		if cmd.HasArg("mean") {
			c.Combine = Mean
		}
		d.env.self = publicKey("app")
		d.fresh = func() host.Agent { return NewApplication(c) }
	case "newcomer":
		d.env.self = publicKey("newcomer")
		c := NewcomerConfig{AtBlock: 3, RetryBlocks: 5, Tries: 2,
			Then: func() host.Agent { return still{} }}
		d.fresh = func() host.Agent { return NewNewcomer(c) }
	}
	d.agent = d.fresh()
	return d
}

func testMiner() MinerConfig {
	c := testMind()
	return MinerConfig{
		Mind: func() mind.Server { return mind.NewTransformer(c) },
		Duty: 0.25, EvaluateEveryBlocks: 10,
	}
}

func testMind() mind.TransformerConfig {
	return mind.TransformerConfig{
		Base: smallModel(), TopK: 8, MaxRows: 4, MaxCols: 16,
		Training: &mind.Training{
			Mix:       mixOf(pile.Train),
			Optimizer: mind.AdamW{AdamW: lm.AdamW{Rate: 1e-2, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, ClipNorm: 1}},
			Rows:      4, Cols: 8, Steps: 3,
		},
		Evaluation: testEvaluation(),
	}
}

func testEvaluation() *mind.Evaluation {
	e, err := mind.NewEvaluation(corpus(), 2, 8, 1)
	if err != nil {
		panic(err)
	}
	return e
}

func testApplication() ApplicationConfig {
	return ApplicationConfig{
		Prompts: mind.TextPrompts{Mix: mixOf(pile.Score), Vocab: tinyVocab, Cols: 8, Tokens: 3, TopK: 4,
			Tokenizer: tinyTokenizer()},
		Peers: 2, EveryNs: host.Minute, Continued: 2, MaxTokens: 8,
	}
}

// incoming hands the agent a request.
func (d *driver) incoming(cmd *datadriven.TestData) {
	var call uint64
	cmd.ScanArgs(d.env.t, "call", &call)
	synapse, rows, topk := uint8(host.TextCausalLMNext), 1, 2
	cmd.MaybeScanArgs(d.env.t, "rows", &rows)
	cmd.MaybeScanArgs(d.env.t, "topk", &topk)
	if cmd.HasArg("causal") {
		synapse = uint8(host.TextCausalLM)
	}
	if cmd.HasArg("hidden") {
		synapse = uint8(host.TextLastHiddenState)
	}
	tokens := make([]uint16, rows*8)
	for i := range tokens {
		tokens[i] = uint16(i % 40)
	}
	body := wire.EncodeNextRequest(wire.NextRequest{Rows: rows, Cols: 8, TopK: topk, Tokens: tokens})
	if synapse == uint8(host.TextCausalLM) {
		body = wire.EncodeCausalRequest(wire.CausalRequest{Rows: rows, Cols: 8, TopK: topk, Tokens: tokens})
	}
	if cmd.HasArg("garbage") {
		body = []byte("garbage")
	}
	d.handle(host.Incoming{
		Call:    host.CallID(call),
		Request: host.Request{Synapse: host.Synapse(synapse), Dir: host.Forward, Body: body},
	})
}

// operator asks the agent to continue a text.
func (d *driver) operator(cmd *datadriven.TestData) {
	var call uint64
	cmd.ScanArgs(d.env.t, "call", &call)
	parts := 9
	p := wire.Prompt{MaxTokens: 3, TopP: 1, Mean: cmd.HasArg("mean"), Text: []byte(cmd.Input)}
	cmd.MaybeScanArgs(d.env.t, "tokens", &p.MaxTokens)
	cmd.MaybeScanArgs(d.env.t, "peers", &p.Peers)
	cmd.MaybeScanArgs(d.env.t, "parts", &parts)
	from := d.env.self
	if cmd.HasArg("stranger") {
		from = publicKey("hot 3")
	}
	d.handle(host.Incoming{Call: host.CallID(call), From: from, Request: host.Request{
		Synapse: host.Continuation, Dir: host.Forward, Body: wire.EncodePrompt(p), MaxReplies: uint32(parts),
	}})
}

// answer answers the oldest open call: with only a code, with garbage, or with the probability
// truth on the true next token.
func (d *driver) answer(cmd *datadriven.TestData) {
	f := d.env
	if len(f.calls) == 0 {
		f.t.Fatal("no call is open")
	}
	call := f.calls[0]
	f.calls = f.calls[1:]
	response := host.Response{Code: host.Success}
	code, truth, seconds := uint8(host.Success), 0.1, 1
	cmd.MaybeScanArgs(f.t, "code", &code)
	cmd.MaybeScanArgs(f.t, "truth", &truth)
	cmd.MaybeScanArgs(f.t, "after", &seconds)
	response.Code = host.Code(code)
	response.More = cmd.HasArg("more")
	f.now += host.Time(seconds) * host.Second
	if cmd.HasArg("garbage") {
		response.Body = []byte("garbage")
	} else if response.Code == host.Success {
		next := int(tinyTokenizer().EndOfText())
		if word := argument(cmd, "next"); word != nil {
			next = int(tinyTokenizer().Encode(nil, []byte(word[0]))[0])
		}
		d.next = uint16(next)
		response.Body = d.trueAnswer(call.id, truth)
	} else if reason := argument(cmd, "reason"); reason != nil {
		response.Body = []byte(reason[0])
	}
	d.handle(host.Answer{Call: call.id, From: call.to, Response: response})
}

// trueAnswer knows the withheld tokens. An operator's text has none.
func (d *driver) trueAnswer(call host.CallID, truth float64) []byte {
	other := float32((1 - truth) / 8)
	dist := func(next uint16) score.Dist {
		return score.Dist{
			Probs: []float32{float32(truth), other, other, other},
			IDs:   []uint16{next, (next + 1) % tinyVocab, (next + 2) % tinyVocab, (next + 3) % tinyVocab},
		}
	}
	switch a := d.agent.(type) {
	case *Validator:
		var rows []score.Dist
		at := slices.IndexFunc(a.step.asks, func(q ask) bool { return q.call == call })
		for _, row := range a.step.asks[at].rows {
			rows = append(rows, dist(a.judge.(openJudge).next[row]))
		}
		return wire.EncodeDists(host.TextCausalLMNext, rows, 4, tinyVocab)
	case *Application:
		if len(a.texts) > 0 {
			return wire.EncodeDists(host.TextCausalLM, []score.Dist{dist(d.next)}, 4, tinyVocab)
		}
		s := a.sessions[0]
		return wire.EncodeDists(host.TextCausalLM, []score.Dist{dist(s.truth[s.position])}, 4, tinyVocab)
	}
	d.env.t.Fatal(strings.TrimSpace("this agent asks nobody"))
	return nil
}
