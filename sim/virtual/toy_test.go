package virtual

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// toy is an agent that does what a script says: acts at stated times, and a way to serve requests.
// All of its fields are its state.
type toy struct {
	Name  string
	Peers map[string]host.PeerID
	Acts  []act
	Serve serving
	Skew  host.Time // of the node's clock

	Call     host.CallID   // the last one made
	Timer    host.TimerID  // the last one set
	Queue    []host.CallID // requests that wait for the compute unit
	Busy     bool
	Computed int // jobs done
}

// act is something to do at a time.
type act struct {
	At   host.Time
	Verb string
	Args map[string]string
}

// serving is how requests are answered.
type serving struct {
	Size  int
	Parts int
	Delay host.Time
	Work  int64
	Mute  bool
}

// logRow is a line of the event log that scripts compare.
type logRow struct{ Text string }

func (logRow) Table() trace.Table { return "log" }

// spin is a job with a little real work; its result depends only on its input.
type spin struct {
	Input uint64
	Flop  int64
	Panic bool
}

func (s spin) Work() int64 { return s.Flop }

func (s spin) Run(scratch *host.Scratch) []byte {
	if s.Panic {
		panic("asked to")
	}
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, s.Input))
	for range 200 {
		sum = sha256.Sum256(sum[:])
	}
	n, _ := scratch.Local.(int)
	scratch.Local = n + 1
	return sum[:4]
}

// Tags of the toy's timers: the index of an act, or a request to answer.
const answerTag = 1 << 32

func (t *toy) log(env host.Env, format string, args ...any) {
	env.Record(logRow{fmt.Sprintf("%s %s: %s", at(env.Now()), t.Name, fmt.Sprintf(format, args...))})
}

func at(t host.Time) string { return time.Duration(t).String() }

func (t *toy) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Start:
		if e.Restored {
			t.log(env, "restored after %d jobs", t.Computed)
			t.Queue, t.Busy = nil, false
		}
		for i, a := range t.Acts {
			if wait := a.At - (env.Now() - t.Skew); wait >= 0 {
				env.After(wait, host.Tag(i))
			}
		}
	case host.Timer:
		if e.Tag >= answerTag {
			t.answer(env, host.CallID(e.Tag-answerTag))
		} else {
			t.act(env, t.Acts[e.Tag])
		}
	case host.Block:
		t.log(env, "sees block %d", e.Height)
	case host.Done:
		t.Computed++
		t.log(env, "job done %x", e.Result)
		t.Busy = false
		if len(t.Queue) > 0 {
			id := t.Queue[0]
			t.Queue = t.Queue[1:]
			t.answer(env, id)
		}
		t.next(env)
	case host.Incoming:
		t.log(env, "asked by %s: %d bytes, stake %d TAO, until %s", t.name(e.From), len(e.Request.Body),
			e.StakeRao/chain.RaoPerTAO, at(e.Deadline))
		t.serve(env, e)
	case host.Cancelled:
		t.log(env, "need not answer")
	case host.Answer:
		more := ""
		if e.Response.More {
			more = ", more"
		}
		t.log(env, "answer of %s after %s: code %d, %d bytes%s", t.name(e.From), at(env.Now()-e.SentAt),
			e.Response.Code, len(e.Response.Body), more)
	case host.Included:
		t.log(env, "transaction in block %d", e.Height)
	case host.Rejected:
		t.log(env, "transaction rejected in block %d: %s", e.Height, e.Reason)
	case host.Expired:
		t.log(env, "transaction expired")
	}
}

func (t *toy) name(p host.PeerID) string {
	// order-free: keys are unique
	for name, peer := range t.Peers {
		if peer == p {
			return name
		}
	}
	return "nobody"
}

func (t *toy) serve(env host.Env, in host.Incoming) {
	switch {
	case t.Serve.Mute:
	case t.Serve.Delay > 0:
		env.After(t.Serve.Delay, answerTag+host.Tag(in.Call))
	case t.Serve.Work > 0:
		t.Queue = append(t.Queue, in.Call)
		t.next(env)
	default:
		t.answer(env, in.Call)
	}
}

// next starts the job of the next waiting request.
func (t *toy) next(env host.Env) {
	if len(t.Queue) > 0 && !t.Busy {
		t.Busy = true
		env.Compute(spin{Input: uint64(t.Queue[0]), Flop: t.Serve.Work})
	}
}

func (t *toy) answer(env host.Env, id host.CallID) {
	for part := range max(t.Serve.Parts, 1) {
		env.Reply(id, host.Response{
			Code: host.Success, Body: make([]byte, t.Serve.Size), More: part+1 < t.Serve.Parts,
		})
	}
}

func (t *toy) act(env host.Env, a act) {
	n := func(key string) int64 {
		v, _ := strconv.ParseInt(a.Args[key], 10, 64)
		return v
	}
	switch a.Verb {
	case "call":
		timeout := 12 * host.Second
		if d, err := time.ParseDuration(a.Args["timeout"]); err == nil {
			timeout = host.Time(d)
		}
		for range max(n("times"), 1) {
			t.Call = env.Call(t.Peers[a.Args["to"]], host.Request{
				Synapse: host.TextCausalLM, Dir: host.Forward,
				Body: make([]byte, n("size")), MaxReplies: uint32(n("replies")),
			}, timeout)
		}
	case "cancel":
		env.Cancel(t.Call)
	case "compute":
		_, bad := a.Args["panic"]
		env.Compute(spin{Input: uint64(n("input")), Flop: n("work"), Panic: bad})
	case "block":
		t.Timer = env.AtBlock(uint64(n("height")), 0)
	case "timers":
		for range n("count") {
			t.Timer = env.After(host.Hour, 0)
		}
	case "stop":
		env.Stop(t.Timer)
	case "stake":
		env.Submit(host.Coldkey, chain.AddStake{Hotkey: env.Self().Hotkey, AmountRao: uint64(n("tao")) * chain.RaoPerTAO})
	case "register":
		env.Submit(host.Coldkey, chain.Register{Hotkey: PublicKey(1, a.Args["hotkey"], host.Hotkey)})
	case "weight":
		env.Submit(host.Hotkey, chain.SetWeights{UIDs: []uint16{uint16(n("on"))}, Values: []uint32{65535}})
	case "panic":
		panic("asked to")
	case "see":
		self := env.Self()
		t.log(env, "newest block %d, uid %d %v", env.Chain().Height(), self.UID, self.HasUID)
	case "draw":
		t.log(env, "draws %d", env.Rand(a.Args["for"]).IntN(1000))
	case "pay":
		to := PublicKey(1, a.Args["to"], host.Coldkey)
		env.Submit(host.Coldkey, chain.Transfer{To: to, AmountRao: uint64(n("rao"))})
	default:
		panic("unknown verb " + a.Verb)
	}
}

func (t *toy) AppendState(b []byte) []byte {
	j, err := json.Marshal(t)
	if err != nil {
		panic(err)
	}
	return append(b, j...)
}

func (t *toy) RestoreState(b []byte) error {
	*t = toy{}
	return json.Unmarshal(b, t)
}

// keeper is a toy whose state a crash does not set back.
type keeper struct{ *toy }

func (keeper) Unsaved() bool { return true }

// logged collects the log lines and faults of a run.
type logged struct{ strings.Builder }

func (l *logged) Record(r trace.Row) {
	switch r := r.(type) {
	case logRow:
		l.WriteString(r.Text + "\n")
	case trace.Fault:
		who := "network"
		if r.Node != nil {
			who = fmt.Sprint("node ", *r.Node)
		}
		fmt.Fprintf(l, "%s %s: %s: %s\n", at(host.Time(r.TimeNs)), who, r.Kind, r.Detail)
	case trace.Block:
		fmt.Fprintf(l, "%s block %d: %d included, %d rejected\n", at(host.Time(r.TimeNs)), r.Height,
			r.Included, r.Rejected)
	}
}

// script is a network in words: a line "node NAME key=value ...", and indented under it a line
// "TIME VERB key=value ..." for each act.
func script(t *testing.T, text string) Config {
	t.Helper()
	cfg := Config{Seed: 1, Trace: Recording{Faults: true}}
	peers := map[string]host.PeerID{}
	var toys []*toy
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		args := map[string]string{}
		for _, f := range fields[2:] {
			key, value, _ := strings.Cut(f, "=")
			args[key] = value
		}
		switch fields[0] {
		case "node":
			toys = append(toys, &toy{Name: fields[1], Peers: peers})
			peers[fields[1]] = PublicKey(cfg.Seed, fields[1], host.Hotkey)
			addNode(t, &cfg, toys[len(toys)-1], args)
		case "fault":
			cfg.Faults = append(cfg.Faults, faultOf(t, fields[1], args))
		default:
			last := toys[len(toys)-1]
			last.Acts = append(last.Acts, act{At: span(t, fields[0]), Verb: fields[1], Args: args})
		}
	}
	cfg.Genesis = genesis(t, cfg, toys)
	return cfg
}

// faultOf reads the keys of a fault line; what is none of a fault's own keys is a setting.
func faultOf(t *testing.T, kind string, args map[string]string) Fault {
	f := Fault{Kind: kind, Numbers: map[string]float64{}}
	some := func(s string) float64 {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	// order-free: each key sets a field of its own
	for key, value := range args {
		switch key {
		case "from":
			f.From = span(t, value)
		case "to":
			f.To = span(t, value)
		case "node":
			f.Target.Node = value
		case "group":
			f.Target.Group = value
		case "region":
			f.Target.Region = value
		case "some":
			f.Target.Some = some(value)
		case "peer":
			f.Peer.Node = value
		case "direction":
			f.Direction = value
		case "mode":
			f.Mode = value
		case "seed":
			f.Seed = uint64(number(t, value))
		default:
			f.Numbers[key] = some(value)
		}
	}
	return f
}

// addNode reads the keys of a node line.
func addNode(t *testing.T, cfg *Config, agent *toy, args map[string]string) {
	n := Node{Name: agent.Name}
	// order-free: each key sets a field of its own
	for key, value := range args {
		switch key {
		case "up":
			n.UpBps = number(t, value)
		case "down":
			n.DownBps = number(t, value)
		case "group":
			n.Group = value
		case "flops":
			n.FLOPS = number(t, value)
		case "region":
			n.Region = int(number(t, value))
		case "delay":
			n.BlockDelay = span(t, value)
		case "skew":
			n.Skew = span(t, value)
			agent.Skew = n.Skew
		case "loss":
			if _, err := fmt.Sscan(value, &n.Loss); err != nil {
				t.Fatal(err)
			}
		case "slots":
			n.Admission.Slots = int(number(t, value))
		case "queue":
			n.Admission.Capacity = int(number(t, value))
		case "minstake":
			n.Admission.MinStakeRao = uint64(number(t, value)) * chain.RaoPerTAO
		case "interval":
			n.Admission.MinInterval = span(t, value)
		case "longest":
			n.Admission.LongestService = span(t, value)
		case "uidonly":
			n.Admission.RequireUID = true
		case "crash":
			down, up, _ := strings.Cut(value, "+")
			crash := Fault{Kind: "crash", Target: Target{Node: n.Name}, From: span(t, down), To: maxTime}
			if up != "" {
				crash.To = crash.From + span(t, up)
			}
			cfg.Faults = append(cfg.Faults, crash)
		case "serve":
			agent.Serve.Size = int(number(t, value))
		case "parts":
			agent.Serve.Parts = int(number(t, value))
		case "work":
			agent.Serve.Work = number(t, value)
		case "after":
			agent.Serve.Delay = span(t, value)
		case "mute":
			agent.Serve.Mute = true
		case "stake", "nouid", "books":
		default:
			t.Fatalf("node %s: unknown key %q", agent.Name, key)
		}
	}
	stake, _ := strconv.ParseUint(args["stake"], 10, 64)
	hot, cold := PublicKey(cfg.Seed, n.Name, host.Hotkey), PublicKey(cfg.Seed, n.Name, host.Coldkey)
	if _, only := args["nouid"]; only {
		cfg.Genesis.Stakes = append(cfg.Genesis.Stakes,
			chain.GenesisStake{Hotkey: hot, Coldkey: cold, StakeRao: stake * chain.RaoPerTAO})
	} else {
		cfg.Genesis.Neurons = append(cfg.Genesis.Neurons,
			chain.GenesisNeuron{Hotkey: hot, Coldkey: cold, StakeRao: stake * chain.RaoPerTAO})
	}
	n.Fresh = func() host.Agent { return &toy{} }
	if _, keeps := args["books"]; keeps {
		n.Fresh = func() host.Agent { return keeper{&toy{}} }
	}
	cfg.Nodes = append(cfg.Nodes, n)
}

// quiet is a ledger without anybody.
func quiet() chain.Genesis {
	params, err := chain.Era("2026")
	if err != nil {
		panic(err)
	}
	return chain.Genesis{ChainID: "toy", Params: params.Scaled(16)}
}

// genesis gives every coldkey 100 TAO and lets the agents' first state be what the script says.
func genesis(t *testing.T, cfg Config, toys []*toy) chain.Genesis {
	g := quiet()
	g.Neurons, g.Stakes = cfg.Genesis.Neurons, cfg.Genesis.Stakes
	for i, agent := range toys {
		g.Balances = append(g.Balances, chain.Balance{
			Coldkey: PublicKey(cfg.Seed, agent.Name, host.Coldkey), FreeRao: 100 * chain.RaoPerTAO,
		})
		state := agent.AppendState(nil)
		cfg.Nodes[i].Agent = cfg.Nodes[i].Fresh()
		if err := cfg.Nodes[i].Agent.RestoreState(state); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func span(t *testing.T, s string) host.Time {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return host.Time(d)
}
