package report

import (
	"encoding/json"
	"fmt"
	"reflect"

	"taolab/sim/trace"
)

// The first release had nine tables. Their rows named actors by uid, told return codes by number,
// and wrote 0 for what had no value. What follows reads them as the rows of today: a uid is that of
// the node that held it at the end of the run, since those tables do not say who held it before.

type firstBlock struct {
	Height      uint64
	TimeNs      int64
	Included    uint32
	Rejected    uint32
	EmissionRao uint64
	IssuanceRao uint64
	Digest      string
}

type firstEpoch struct {
	Epoch          uint32
	Block          uint64
	UID            uint16
	StakeRao       uint64
	Consensus      uint16
	Incentive      uint16
	Dividends      uint16
	ValidatorTrust uint16
	EmissionRao    uint64
	Active         bool
	Permit         bool
}

type firstWeight struct {
	Epoch  uint32
	Block  uint64
	From   uint16
	To     uint16
	Weight uint32
}

type firstBond struct {
	Epoch uint32
	Block uint64
	From  uint16
	To    uint16
	Bond  uint64
}

type firstQuery struct {
	TimeNs      int64
	Block       uint64
	Step        uint32
	Validator   uint16
	UID         uint16
	Subset      string
	Code        uint8
	LatencyNs   int64
	AnswerBytes uint32
	Loss        float32
	EquivLoss   float32
	Base        float64
	Synergy     float64
	Route       float32
	RoutingLoss float32
}

type firstTrain struct {
	TimeNs      int64
	Block       uint64
	UID         uint16
	Subset      string
	Steps       uint64
	Tokens      uint64
	TrainLoss   float32
	HeldOutLoss float32
}

type firstFault struct {
	TimeNs int64
	Peer   uint32
	Kind   string
	Detail string
}

type firstApplication struct {
	TimeNs       int64
	Block        uint64
	Peer         uint32
	StakeRao     uint64
	Session      uint32
	Position     uint32
	UID          uint16
	Code         uint8
	Admitted     bool
	LatencyNs    int64
	Loss         float32
	EnsembleLoss float32
}

// firstTotals had no column for the owner's cut.
type firstTotals struct {
	Block          uint64
	MintedRao      uint64
	FreeRao        uint64
	StakedRao      uint64
	PendingRao     uint64
	BurnedRao      uint64
	DustRao        uint64
	UnallocatedRao uint64
	RecycledRao    uint64
}

func (firstTotals) Table() trace.Table      { return trace.Ledger }
func (firstBlock) Table() trace.Table       { return trace.Blocks }
func (firstEpoch) Table() trace.Table       { return trace.Epochs }
func (firstWeight) Table() trace.Table      { return trace.Weights }
func (firstBond) Table() trace.Table        { return trace.Bonds }
func (firstQuery) Table() trace.Table       { return trace.Queries }
func (firstTrain) Table() trace.Table       { return trace.Training }
func (firstFault) Table() trace.Table       { return trace.Faults }
func (firstApplication) Table() trace.Table { return trace.Applications }

// scanFirst is scan for a run of the first release.
func scanFirst[T trace.Row](r *Run, do func(row T, recorded trace.Row) error) error {
	f, err := newFirstRun(r)
	if err != nil {
		return err
	}
	switch do := any(do).(type) {
	case func(trace.Block, trace.Row) error:
		return translate(r, f.block, do)
	case func(trace.Epoch, trace.Row) error:
		return translate(r, f.epoch, do)
	case func(trace.Weight, trace.Row) error:
		return translate(r, f.weight, do)
	case func(trace.Bond, trace.Row) error:
		return translate(r, f.bond, do)
	case func(trace.Query, trace.Row) error:
		return translate(r, f.query, do)
	case func(trace.Train, trace.Row) error:
		return translate(r, f.train, do)
	case func(trace.Totals, trace.Row) error:
		return translate(r, f.totals, do)
	case func(trace.Fault, trace.Row) error:
		return translate(r, f.fault, do)
	case func(trace.Application, trace.Row) error:
		return translate(r, f.application, do)
	}
	var zero T
	return fmt.Errorf("%s: the first release had no table %s", r.Dir, zero.Table())
}

// translate reads rows of an old type and hands them on as rows of today's.
func translate[O, T trace.Row](r *Run, of func(O) (T, error), do func(T, trace.Row) error) error {
	var zero O
	t := &table{name: zero.Table(), columns: columnsOf(reflect.TypeFor[O]())}
	return scanFiles(r, t, func(old O) error {
		row, err := of(old)
		if err != nil {
			return err
		}
		return do(row, old)
	})
}

// firstRun is what the rows of an old run need of its manifest.
type firstRun struct {
	nodes map[uint16]uint32 // by uid
	rows  map[uint16]uint32 // of text in a question, by the uid of the validator
}

func newFirstRun(r *Run) (*firstRun, error) {
	f := &firstRun{nodes: map[uint16]uint32{}, rows: map[uint16]uint32{}}
	var scenario struct {
		Validators []struct{ Count, Rows uint32 }
	}
	if err := json.Unmarshal(r.Manifest.Scenario, &scenario); err != nil && len(r.Manifest.Scenario) > 0 {
		return nil, fmt.Errorf("%s: scenario: the validators have no count and rows that can be read; "+
			"expected what taolab run wrote", r.path(ManifestFile))
	}
	var rows []uint32 // of each validator
	for _, g := range scenario.Validators {
		for i := uint32(0); i < g.Count && len(rows) < len(r.Manifest.Nodes); i++ {
			rows = append(rows, g.Rows)
		}
	}
	for i, n := range r.Manifest.Nodes {
		if n.HasUID {
			f.nodes[n.UID] = uint32(i)
		}
		if n.Kind == KindValidator && len(rows) > 0 {
			f.rows[n.UID], rows = rows[0], rows[1:]
		}
	}
	return f, nil
}

// node is who held a uid; nil if no node did.
func (f *firstRun) node(uid uint16) *uint32 {
	if i, ok := f.nodes[uid]; ok {
		return &i
	}
	return nil
}

// actor is the node of a uid that some node must have held.
func (f *firstRun) actor(uid uint16) (uint32, error) {
	if i, ok := f.nodes[uid]; ok {
		return i, nil
	}
	return 0, fmt.Errorf("uid %d belongs to no node in %s: one of the two files was changed", uid, ManifestFile)
}

func (f *firstRun) totals(t firstTotals) (trace.Totals, error) {
	return trace.Totals{Block: t.Block, MintedRao: t.MintedRao, FreeRao: t.FreeRao, StakedRao: t.StakedRao,
		PendingRao: t.PendingRao, BurnedRao: t.BurnedRao, DustRao: t.DustRao, UnallocatedRao: t.UnallocatedRao,
		RecycledRao: t.RecycledRao}, nil
}

func (f *firstRun) block(b firstBlock) (trace.Block, error) {
	row := trace.Block{Height: b.Height, TimeNs: b.TimeNs, Included: b.Included, Rejected: b.Rejected,
		EmissionRao: b.EmissionRao, IssuanceRao: b.IssuanceRao}
	if b.Digest != "" {
		row.Digest = &b.Digest
	}
	return row, nil
}

func (f *firstRun) epoch(e firstEpoch) (trace.Epoch, error) {
	return trace.Epoch{Epoch: e.Epoch, Block: e.Block, UID: e.UID, Node: f.node(e.UID), StakeRao: e.StakeRao,
		Consensus: e.Consensus, Incentive: e.Incentive, Dividends: e.Dividends, ValidatorTrust: e.ValidatorTrust,
		EmissionRao: e.EmissionRao, Active: e.Active, Permit: e.Permit}, nil
}

func (f *firstRun) weight(w firstWeight) (trace.Weight, error) {
	return trace.Weight{Epoch: w.Epoch, Block: w.Block, From: w.From, To: w.To,
		FromNode: f.node(w.From), ToNode: f.node(w.To), Weight: w.Weight}, nil
}

func (f *firstRun) bond(b firstBond) (trace.Bond, error) {
	return trace.Bond{Epoch: b.Epoch, Block: b.Block, From: b.From, To: b.To,
		FromNode: f.node(b.From), ToNode: f.node(b.To), Bond: b.Bond}, nil
}

func (f *firstRun) query(q firstQuery) (trace.Query, error) {
	node, err := f.actor(q.Validator)
	row := trace.Query{TimeNs: q.TimeNs, Block: q.Block, Step: q.Step, Node: node, Validator: q.Validator,
		Peer: f.node(q.UID), UID: q.UID, Lane: trace.ScoringLane, Rows: f.rows[q.Validator], Subset: &q.Subset,
		Code: codeName(q.Code), LatencyNs: q.LatencyNs, AnswerBytes: q.AnswerBytes, Route: &q.Route}
	if q.Code == firstSuccess {
		row.Loss, row.EquivLoss, row.RoutingLoss = &q.Loss, &q.EquivLoss, &q.RoutingLoss
		row.Base, row.Synergy = &q.Base, &q.Synergy
	}
	return row, err
}

func (f *firstRun) train(t firstTrain) (trace.Train, error) {
	node, err := f.actor(t.UID)
	row := trace.Train{TimeNs: t.TimeNs, Block: t.Block, Node: node, UID: &t.UID, Subset: t.Subset,
		Steps: t.Steps, Tokens: t.Tokens, HeldOutLoss: t.HeldOutLoss}
	if t.TrainLoss != 0 {
		row.TrainLoss = &t.TrainLoss
	}
	return row, err
}

func (f *firstRun) fault(t firstFault) (trace.Fault, error) {
	return trace.Fault{TimeNs: t.TimeNs, Node: &t.Peer, Kind: t.Kind, Detail: t.Detail}, nil
}

func (f *firstRun) application(a firstApplication) (trace.Application, error) {
	row := trace.Application{TimeNs: a.TimeNs, Block: a.Block, Node: a.Peer, StakeRao: a.StakeRao,
		Session: a.Session, Position: a.Position, Peer: f.node(a.UID), UID: a.UID, Code: codeName(a.Code),
		LatencyNs: a.LatencyNs}
	if a.Admitted || a.Code != firstTimeout {
		row.Admitted = &a.Admitted
	}
	if a.Code == firstSuccess {
		row.Loss = &a.Loss
	}
	if a.EnsembleLoss != 0 {
		row.EnsembleLoss = &a.EnsembleLoss
	}
	return row, nil
}

// Return codes that decide whether a column had a value.
const (
	firstSuccess = 1
	firstTimeout = 2
)

// codeName is the name of a return code, by its number in the first release.
func codeName(code uint8) string {
	names := map[uint8]string{
		0: "NoReturn", 1: "Success", 2: "Timeout", 3: "Backoff", 4: "Unavailable", 5: "NotImplemented",
		6: "EmptyRequest", 7: "EmptyResponse", 8: "InvalidResponse", 9: "InvalidRequest",
		22: "UnknownError", 23: "Unauthenticated",
	}
	if name, ok := names[code]; ok {
		return name
	}
	return fmt.Sprintf("Code%d", code)
}
