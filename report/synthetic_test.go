package report

import (
	"encoding/hex"
	"fmt"
	"math"
	"testing"
	"time"

	"taolab/sim/trace"
)

// synthetic is a made-up run that looks like a real one: honest miners of three shapes learn at
// their own pace, some answer at random or never train, validators score them with noise.
type synthetic struct {
	manifest Manifest
	random   splitMix
	tempo    uint64
	epochs   int
	rate     []float64 // learning speed per miner
	taken    []uint16  // incentive per miner at the last epoch
	stake    []uint64  // per validator
}

const (
	blockNs    = int64(12e9)
	validators = 8
	newcomer   = 55 // a miner that takes the seat of a hotkey of no node
	joinsAt    = 1000
	miners     = 56
)

func (s *synthetic) uniform() float64 { return float64(s.random.next()>>11) / (1 << 53) }

func (s *synthetic) normal() float64 {
	return math.Sqrt(-2*math.Log(1-s.uniform())) * math.Cos(2*math.Pi*s.uniform())
}

func newSynthetic(epochs int) *synthetic {
	s := &synthetic{random: 7, tempo: 360, epochs: epochs}
	widths := []int{32, 48, 64}
	layers := []int{1, 2, 3}
	for i := range miners {
		n := Node{
			Index: i, Name: fmt.Sprintf("miner-%d", i), Group: fmt.Sprintf("wide%d", widths[i%3]), Kind: KindMiner, Behaviour: Honest,
			UID: uint16(validators + i), HasUID: true, Width: widths[i%3], Layers: layers[i%3],
			Params: uint64(12*widths[i%3]*widths[i%3]*layers[i%3] + 2048*widths[i%3]),
			Duty:   0.2 + 0.8*s.uniform(), HardwareFLOPS: 1e9, Region: "europe",
		}
		switch {
		case i >= 52:
			n.Behaviour, n.Group = "random", "noise"
		case i >= 46:
			n.Behaviour, n.Group = "frozen", "idle"
		}
		s.manifest.Nodes = append(s.manifest.Nodes, n)
		s.rate = append(s.rate, n.Duty*(0.6+0.4*float64(i%3)))
	}
	for v := range validators {
		n := Node{
			Index: miners + v, Name: fmt.Sprintf("validator-%d", v), Group: "validator", Kind: KindValidator,
			Behaviour: Honest, UID: uint16(v), HasUID: true, Routing: "gated", Region: "america",
			StakeRao: uint64(1000*math.Pow(1.6, float64(v))) * 1e9,
		}
		if v == 3 {
			n.Behaviour, n.Group = "lazy", "lazy"
		}
		s.stake = append(s.stake, n.StakeRao)
		s.manifest.Nodes = append(s.manifest.Nodes, n)
	}
	for a := range 7 {
		stake := uint64(0)
		if a > 0 {
			stake = uint64(math.Pow(10, float64(a-1)/1.5) * 1e9)
		}
		s.manifest.Nodes = append(s.manifest.Nodes, Node{
			Index: miners + validators + a, Name: fmt.Sprintf("app-%d", a), Group: "app", Kind: KindApplication,
			StakeRao: stake, Behaviour: Honest, Region: "asia",
		})
	}
	for i := range s.manifest.Nodes {
		s.manifest.Nodes[i].Hotkey = fmt.Sprintf("%064x", i+1)
		s.manifest.Nodes[i].Data = []string{}
	}
	s.describe()
	return s
}

func (s *synthetic) describe() {
	m := &s.manifest
	m.Name, m.Seed = "synthetic", 42
	m.Scenario = []byte(`{"name":"synthetic","description":"a made-up network","validators":[{"name":"validator","power":0.5}],
		"chain":{"era":"finney-2023","tempo_blocks":360},"expect":[
		{"name":"noise earns little","metric":"incentive.random.ratio","comparison":"between","value":[0,0.3]},
		{"name":"too much","metric":"run.epochs","comparison":"==","value":[1000]}]}`)
	m.ScenarioTOML = "name = \"synthetic\"\n"
	m.Blocks = s.tempo * uint64(s.epochs)
	m.VirtualNs = int64(m.Blocks) * blockNs
	m.Started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m.Finished = true
	m.WallSeconds, m.Events, m.FLOP = 312.5, 1_234_567, 3_456_789_012_345
	m.Ended = m.Started.Add(312500 * time.Millisecond)
	m.RunDigest = hex.EncodeToString(make([]byte, 31)) + "2a"
	m.LedgerDigest = hex.EncodeToString(make([]byte, 31)) + "17"
	m.Versions = Versions{"taolab v0.1.0", "go1.26", "linux", "amd64", "avx2"}
	m.Anchors = Anchors{BigramLoss: 4.92, BytesPerToken: 2.9, EquivalentFactor: 1.18,
		Bases: []BaseLoss{{32, 1, 77824, 4.62}, {48, 2, 153600, 4.47}, {64, 3, 278528, 4.36}}}
	m.Warnings = []string{}
}

// loss is a miner's held-out loss at a share of the run.
func (s *synthetic) loss(i int, at float64) float64 {
	n := s.manifest.Nodes[i]
	base := s.manifest.Anchors.Bases[i%3].Loss
	if n.Behaviour != Honest {
		return base
	}
	return base - 1.1*s.rate[i]*(1-math.Exp(-2.2*at))
}

func (s *synthetic) record(r trace.Recorder) {
	issuance := uint64(5_000_000e9)
	s.introduce(r)
	for b := uint64(1); b <= s.manifest.Blocks; b++ {
		t := int64(b) * blockNs
		minted := uint64(1e9) >> min(2*b/s.manifest.Blocks, 1) // it halves
		issuance += minted
		r.Record(trace.Block{Height: b, TimeNs: t, Included: uint32(b % 3), EmissionRao: minted, IssuanceRao: issuance})
		if b%90 == 0 {
			s.train(r, b, t)
		}
		if b%45 == 0 {
			s.ask(r, b, t)
		}
		if b%20 == 0 {
			s.request(r, b, t)
		}
		if b%s.tempo == 0 {
			s.epoch(r, b)
			pending := uint64(7)
			r.Record(trace.Totals{Block: b, MintedRao: issuance, FreeRao: 1e15, BurnedRao: 3e9, PendingRao: pending,
				DustRao: b, StakedRao: issuance - 1e15 - 3e9 - pending - b})
		}
	}
	r.Record(trace.Fault{TimeNs: 5, Node: trace.Some(uint32(3)), Kind: "crash", Detail: "miner-3 stops"})
}

func (s *synthetic) train(r trace.Recorder, block uint64, t int64) {
	at := float64(block) / float64(s.manifest.Blocks)
	for i := range miners {
		l := float32(s.loss(i, at) + 0.012*s.normal())
		for _, subset := range []string{"all", "Pile-CC", "Github"} {
			r.Record(trace.Train{TimeNs: t + int64(i)*1e6, Block: block, Node: uint32(i), UID: trace.Some(uint16(validators + i)), Subset: subset,
				Steps: block / 9, Tokens: block * 30, TrainLoss: &l, HeldOutLoss: l})
		}
	}
}

func (s *synthetic) ask(r trace.Recorder, block uint64, t int64) {
	at := float64(block) / float64(s.manifest.Blocks)
	for v := range validators {
		for range 10 {
			i := int(s.uniform() * miners)
			q := trace.Query{TimeNs: t, Block: block, Step: uint32(block / 45), Validator: uint16(v),
				Node: uint32(miners + v), Peer: trace.Some(uint32(i)), UID: uint16(validators + i),
				Lane: trace.ScoringLane, Rows: 4, Subset: trace.Some("Github"), Code: success}
			q.LatencyNs = int64(4e8 * math.Exp(0.4*s.normal()))
			if s.uniform() < 0.05 {
				q.Code, q.LatencyNs = "Timeout", 12e9
			} else {
				loss := float32(s.loss(i, at) + 0.2*s.normal())
				if s.manifest.Nodes[i].Behaviour == "random" {
					loss = 9
				}
				q.AnswerBytes, q.Loss, q.EquivLoss = 12_000, &loss, trace.Some(loss*1.18)
				q.Base, q.Synergy = trace.Some(math.Exp(logScore(float64(*q.EquivLoss), 0.5))), trace.Some(0.0)
				target := math.Exp(-math.Max(0, float64(*q.EquivLoss)-1.69))
				miss := 0.4*math.Exp(-3*at) + 0.05*s.normal()
				q.Route, q.RoutingLoss = trace.Some(float32(math.Max(target+miss, 0.01))), trace.Some(float32(miss*miss))
			}
			r.Record(q)
			s.answer(r, q, i)
			r.Record(trace.Score{Step: q.Step, Node: q.Node, Validator: q.Validator, Peer: q.Peer, UID: q.UID,
				Lane: q.Lane, Subset: *q.Subset, Loss: q.Loss, Gate: q.Route})
		}
	}
}

// answer tells of two subsets what a question brought; the gate asks the smallest models about Github.
func (s *synthetic) answer(r trace.Recorder, q trace.Query, i int) {
	for k, subset := range []string{"Pile-CC", "Github"} {
		a := trace.Answer{TimeNs: q.TimeNs, Block: q.Block, Step: q.Step, Node: q.Node, Validator: q.Validator,
			Peer: q.Peer, UID: q.UID, Lane: trace.ScoringLane, Subset: subset, Rows: uint32(1 + k), Gate: q.Route}
		if q.Loss != nil {
			a.Loss = trace.Some(*q.Loss + float32(k))
		}
		r.Record(a)
		a.Lane, a.Rows = trace.ServiceLane, uint32(1+3*k*(1-min(i%3, 1)))
		r.Record(a)
	}
}

func (s *synthetic) request(r trace.Recorder, block uint64, t int64) {
	for a := range 7 {
		n := s.manifest.Nodes[miners+validators+a]
		row := trace.Application{TimeNs: t, Block: block, Node: uint32(n.Index), StakeRao: n.StakeRao,
			Session: uint32(block / 20), UID: uint16(validators + int(s.uniform()*miners)), Code: success, Admitted: trace.Some(true)}
		wait := 2.5 / (1 + float64(a))
		row.LatencyNs = int64(1e9 * (0.3 + wait*s.uniform() + 0.05*math.Abs(s.normal())))
		row.Loss, row.EnsembleLoss = trace.Some(float32(3.4)), trace.Some(float32(3.2))
		if s.uniform() < 0.5-0.08*float64(a) {
			row.Code, row.Admitted, row.Loss, row.EnsembleLoss, row.LatencyNs = "Backoff", trace.Some(false), nil, nil, 1e8
		}
		r.Record(row)
	}
}

func (s *synthetic) epoch(r trace.Recorder, block uint64) {
	number := uint32(block/s.tempo) - 1
	at := float64(block) / float64(s.manifest.Blocks)
	quality := make([]float64, miners)
	sum := 0.0
	for i := range miners {
		if s.manifest.Nodes[i].Behaviour != "random" {
			quality[i] = math.Exp(2.4*(4.7-s.loss(i, at))) * (1 + 0.12*s.normal())
		}
		sum += quality[i]
	}
	var staked float64
	for _, v := range s.stake {
		staked += float64(v)
	}
	for v := range validators {
		trust := 0.9 + 0.01*float64(v)
		dividends := float64(s.stake[v]) / staked
		if v == 3 {
			trust, dividends = 0.6, dividends*0.5
		}
		emission := uint64(0.5 * 360e9 * dividends)
		s.stake[v] += emission
		r.Record(trace.Epoch{Epoch: number, Block: block, UID: uint16(v), Node: trace.Some(uint32(miners + v)), StakeRao: s.stake[v],
			Dividends: uint16(65535 * dividends), ValidatorTrust: uint16(65535 * trust), EmissionRao: emission,
			Active: true, Permit: true})
		for i := range miners {
			w := quality[i] / sum * (1 + 0.15*s.normal())
			weight := uint16(math.Min(65535, math.Max(0, 65535*w*miners/6)))
			if weight == 0 {
				continue
			}
			to := uint16(validators + i)
			from, on := trace.Some(uint32(miners+v)), trace.Some(uint32(i))
			r.Record(trace.Weight{Epoch: number, Block: block, From: uint16(v), To: to, FromNode: from, ToNode: on, Weight: uint32(weight)})
			r.Record(trace.Bond{Epoch: number, Block: block, From: uint16(v), To: to, FromNode: from, ToNode: on,
				Bond: uint64(float64(weight) * (0.6 + 0.05*float64(v)))})
		}
	}
	s.taken = s.taken[:0]
	for i := range miners {
		incentive := uint16(65535 * quality[i] / sum)
		s.taken = append(s.taken, incentive)
		holder := trace.Some(uint32(i))
		if i == newcomer && block < joinsAt {
			holder = nil
		}
		r.Record(trace.Epoch{Epoch: number, Block: block, UID: uint16(validators + i), Node: holder, Incentive: incentive,
			EmissionRao: uint64(0.5 * 360e9 * quality[i] / sum), Consensus: incentive})
	}
}

// introduce records the nodes and their seats.
func (s *synthetic) introduce(r trace.Recorder) {
	for _, n := range s.manifest.Nodes {
		node := trace.Node{Node: uint32(n.Index), Name: n.Name, Group: n.Group, Role: n.Kind, Behaviour: n.Behaviour,
			Region: n.Region, Hotkey: n.Hotkey, StakeRao: n.StakeRao}
		if n.Params > 0 {
			node.Params, node.Duty = &n.Params, &n.Duty
		}
		r.Record(node)
		seat := trace.Seat{UID: n.UID, Node: &node.Node, Hotkey: n.Hotkey, End: "held"}
		if n.Index == newcomer {
			r.Record(trace.Seat{UID: n.UID, Hotkey: "77", UntilBlock: trace.Some(uint64(joinsAt)), End: "pruned", SuccessorNode: &node.Node})
			seat.FromBlock = joinsAt
		}
		if n.HasUID {
			r.Record(seat)
		}
	}
	r.Record(trace.Decision{TimeNs: 5, Block: 1, Node: 3, UID: trace.Some(uint16(3)), Kind: "seat", Choice: "stay",
		IncomeRao: trace.Some(1e9), CostRao: trace.Some(0.5e9)})
	r.Record(trace.Decision{TimeNs: 9, Block: 2, AgeBlocks: 1, Node: 4, Kind: "mix", Choice: "there", Subset: trace.Some("law"), Share: trace.Some(0.25)})
	r.Record(trace.Transaction{Block: 1, Signer: s.manifest.Nodes[0].Hotkey, Kind: "SetWeights", Outcome: "included"})
	r.Record(trace.Transaction{Block: 2, Place: trace.Some(uint32(1)), Kind: "Transfer", Outcome: "rejected", Reason: trace.Some("no money")})
}

// writeSynthetic leaves a whole run in dir, of the given tables only where any is given.
func writeSynthetic(t testing.TB, dir string, selection ...trace.Table) *synthetic {
	t.Helper()
	s := newSynthetic(25)
	w, err := NewWriter(dir, selection...)
	if err != nil {
		t.Fatal(err)
	}
	s.record(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.manifest.Tables = w.Tables()
	if err := WriteManifest(dir, s.manifest); err != nil {
		t.Fatal(err)
	}
	return s
}
