package base

import (
	"context"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
)

// arithmeticVersion names the arithmetic that texts and models are made with. A change that moves any
// bit of one raises it, so that no cached entry survives the change.
const arithmeticVersion = 2

// Recipe holds all that a base model depends on besides the text.
type Recipe struct {
	Shape lm.Config
	Seed  uint64
	Steps int     // optimiser steps; 0: the weights it begins with
	Rows  int     // in a batch of the shape's context
	Rate  float64 // of AdamW, after the warm-up
}

// Name is the recipe's shape as one word. It also names the streams from which weights and batches are
// drawn.
func (r Recipe) Name() string { return ShapeName(r.Shape) }

// ShapeName is a shape as one word: width, layers, heads, context, vocabulary.
func ShapeName(c lm.Config) string {
	return fmt.Sprintf("d%d-l%d-h%d-c%d-v%d", c.Width, c.Layers, c.Heads, c.Context, c.Vocab)
}

// Tokens is the number of tokens that the model reads in its training.
func (r Recipe) Tokens() uint64 { return uint64(r.Steps) * uint64(r.Rows*r.Shape.Context) }

// Models trains each recipe's model on up to workers goroutines, or takes it from the cache. It calls
// step after each training step; calls of step and of the cache's Warn never overlap.
func Models(ctx context.Context, store *pile.Store, recipes []Recipe, workers int, cache Cache, step func()) ([]*lm.Model, error) {
	models, faults := make([]*lm.Model, len(recipes)), make([]error, len(recipes))
	var group sync.WaitGroup
	slots := make(chan struct{}, max(workers, 1))
	text := store.Digest()
	step, cache.Warn = oneAtATime(step, cache.Warn)
	for i, recipe := range recipes {
		group.Add(1)
		go func() {
			defer group.Done()
			slots <- struct{}{}
			key := cacheKey("model", arithmeticVersion, text, recipe)
			models[i], faults[i] = take(cache.Shelf, "model-"+key, modelBytes, func() (*lm.Model, error) {
				return recipe.make(ctx, store, key, cache, step)
			})
			<-slots
		}()
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return models, errors.Join(faults...)
}

// oneAtATime serialises calls that come from several goroutines.
func oneAtATime(step func(), warn func(string)) (func(), func(string)) {
	var mutex sync.Mutex
	return func() {
			mutex.Lock()
			defer mutex.Unlock()
			if step != nil {
				step()
			}
		}, func(text string) {
			mutex.Lock()
			defer mutex.Unlock()
			if warn != nil {
				warn(text)
			}
		}
}

// modelBytes estimates a model's memory.
func modelBytes(m *lm.Model) int64 { return 4 * int64(m.Config.Params()) }

// make takes the model from the cache, where it stands under key, or trains it.
func (r Recipe) make(ctx context.Context, store *pile.Store, key string, cache Cache, step func()) (*lm.Model, error) {
	if data := cache.get("model", key); data != nil {
		entry := new(entry)
		err := entry.unmarshal(data)
		if err == nil {
			err = entry.check(ctx, r, store)
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil:
			return entry.model, nil
		}
		cache.refuse("model", key, err.Error())
	}
	entry, err := r.train(ctx, store, step)
	if err != nil {
		return nil, err
	}
	if data, err := entry.append(nil); err == nil {
		cache.keep("model", key, data)
	}
	return entry.model, nil
}

// trainer is a model in the middle of its training.
type trainer struct {
	recipe          Recipe
	model           *lm.Model
	state           *lm.AdamState
	text            *num.Stream // draws the batches
	mix             *pile.Mix
	work            *lm.Workspace
	tokens, targets []uint16
}

// begin returns the training before its first step.
func (r Recipe) begin(store *pile.Store) *trainer {
	streams := num.NewStream(r.Seed, "base/"+r.Name())
	return r.resume(store, lm.New(r.Shape, streams.Sub("weights")), new(lm.AdamState), streams.Sub("text"))
}

func (r Recipe) resume(store *pile.Store, model *lm.Model, state *lm.AdamState, text *num.Stream) *trainer {
	mix, err := store.NewMix(pile.Train, nil)
	if err != nil {
		panic("base: a store without training text was built: " + err.Error())
	}
	n := r.Rows * r.Shape.Context
	return &trainer{
		recipe: r, model: model, state: state, text: text, mix: mix, work: new(lm.Workspace),
		tokens: make([]uint16, n), targets: make([]uint16, n),
	}
}

// steps does the training's steps from, from+1, ... to-1. It reports false if ctx ended first.
func (t *trainer) steps(ctx context.Context, from, to int, step func()) bool {
	r := t.recipe
	for i := from; i < to; i++ {
		if ctx.Err() != nil {
			return false
		}
		t.mix.Batch(t.text, r.Rows, r.Shape.Context, t.tokens, t.targets)
		rate := float32(float64(r.Rate * warmUp(i, r.Steps)))
		t.work.Train(t.model, Optimizer(rate), t.state, t.tokens, t.targets, r.Rows, r.Shape.Context)
		if step != nil {
			step()
		}
	}
	return true
}

// warmUp raises the rate over the first twentieth of the steps. The rate never decays: miners start
// from a base model, and the remaining progress is theirs to make.
func warmUp(i, steps int) float64 {
	return min(float64(i+1)/float64(max(steps/20, 1)), 1)
}

// Optimizer returns AdamW with the usual constants.
func Optimizer(rate float32) lm.AdamW {
	return lm.AdamW{Rate: rate, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: 0.01, ClipNorm: 1}
}

// entry is a trained model with the material to check its training.
type entry struct {
	model *lm.Model
	early [32]byte // digest of the weights after the first checked steps
	late  []byte   // the training before the last checked steps
}

// checkedSteps is the number of steps repeated at each end of a training: one in a hundred.
func (r Recipe) checkedSteps() int { return min(max(r.Steps/100, 1), r.Steps) }

// train does the whole training. It does the first steps twice, which costs little and needs no copies.
func (r Recipe) train(ctx context.Context, store *pile.Store, step func()) (*entry, error) {
	t, e, checked := r.begin(store), new(entry), r.checkedSteps()
	early := r.begin(store)
	if !early.steps(ctx, 0, checked, nil) || !t.steps(ctx, 0, r.Steps-checked, step) {
		return nil, ctx.Err()
	}
	e.early = early.model.Digest()
	var err error
	if e.late, err = t.append(nil); err != nil {
		return nil, err
	}
	if !t.steps(ctx, r.Steps-checked, r.Steps, step) {
		return nil, ctx.Err()
	}
	e.model = t.model
	return e, nil
}

// check repeats both ends of the training and compares.
func (e *entry) check(ctx context.Context, r Recipe, store *pile.Store) error {
	checked := r.checkedSteps()
	first := r.begin(store)
	if !first.steps(ctx, 0, checked, nil) {
		return ctx.Err()
	}
	if first.model.Digest() != e.early {
		return errors.New("its training began with other weights, or by another arithmetic")
	}
	last := r.begin(store)
	if err := last.unmarshal(e.late, r.Steps-checked); err != nil {
		return err
	}
	if !last.steps(ctx, r.Steps-checked, r.Steps, nil) {
		return ctx.Err()
	}
	if last.model.Digest() != e.model.Digest() {
		return errors.New("its weights are not those that its training ends with")
	}
	return nil
}

// append appends a trainer: the model, its moments, and the stream of its batches.
func (t *trainer) append(b []byte) ([]byte, error) { return appendParts(b, t.model, t.state, t.text) }

// unmarshal reads what append wrote after a number of steps.
func (t *trainer) unmarshal(data []byte, steps int) error {
	model := new(lm.Model)
	if err := splitParts(data, model, t.state, t.text); err != nil {
		return err
	}
	if model.Config != t.recipe.Shape || t.state.Step != uint64(steps) || steps > 0 && len(t.state.M) != len(model.Weights) {
		return errors.New("it holds the training of another model")
	}
	t.model = model
	return nil
}

// append appends the digest of the early weights, the model, and the late state.
func (e *entry) append(b []byte) ([]byte, error) {
	b, err := appendParts(append(b, e.early[:]...), e.model)
	return append(b, e.late...), err
}

func (e *entry) unmarshal(data []byte) error {
	e.model = new(lm.Model)
	rest := data[copy(e.early[:], data):]
	if len(rest) < 8 || binary.LittleEndian.Uint64(rest) > uint64(len(rest)-8) {
		return errTooFew(data)
	}
	n := 8 + binary.LittleEndian.Uint64(rest)
	e.late = rest[n:]
	return splitParts(rest[:n], e.model)
}

// appendParts appends each part, preceded by its length (8 bytes, little-endian).
func appendParts(b []byte, parts ...encoding.BinaryAppender) ([]byte, error) {
	for _, part := range parts {
		at := len(b)
		var err error
		if b, err = part.AppendBinary(append(b, make([]byte, 8)...)); err != nil {
			return nil, err
		}
		binary.LittleEndian.PutUint64(b[at:], uint64(len(b)-at-8))
	}
	return b, nil
}

func splitParts(data []byte, parts ...encoding.BinaryUnmarshaler) error {
	rest := data
	for _, part := range parts {
		if len(rest) < 8 || binary.LittleEndian.Uint64(rest) > uint64(len(rest)-8) {
			return errTooFew(data)
		}
		n := 8 + binary.LittleEndian.Uint64(rest)
		if err := part.UnmarshalBinary(rest[8:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes are left over", len(rest))
	}
	return nil
}

func errTooFew(data []byte) error {
	return fmt.Errorf("%d bytes are too few for what they hold", len(data))
}
