package virtual

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// oneOfEach has a fault of every kind and mode on the busy network.
func oneOfEach(from, to host.Time) []Fault {
	numbers := map[string]map[string]float64{
		"clock": {"offset_ms": 300, "drift_ppm": 20000}, "crash": {"every_s": 2, "down_s": 0.5},
		"forget": {"every_s": 2, "down_s": 0.5}, "delay": {"mean_ms": 200}, "reorder": {"window_ms": 400},
		"duplicate": {"delay_ms": 100, "copies": 2}, "endless": {"parts": 5}, "stall": {"hold_s": 0.4},
		"stale": {"blocks": 2}, "block_delay": {"mean_ms": 700}, "disk_read": {"delay_s": 0.2}, "evict": {"every_s": 1}, "tx_queue": {"share": 0.7},
	}
	var list []Fault
	for i, kind := range faultKinds {
		modes := kind.Modes
		if modes == nil {
			modes = []string{""}
		}
		for _, mode := range modes {
			f := Fault{Kind: kind.Name, Mode: mode, From: from, To: to, Numbers: map[string]float64{}}
			if len(kind.Settings) > 0 && kind.Settings[0].Name == "share" {
				f.Numbers["share"] = 0.3
			}
			for name, x := range numbers[kind.Name] { // order-free: a map of them
				f.Numbers[name] = x
			}
			switch kind.Name {
			case "partition":
				f.Target.Region, f.To = "1", min(to, from+host.Second)
			case "cut", "clog", "version", "stall":
				f.Target.Some = 0.2
			case "ledger_pause":
				f.To = min(to, from+2*host.Second)
			default:
				if kind.fresh || kind.Name == "pause" || kind.Name == "disconnect" {
					f.Target.Node = fmt.Sprintf("n%d", i%12)
				}
			}
			list = append(list, f)
		}
	}
	return list
}

// computing is the busy network with jobs in it.
func computing(t *testing.T) Config {
	cfg := busy(t)
	cfg.Faults, cfg.Links.Loss = nil, 0
	cfg.Blocks = 16
	for i := range cfg.Nodes {
		cfg.Nodes[i].FLOPS = 1000
		agent := cfg.Nodes[i].Agent.(*toy)
		agent.Serve.Work = 40
		agent.Acts = append(agent.Acts, act{At: 9 * host.Second, Verb: "pay", Args: map[string]string{"to": "n0", "rao": "1000000"}})
	}
	return cfg
}

func TestAFaultOfEachKindMovesTheDigestAndOneWithoutEffectDoesNot(t *testing.T) {
	_, honest := run(t, computing(t))
	none := map[string]map[string]float64{
		"delay": {"mean_ms": 0}, "bandwidth": {"factor": 1}, "clock": {"offset_ms": 0}, "block_delay": {"mean_ms": 0},
		"evict": {},
	}
	// What moves nothing by itself: damage shows when a node that crashes reads, signatures where there are seats.
	silent := []string{"evict", "disk_write", "disk_read", "equivocate"}
	for _, f := range oneOfEach(2*host.Second, 8*host.Second) {
		t.Run(strings.TrimSuffix(f.Kind+" "+f.Mode, " "), func(t *testing.T) {
			digest := func(f Fault) string {
				cfg := computing(t)
				cfg.Faults = []Fault{f}
				_, d := run(t, cfg)
				return d.String()
			}
			if d := digest(f); (d == honest.String()) != slices.Contains(silent, f.Kind) {
				t.Errorf("with the fault the run digest is %s, without it %s", d, honest)
			}
			f.To = f.From
			if d := digest(f); d != honest.String() {
				t.Errorf("with a fault of no time the run digest is %s, without it %s", d, honest)
			}
			f.To = 8 * host.Second
			kind := kindOf(f.Kind)
			if len(kind.Settings) > 0 && kind.Settings[0].Name == "share" {
				f.Numbers = map[string]float64{"share": 0}
			} else if f.Numbers = none[f.Kind]; f.Numbers == nil {
				return
			}
			if d := digest(f); d != honest.String() {
				t.Errorf("with %v the run digest is %s, without the fault %s", f.Numbers, d, honest)
			}
		})
	}
}

// TestFaultsOfEveryKindAtOnce breaks no invariant, gives the same bits for any number of workers and
// signed, and goes on from a snapshot at any moment.
func TestFaultsOfEveryKindAtOnce(t *testing.T) {
	all := func(rows *rowsOf) Config {
		cfg := computing(t)
		cfg.Faults = oneOfEach(host.Second, 8*host.Second)
		cfg.Paranoid = true
		cfg.Recorder = rows
		cfg.Trace = everything
		return cfg
	}
	var want rowsOf
	straight, turns := lived(t, all(&want))
	digest := straight.Digest()
	for what, change := range map[string]func(*Config){
		"3 workers": func(c *Config) { c.Workers = 3 },
		"signed":    func(c *Config) { c.Signed = true },
		"unwatched": func(c *Config) { c.Trace = Recording{} },
	} {
		var rows rowsOf
		cfg := all(&rows)
		change(&cfg)
		if _, d := run(t, cfg); d != digest {
			t.Errorf("%s: run digest %v, expected %v", what, d, digest)
		}
	}
	if straight.life.before.answers < 20 {
		t.Errorf("%d answers: too few to show anything", straight.life.before.answers)
	}
	draw := num.NewStream(1, "cuts of faults")
	for range 20 {
		cut := draw.IntN(turns)
		var rows rowsOf
		first := after(t, all(&rows), cut)
		b := saved(t, first)
		second, err := restore(all(&rows), b)
		if err != nil {
			t.Fatalf("turn %d: %v", cut, err)
		}
		if again := saved(t, second); !bytes.Equal(b, again) {
			t.Errorf("turn %d: the restored world writes another snapshot", cut)
		}
		if err := second.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if second.Digest() != digest || !slices.Equal(rows, want) {
			t.Errorf("cut at turn %d: run digest %v and %d rows, straight %v and %d", cut, second.Digest(), len(rows), digest, len(want))
			for i := range min(len(rows), len(want)) {
				if rows[i] != want[i] {
					t.Logf("row %d: %s, straight %s", i, rows[i], want[i])
					break
				}
			}
		}
	}
}

// lived is a world at its end, and how many turns it took.
func lived(t *testing.T, cfg Config) (*World, int) {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	turns := 0
	for ; w.producer.ledger.Height() < w.cfg.Blocks; turns++ {
		if err := w.turn(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w, turns
}

// bodies keeps the request bodies that an agent gets, and asks once a second, each time with the same bytes.
type bodies struct {
	peer host.PeerID
	sent [64]byte
	got  [][]byte
}

func (b *bodies) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Start, host.Timer:
		env.After(host.Second, 0)
		if b.peer != (host.PeerID{}) {
			env.Call(b.peer, host.Request{Body: b.sent[:], Synapse: host.TextCausalLM, Dir: host.Forward}, host.Second/2)
		}
	case host.Incoming:
		b.got = append(b.got, e.Request.Body)
		env.Reply(e.Call, host.Response{Code: host.Success})
	}
}
func (*bodies) AppendState(b []byte) []byte { return b }
func (*bodies) RestoreState([]byte) error   { return nil }

// pair is a network of a node that asks and one that answers.
func pair(blocks uint64, faults ...Fault) (Config, *bodies) {
	server := &bodies{}
	return Config{
		Seed: 1, BlockNs: host.Second, Blocks: blocks, Genesis: quiet(), Faults: faults,
		Nodes: []Node{
			{Name: "asker", Agent: &bodies{peer: PublicKey(1, "server", host.Hotkey)}},
			{Name: "server", Agent: server},
		},
	}, server
}

func TestBitsFlipWhereTheModeSays(t *testing.T) {
	for mode, in := range map[string][2]int{"any": {0, 64}, "head": {0, 16}, "value": {16, 64}} {
		cfg, server := pair(50, Fault{
			Kind: "corrupt", Mode: mode, From: 0, To: 40 * host.Second, Numbers: map[string]float64{"share": 0.5, "bits": 1},
		})
		run(t, cfg)
		flipped := 0
		for _, body := range server.got {
			for at, b := range body {
				if b != 0 {
					flipped++
					if at < in[0] || at >= in[1] {
						t.Errorf("%s: byte %d is damaged", mode, at)
					}
				}
			}
		}
		if flipped < 10 || flipped > 30 {
			t.Errorf("%s: %d of about 20 bits flipped", mode, flipped)
		}
		if asker := cfg.Nodes[0].Agent.(*bodies); asker.sent != ([64]byte{}) {
			t.Errorf("%s: the sender's own bytes are damaged: %x", mode, asker.sent)
		}
	}
}

func TestRandomTimesHaveTheirMeanAndTheirTail(t *testing.T) {
	const draws = 100_000
	for _, c := range []struct {
		mode          string
		least, beyond float64 // the shortest time, and the share of those beyond ten means
	}{{"exponential", 0, 0.000045}, {"pareto", 0.5, 0.0025}} {
		f := &injection{Fault: &Fault{Mode: c.mode}, kind: &delayKind}
		s := num.NewStream(1, "tail")
		least, sum, beyond := float64(maxTail), 0.0, 0
		for range draws {
			x := float64(f.tail(s, host.Second)) / float64(host.Second)
			least, sum = min(least, x), sum+x
			if x > 10 {
				beyond++
			}
			if far := f.tail(s, host.Time(1e18)); far < 0 || far > maxTime {
				t.Fatalf("%s: %d ns lie beyond the clock", c.mode, far)
			}
		}
		if mean := sum / draws; mean < 0.97 || mean > 1.03 {
			t.Errorf("%s: mean %g, expected 1", c.mode, mean)
		}
		if least < c.least || least > c.least+0.001 {
			t.Errorf("%s: the shortest time is %g means, expected %g", c.mode, least, c.least)
		}
		if share := float64(beyond) / draws; share < c.beyond/3 || share > 3*c.beyond {
			t.Errorf("%s: %g of the times are beyond ten means, expected %g", c.mode, share, c.beyond)
		}
	}
}

func TestAFileOfWhichNothingIsLeftIsTornAndRotsNoFurther(t *testing.T) {
	for _, mode := range diskWriteKind.Modes[:3] {
		in := &injection{Fault: &Fault{Mode: mode}, kind: &diskWriteKind, draw: num.NewStream(1, "disk")}
		if written, _ := (diskWrite{onDisk(in)}).write(new(World), new(node), []byte{}); len(written) > 0 {
			t.Errorf("%s: %d bytes of none", mode, len(written))
		}
	}
}

func TestAShareOfNodesIsRoundedUp(t *testing.T) {
	var cfg Config
	for i := range 100 {
		cfg.Nodes = append(cfg.Nodes, Node{Name: fmt.Sprint("n", i)})
	}
	for some, want := range map[float64]int{1e-9: 1, 0.01: 1, 0.011: 2, 0.07: 7, 0.29: 29, 0.55: 55, 0.995: 100} {
		got := 0
		Target{Some: some}.resolve(&cfg, num.NewStream(1, "target")).each(func(int32) { got++ })
		if got != want {
			t.Errorf("%g of 100 nodes are %d, expected %d", some, got, want)
		}
	}
}

func TestAFaultMovesNothingOfAnotherFault(t *testing.T) {
	loss := Fault{Kind: "loss", From: 0, To: 200 * host.Second, Target: Target{Node: "server"}, Direction: "in", Numbers: map[string]float64{"share": 0.5}}
	lost := func(faults ...Fault) string {
		cfg, _ := pair(200, faults...)
		log, _ := run(t, recorded(cfg))
		var lines []string
		for _, line := range strings.Split(log, "\n") {
			if strings.Contains(line, "by chance") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "\n")
	}
	alone := lost(loss)
	other := Fault{Kind: "delay", From: 0, To: 200 * host.Second, Target: Target{Node: "server"}, Direction: "in", Numbers: map[string]float64{"mean_ms": 10}}
	if got := lost(other, loss, other); got != alone {
		t.Errorf("next to another fault other messages are lost:\n%s\nbefore:\n%s", got, alone)
	}
	loss.Seed = 2
	if got := lost(loss); got == alone {
		t.Error("with another seed the same messages are lost")
	}
}

// recorded is a config whose faults are recorded.
func recorded(cfg Config) Config {
	cfg.Trace.Faults = true
	return cfg
}

func TestANetworkThatDoesNotRecoverFailsInTheQuietTail(t *testing.T) {
	cfg, _ := pair(100, Fault{Kind: "loss", From: 20 * host.Second, To: 60 * host.Second})
	cfg.QuietTail = 30 * host.Second
	if log, _ := run(t, cfg); strings.Contains(log, "error") {
		t.Errorf("a network that recovers fails: %s", log)
	}
	cfg.Faults[0].To = 90 * host.Second
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "the quiet tail begins") {
		t.Errorf("a fault in the quiet tail: %v", err)
	}
	cfg.Faults = nil
	cfg.Nodes[0].Agent = &quitter{bodies{peer: PublicKey(1, "server", host.Hotkey)}, 20}
	if log, _ := run(t, cfg); !strings.Contains(log, "no request was answered in the quiet tail, 20 were before") {
		t.Errorf("a network that has died passes: %s", log)
	}
}

func TestALongPauseKeepsNothingForWhichNobodyWaits(t *testing.T) {
	cfg, _ := pair(3000, Fault{Kind: "pause", Target: Target{Node: "server"}, To: 2990 * host.Second})
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.PauseAt(2900)
	if err := w.Run(context.Background()); err != ErrPaused {
		t.Fatal(err)
	}
	if held := len(w.nodes[1].held); held < 1 || held > 512 {
		t.Errorf("%d events are held back, of which one at most matters", held)
	}
}

func TestANodeThatStillHoldsEventsBackHasNotRecovered(t *testing.T) {
	cfg, _ := pair(100)
	cfg.QuietTail = 30 * host.Second
	w, _ := lived(t, cfg)
	w.hold(&w.nodes[1], event{at: w.now, kind: evStart, node: 1})
	if err := w.checkLife(); err == nil || !strings.Contains(err.Error(), "node 1 (server) still holds 1 events back") {
		t.Errorf("%v", err)
	}
}

// quitter asks no more after some events.
type quitter struct {
	bodies
	left int
}

func (q *quitter) Handle(env host.Env, e host.Event) {
	if _, timer := e.(host.Timer); timer {
		q.left--
	}
	if q.left > 0 {
		q.bodies.Handle(env, e)
	}
}

func TestWavesComeAfterQuietStretchesAndEndBeforeTheTail(t *testing.T) {
	templates := []Fault{
		{Kind: "loss", To: 10 * host.Second}, {Kind: "delay", To: 20 * host.Second}, {Kind: "clog", To: 5 * host.Second},
	}
	waves := Waves{Quiet: 10 * host.Minute, Storm: host.Minute, Together: 2, Until: 20 * host.Hour, Seed: 3}
	list := waves.Schedule(templates)
	if len(list) < 160 || len(list)%2 != 0 {
		t.Fatalf("%d faults in 20 hours of waves every 11 minutes", len(list))
	}
	end := host.Time(0)
	for i := 0; i < len(list); i += 2 {
		a, b := list[i], list[i+1]
		first := min(a.From, b.From)
		switch {
		case a.Kind == b.Kind:
			t.Errorf("wave %d: twice %s", i/2, a.Kind)
		case first < end+waves.Quiet/2:
			t.Errorf("wave %d: only %d s of quiet before it", i/2, (first-end)/host.Second)
		case max(a.From, b.From) > first+waves.Storm || max(a.To, b.To) > waves.Until:
			t.Errorf("wave %d: %v", i/2, list[i:i+2])
		}
		end = max(a.To, b.To)
	}
	for seed := range uint64(500) {
		short := Waves{Quiet: waves.Quiet, Storm: waves.Storm, Together: 2, Until: host.Hour, Seed: seed}
		for _, f := range short.Schedule(templates) {
			if f.To > short.Until {
				t.Errorf("seed %d: %v ends after %d s", seed, f, short.Until/host.Second)
			}
		}
	}
	if other := (Waves{Quiet: waves.Quiet, Storm: waves.Storm, Together: 2, Until: waves.Until, Seed: 4}).Schedule(templates); other[0].From == list[0].From {
		t.Error("another seed gives the same waves")
	}
}

var longFaults = flag.Bool("long-faults", false, "live through a simulated day of faults")

// day is a network that is busy for so many hours, with all faults in waves.
func day(t testing.TB, hours int, stretch host.Time) Config {
	cfg := Config{Seed: 1, BlockNs: 12 * host.Second, Blocks: uint64(hours) * 300, Genesis: quiet(), QuietTail: host.Hour, SaveEvery: host.Minute}
	params := cfg.Genesis.Params
	params.TempoBlocks = 30
	cfg.Genesis.Params = params
	cfg.Links.Latency = [][]host.Time{{10 * host.Millisecond, 90 * host.Millisecond}, {90 * host.Millisecond, 10 * host.Millisecond}}
	for i := range 12 {
		name := fmt.Sprintf("n%d", i)
		n := Node{Name: name, Region: i % 2, UpBps: 1e6, DownBps: 2e6, FLOPS: 1000}
		n.Fresh = func() host.Agent { return &walker{} }
		cfg.Nodes = append(cfg.Nodes, n)
		hot, cold := PublicKey(1, name, host.Hotkey), PublicKey(1, name, host.Coldkey)
		cfg.Genesis.Neurons = append(cfg.Genesis.Neurons, chain.GenesisNeuron{Hotkey: hot, Coldkey: cold, StakeRao: 1000 * chain.RaoPerTAO})
		cfg.Genesis.Balances = append(cfg.Genesis.Balances, chain.Balance{Coldkey: cold, FreeRao: 5000 * chain.RaoPerTAO})
	}
	waves := Waves{Quiet: stretch, Storm: 30 * host.Second, Together: 8, Until: host.Time(hours)*host.Hour - cfg.QuietTail - host.Minute, Seed: 1}
	templates := oneOfEach(0, 40*host.Second)
	for i := range templates {
		templates[i].Seed = uint64(i)
		if templates[i].Kind == "ledger_pause" {
			templates[i].To = 30 * host.Second
		}
	}
	cfg.Faults = waves.Schedule(templates)
	return cfg
}

// walker asks the others in turn, computes, and pays, for ever.
type walker struct {
	turns uint64
	busy  bool // a job is under way
}

func (a *walker) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Done:
		a.busy = false
	case host.Start, host.Timer:
		if _, starts := e.(host.Start); starts { // a job of before is lost
			a.busy = false
		}
		env.After(2*host.Second, 0)
		a.turns++
		if !a.busy && a.turns%3 == 0 {
			a.busy = true
			env.Compute(spin{Input: a.turns, Flop: 500})
		}
		view := env.Chain()
		if n := uint64(view.N()); n > 0 {
			to := view.Neuron(chain.UID(a.turns % n)).Hotkey
			env.Call(to, host.Request{Body: make([]byte, 100), MaxReplies: 2}, host.Second)
		}
		if a.turns%10 == 0 {
			env.Submit(host.Coldkey, chain.Transfer{To: env.Self().Coldkey, AmountRao: 1000000})
		}
	case host.Incoming:
		env.Reply(e.Call, host.Response{Code: host.Success, Body: make([]byte, 100), More: true})
		env.Reply(e.Call, host.Response{Code: host.Success})
	}
}
func (a *walker) AppendState(b []byte) []byte {
	busy := byte(0)
	if a.busy {
		busy = 1
	}
	return append(binary.LittleEndian.AppendUint64(b, a.turns), busy)
}
func (a *walker) RestoreState(b []byte) error {
	a.turns, a.busy = binary.LittleEndian.Uint64(b), b[8] == 1
	return nil
}

// TestADayOfFaultsOfEveryKind ends with every invariant of the ledger whole and a network that lives.
func TestADayOfFaultsOfEveryKind(t *testing.T) {
	hours := 4
	if *longFaults {
		hours = 24
	}
	cfg := day(t, hours, 4*host.Minute)
	cfg.Paranoid = true
	rows := map[string]int{}
	cfg.Recorder, cfg.Trace = counter(rows), Recording{Faults: true}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, f := range oneOfEach(0, 1) {
		if rows["begin "+f.Kind] == 0 {
			t.Errorf("no %s began", f.Kind)
		}
	}
	for _, kind := range []string{"churn", "corrupt", "crash", "disk", "duplicate", "endless", "evict", "heal", "loss", "partition",
		"restart", "stall", "truncate", "tx_queue", "version"} {
		if rows[kind] == 0 {
			t.Errorf("no row of a fault tells of %s", kind)
		}
	}
	if w.life.tail.answers < 1000 || w.life.tail.included < 100 {
		t.Errorf("in the quiet tail %d answers, %d transactions", w.life.tail.answers, w.life.tail.included)
	}
	t.Logf("%d hours: %d faults, %d events, %v", hours, len(cfg.Faults), w.events, rows)
}

// counter counts faults by kind and, where they begin, by the first word.
type counter map[string]int

func (c counter) Record(r trace.Row) {
	if f, is := r.(trace.Fault); is {
		c[f.Kind]++
		if f.Kind == "begin" {
			word, _, _ := strings.Cut(f.Detail, " ")
			c["begin "+word]++
		}
	}
}
