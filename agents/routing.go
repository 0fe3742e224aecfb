package agents

import (
	"fmt"

	"taolab/agents/mind"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/sim/host"
)

// batch is the text of a step as a routing model reads it.
type batch struct {
	tokens []uint16 // [rows x cols]
	rows   int
	cols   int
	labels []uint16  // of each row: the place of its subset among those that the validator reads
	means  []float32 // [gates x subsets read] mean targets; nil without a table
}

// lesson is what a uid was worth on rows of a batch, between 0 and 1.
type lesson struct {
	uid     uint16
	rows    []uint16
	targets []float32 // of each of the rows
}

// router is a validator's routing model and the state of its training.
type router interface {
	route(batch) host.Job           // its result is the scores, by uid or by row and uid
	train(batch, []lesson) host.Job // nil where there is nothing to learn
	startEpoch()
	forget(uid int)       // clears what was learned of a uid's former hotkey
	append([]byte) []byte // its state
	fresh() router        // one of the same settings, to restore a state into
	restore(*state.Cursor)
	consistent(want ValidatorConfig) error // whether a restored state can be the validator's
}

func newRouter(c ValidatorConfig) router {
	if c.Routing == Gated {
		return &rowRouter{model: c.RowRouter.Clone(), training: c.RowTraining}
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

func (r *batchRouter) route(b batch) host.Job { return routeBatch{r.model, b} }

func (r *batchRouter) train(b batch, lessons []lesson) host.Job {
	if len(lessons) == 0 {
		return nil
	}
	job := trainBatch{batchRouter: r, batch: b}
	for _, l := range lessons {
		job.uids, job.targets = append(job.uids, l.uid), append(job.targets, l.targets[0])
	}
	return job
}

// startEpoch has the first batch of an epoch make a step, as the reference validator's did.
func (r *batchRouter) startEpoch() { r.state.Waiting = r.training.Batches - 1 }

// forget leaves the gate as it is, as the reference validator did.
func (r *batchRouter) forget(int) {}

func (r *batchRouter) append(b []byte) []byte {
	return state.AppendPart(state.AppendPart(b, r.model), &r.state)
}

func (r *batchRouter) fresh() router {
	return &batchRouter{training: r.training, model: new(lm.Router)}
}

func (r *batchRouter) restore(c *state.Cursor) {
	c.Part("routing model", r.model.UnmarshalBinary)
	c.Part("training of the routing model", r.state.UnmarshalBinary)
}

func (r *batchRouter) consistent(c ValidatorConfig) error {
	own, want := r.model, c.Router
	if own.Trunk.Config != want.Trunk.Config || len(own.Bias) != len(want.Bias) {
		return fmt.Errorf("a routing model of shape %+v with %d gates, expected %+v with %d",
			own.Trunk.Config, len(own.Bias), want.Trunk.Config, len(want.Bias))
	}
	return r.state.Check(own)
}

// rowRouter gives each uid a score for each row.
type rowRouter struct {
	model    *lm.RowRouter
	moments  lm.RowAdam
	training lm.RowTraining
}

func (r *rowRouter) route(b batch) host.Job { return routeRows{r.model, b} }

func (r *rowRouter) train(b batch, lessons []lesson) host.Job {
	if len(r.model.Subsets) == 0 {
		b.labels = nil
	}
	job := trainRows{rowRouter: r, batch: b}
	for _, l := range lessons {
		for i, row := range l.rows {
			job.pairs = append(job.pairs, lm.RowPair{Row: int(row), UID: l.uid, Target: l.targets[i]})
		}
	}
	if len(job.pairs) == 0 && b.labels == nil {
		return nil
	}
	return job
}

// startEpoch does nothing: every batch makes a step.
func (r *rowRouter) startEpoch() {}

func (r *rowRouter) forget(uid int) {
	if uid < len(r.model.Bias) {
		r.model.Forget(uid, &r.moments)
	}
}

func (r *rowRouter) append(b []byte) []byte {
	return state.AppendPart(state.AppendPart(b, r.model), &r.moments)
}

func (r *rowRouter) fresh() router {
	return &rowRouter{training: r.training, model: new(lm.RowRouter)}
}

func (r *rowRouter) restore(c *state.Cursor) {
	c.Part("routing model", r.model.UnmarshalBinary)
	c.Part("moments", r.moments.UnmarshalBinary)
}

func (r *rowRouter) consistent(c ValidatorConfig) error {
	own, want := r.model, c.RowRouter
	if own.Trunk.Config != want.Trunk.Config || len(own.Bias) != len(want.Bias) || len(own.Subsets) != len(want.Subsets) {
		return fmt.Errorf("a routing model of shape %+v with %d gates and %d weights of subsets, expected %+v with %d and %d",
			own.Trunk.Config, len(own.Bias), len(own.Subsets), want.Trunk.Config, len(want.Bias), len(want.Subsets))
	}
	return r.moments.Check(own)
}

// routeBatch is the score of every uid on a batch. Its result is one per gate.
type routeBatch struct {
	model *lm.Router
	batch
}

func (j routeBatch) Work() int64 { return j.model.ForwardFLOP(j.rows, j.cols) }

func (j routeBatch) Tokens() int64 { return int64(j.rows * j.cols) }

func (j routeBatch) Run(s *host.Scratch) []byte {
	scores := make([]float32, len(j.model.Bias))
	mind.Workspace(s).Route(j.model, j.tokens, j.rows, j.cols, scores)
	return wire.EncodeFloats(scores)
}

// trainBatch takes a batch, and what its peers were worth, into the training of the routing model. It
// changes model and state. Its result is the routing loss before the step.
type trainBatch struct {
	*batchRouter
	batch
	uids    []uint16
	targets []float32
}

func (j trainBatch) Work() int64 { return j.model.TrainFLOP(j.rows, j.cols) }

func (j trainBatch) Tokens() int64 { return int64(j.rows * j.cols) }

func (j trainBatch) Run(s *host.Scratch) []byte {
	loss := mind.Workspace(s).TrainRouter(j.model, j.training, &j.state, j.tokens, j.rows, j.cols, j.uids, j.targets)
	return wire.EncodeFloats([]float32{loss})
}

// routeRows is the score of every uid on every row of a batch. Its result is [rows x gates].
type routeRows struct {
	model *lm.RowRouter
	batch
}

func (j routeRows) Work() int64 { return j.model.ForwardFLOP(j.rows, j.cols) }

func (j routeRows) Tokens() int64 { return int64(j.rows * j.cols) }

func (j routeRows) Run(s *host.Scratch) []byte {
	scores := make([]float32, j.rows*len(j.model.Bias))
	mind.Workspace(s).RouteRows(j.model, j.tokens, j.rows, j.cols, j.means, scores)
	return wire.EncodeFloats(scores)
}

// trainRows is one step of the routing model toward what peers were worth on single rows. It changes
// model and moments. Its result is the mean cross-entropy before the step.
type trainRows struct {
	*rowRouter
	batch
	pairs []lm.RowPair
}

func (j trainRows) Work() int64 { return j.model.TrainFLOP(j.rows, j.cols, len(j.pairs)) }

func (j trainRows) Tokens() int64 { return int64(j.rows * j.cols) }

func (j trainRows) Run(s *host.Scratch) []byte {
	loss := mind.Workspace(s).TrainRows(j.model, j.training, &j.moments, j.tokens, j.rows, j.cols, j.labels, j.means, j.pairs)
	return wire.EncodeFloats([]float32{loss})
}
