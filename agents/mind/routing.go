package mind

import (
	"fmt"

	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/sim/host"
)

// batch is the text of a step in the form that a routing model reads.
type batch struct {
	tokens []uint16 // [rows x cols]
	rows   int
	cols   int
	labels []uint16 // of each row: the place of its subset among those that the judge reads
}

// router is a judge's routing model and the state of its training.
type router interface {
	gates() int           // uids with a gate
	byRow() bool          // a gate has a score for each row, not one for the batch
	route(batch) host.Job // its result is the scores, by uid or by row and uid
	learn(batch, []Lesson) host.Job
	addSubsets(n int) // the judge reads n more from now on
	startEpoch()
	forget(uid uint16)
	append([]byte) []byte                                       // its state
	fresh() router                                              // one with the same settings, to restore a state into
	restore(c *state.Cursor, config TextJudgeConfig, added int) // after added subsets
}

func newRouter(c TextJudgeConfig) router {
	if c.RowRouter != nil {
		r := &rowRouter{model: c.RowRouter.Clone(), training: c.RowTraining, subsets: c.labelCount()}
		r.means = r.noMeans()
		return r
	}
	r := c.Router
	return &batchRouter{training: c.BatchTraining, model: &lm.Router{
		Trunk: r.Trunk.Clone(),
		Gates: append([]float32(nil), r.Gates...),
		Bias:  append([]float32(nil), r.Bias...),
	}}
}

// batchRouter is the routing model of 2022, which gives each uid one score for a whole batch.
type batchRouter struct {
	model    *lm.Router
	state    lm.RouterState
	training lm.RouterTraining
}

func (r *batchRouter) gates() int { return len(r.model.Bias) }

func (r *batchRouter) byRow() bool { return false }

func (r *batchRouter) route(b batch) host.Job { return routeBatch{r.model, b} }

func (r *batchRouter) learn(b batch, lessons []Lesson) host.Job {
	job := trainBatch{batchRouter: r, batch: b}
	for _, l := range lessons {
		if int(l.UID) < r.gates() {
			job.uids, job.targets = append(job.uids, l.UID), append(job.targets, l.Targets[0])
		}
	}
	if len(job.uids) == 0 {
		return nil
	}
	return job
}

// addSubsets does nothing: a gate is the same for all.
func (r *batchRouter) addSubsets(int) {}

// startEpoch makes the first batch of an epoch take a step, as in the reference validator.
func (r *batchRouter) startEpoch() { r.state.Waiting = r.training.Batches - 1 }

// forget leaves the gate as it is, as in the reference validator.
func (r *batchRouter) forget(uint16) {}

func (r *batchRouter) append(b []byte) []byte {
	return state.AppendPart(state.AppendPart(b, r.model), &r.state)
}

func (r *batchRouter) fresh() router {
	return &batchRouter{training: r.training, model: new(lm.Router)}
}

func (r *batchRouter) restore(c *state.Cursor, want TextJudgeConfig, _ int) {
	c.Part("routing model", func(b []byte) error {
		if err := r.model.UnmarshalBinary(b); err != nil {
			return err
		}
		return sameShape(r.model.Trunk, len(r.model.Bias), 0, want.Router.Trunk, len(want.Router.Bias), 0)
	})
	c.Part("training of the routing model", func(b []byte) error {
		if err := r.state.UnmarshalBinary(b); err != nil {
			return err
		}
		return r.state.Check(r.model)
	})
}

// sameShape returns an error unless a restored routing model has the expected trunk, gates and weights of
// subsets.
func sameShape(own *lm.Model, gates, subsets int, want *lm.Model, wantGates, wantSubsets int) error {
	if own.Config != want.Config || gates != wantGates || subsets != wantSubsets {
		return fmt.Errorf("a routing model of shape %+v with %d gates and %d weights of subsets, expected %+v with %d and %d",
			own.Config, gates, subsets, want.Config, wantGates, wantSubsets)
	}
	return nil
}

// rowRouter gives each uid a score for each row. Where it tells subsets apart, it keeps a table of means by
// uid and subset next to the model.
type rowRouter struct {
	model    *lm.RowRouter
	moments  lm.RowAdam
	training lm.RowTraining
	subsets  int // that it tells apart
	means    *score.SubsetMeans
}

// noMeans returns an empty table of means.
func (r *rowRouter) noMeans() *score.SubsetMeans {
	return score.NewSubsetMeans(r.subsets, score.ServiceLane, len(r.model.Bias))
}

func (r *rowRouter) gates() int { return len(r.model.Bias) }

func (r *rowRouter) byRow() bool { return true }

// table is a copy of the current means; nil where subsets are not told apart.
func (r *rowRouter) table() []float32 {
	if r.subsets == 0 {
		return nil
	}
	return r.means.Targets(r.gates())
}

func (r *rowRouter) route(b batch) host.Job { return routeRows{r.model, b, r.table()} }

func (r *rowRouter) learn(b batch, lessons []Lesson) host.Job {
	job := trainRows{rowRouter: r, batch: b, means: r.table()} // the table before the answers move it
	if r.subsets == 0 {
		job.labels = nil
	}
	for _, l := range lessons {
		for i, row := range l.Rows {
			if int(l.UID) < r.gates() {
				job.pairs = append(job.pairs, lm.RowPair{Row: int(row), UID: l.UID, Target: l.Targets[i]})
			}
		}
		if r.subsets > 0 {
			take(r.means, b.labels, l)
		}
	}
	if len(job.pairs) == 0 && job.labels == nil {
		return nil
	}
	return job
}

// take adds the targets that a uid reached on rows to its means.
func take(means *score.SubsetMeans, subsets []uint16, l Lesson) {
	for i, row := range l.Rows {
		means.Observe(l.UID, l.Lane, int(subsets[row]), l.Targets[i])
	}
}

func (r *rowRouter) addSubsets(n int) {
	if r.subsets == 0 {
		return // it does not tell them apart
	}
	r.model.AddSubsets(n, &r.moments)
	r.means.AddSubsets(n)
	r.subsets += n
}

// startEpoch does nothing: every batch makes a step.
func (r *rowRouter) startEpoch() {}

func (r *rowRouter) forget(uid uint16) {
	r.means.Forget(uid)
	if int(uid) < r.gates() {
		r.model.Forget(int(uid), &r.moments)
	}
}

func (r *rowRouter) append(b []byte) []byte {
	return state.AppendPart(state.AppendPart(state.AppendPart(b, r.model), &r.moments), r.means)
}

func (r *rowRouter) fresh() router {
	return &rowRouter{training: r.training, model: new(lm.RowRouter)}
}

func (r *rowRouter) restore(c *state.Cursor, want TextJudgeConfig, added int) {
	weights := len(want.RowRouter.Subsets)
	if r.subsets = want.labelCount(); r.subsets > 0 {
		r.subsets += added
		weights += added * (want.RowRouter.Trunk.Config.Width + 1)
	}
	c.Part("routing model", func(b []byte) error {
		if err := r.model.UnmarshalBinary(b); err != nil {
			return err
		}
		w := want.RowRouter
		return sameShape(r.model.Trunk, len(r.model.Bias), len(r.model.Subsets), w.Trunk, len(w.Bias), weights)
	})
	c.Part("moments", func(b []byte) error {
		if err := r.moments.UnmarshalBinary(b); err != nil {
			return err
		}
		return r.moments.Check(r.model)
	})
	r.means = r.noMeans()
	c.Part("means by subset", func(b []byte) error { return restoreMeans(r.means, b) })
}

// restoreMeans reads a table of means, whose shape must be that of means.
func restoreMeans(means *score.SubsetMeans, b []byte) error {
	subsets, last := means.Shape()
	if err := means.UnmarshalBinary(b); err != nil {
		return err
	}
	if ownSubsets, ownLast := means.Shape(); ownSubsets != subsets || ownLast != last {
		return fmt.Errorf("means by %d subsets up to lane %d, expected %d up to %d", ownSubsets, ownLast, subsets, last)
	}
	return nil
}

// routeBatch scores every uid on a batch. Its result is one score per gate.
type routeBatch struct {
	model *lm.Router
	batch
}

func (j routeBatch) Work() int64 { return j.model.ForwardFLOP(j.rows, j.cols) }

func (j routeBatch) Tokens() int64 { return int64(j.rows * j.cols) }

func (j routeBatch) Run(s *host.Scratch) []byte {
	scores := make([]float32, len(j.model.Bias))
	Workspace(s).Route(j.model, j.tokens, j.rows, j.cols, scores)
	return wire.EncodeFloats(scores)
}

// trainBatch trains the routing model on a batch and the targets that its peers reached. It changes model and
// state. Its result is the routing loss before the step.
type trainBatch struct {
	*batchRouter
	batch
	uids    []uint16
	targets []float32
}

func (j trainBatch) Work() int64 { return j.model.TrainFLOP(j.rows, j.cols) }

func (j trainBatch) Tokens() int64 { return int64(j.rows * j.cols) }

func (j trainBatch) Run(s *host.Scratch) []byte {
	loss := Workspace(s).TrainRouter(j.model, j.training, &j.state, j.tokens, j.rows, j.cols, j.uids, j.targets)
	return wire.EncodeFloats([]float32{loss})
}

// routeRows scores every uid on every row of a batch. Its result is [rows x gates].
type routeRows struct {
	model *lm.RowRouter
	batch
	means []float32 // [gates x subsets] mean targets; nil without a table
}

func (j routeRows) Work() int64 { return j.model.ForwardFLOP(j.rows, j.cols) }

func (j routeRows) Tokens() int64 { return int64(j.rows * j.cols) }

func (j routeRows) Run(s *host.Scratch) []byte {
	scores := make([]float32, j.rows*len(j.model.Bias))
	Workspace(s).RouteRows(j.model, j.tokens, j.rows, j.cols, j.means, scores)
	return wire.EncodeFloats(scores)
}

// trainRows takes one step of the routing model toward the targets that peers reached on single rows. It
// changes model and moments. Its result is the mean cross-entropy before the step.
type trainRows struct {
	*rowRouter
	batch
	means []float32 // as of routeRows
	pairs []lm.RowPair
}

func (j trainRows) Work() int64 { return j.model.TrainFLOP(j.rows, j.cols, len(j.pairs)) }

func (j trainRows) Tokens() int64 { return int64(j.rows * j.cols) }

func (j trainRows) Run(s *host.Scratch) []byte {
	loss := Workspace(s).TrainRows(j.model, j.training, &j.moments, j.tokens, j.rows, j.cols, j.labels, j.means, j.pairs)
	return wire.EncodeFloats([]float32{loss})
}
