package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/model/base"
	"taolab/model/lm"
	"taolab/model/pile"
)

// checkSubsets refuses subsets of a group that the corpus lacks. For shards this is known only once
// they are read.
func (f *File) checkSubsets(names []string) error {
	check := func(key string, wanted []string) error {
		for _, want := range wanted {
			if !slices.Contains(names, want) {
				return f.noSubset(key, want, names)
			}
		}
		return nil
	}
	for i, g := range f.Miners {
		if err := check(fmt.Sprintf("miners[%d].subsets", i), g.Subsets); err != nil {
			return err
		}
	}
	for i, g := range f.Validators {
		if err := check(fmt.Sprintf("validators[%d].subsets", i), g.Subsets); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) noSubset(key, want string, names []string) error {
	return &settings.Error{Where: f.where(key), Key: key, Fault: fmt.Sprintf("the corpus has no subset %q", want),
		Want: fmt.Sprintf("one of %q", names), Hint: settings.Meant(want, names)}
}

// shardPath is the path of the shards: relative to the file, or for --set to the working directory.
func (f *File) shardPath() string {
	path := f.Corpus.Path
	if !filepath.IsAbs(path) && f.setting("corpus.path") == "" {
		path = filepath.Join(f.Dir, path)
	}
	return path
}

// open opens a file that the scenario names.
func open(path string) (io.ReadCloser, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() { // a device may never end
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// corpusPath is the absolute path of the shards, so that a run can be repeated from another folder.
func (f *File) corpusPath() string {
	if f.Corpus.Kind != "shards" {
		return ""
	}
	path, err := filepath.Abs(f.shardPath())
	if err != nil {
		return f.shardPath()
	}
	return path
}

// Material is the read-only data that the agents of a run share.
type Material = role.Material

// Stage receives the progress of the preparation: done out of total, in the stage's own unit.
type Stage = role.Stage

// Prepare reads or synthesises the corpus, trains the tokenizer and the base models, or takes them
// from the cache. It trains up to workers base models concurrently.
func (f *File) Prepare(ctx context.Context, cache base.Cache, workers int, stage Stage) (*Material, error) {
	if f.Economy() {
		return new(Material), nil
	}
	genesis, _ := f.Heights()
	plan := role.Plan{
		Seed: f.Seed, Open: f.source, Additions: f.Corpus.Additions(f.Seed, f.Time.BlockS,
			genesis), Subsets: f.checkSubsets, Vocab: f.Corpus.Vocab, Shapes: f.shapes(), Training: f.Base,
		Rows: f.Evaluation.Rows, Cols: f.smallestContext(),
		Tokenizer: f.Corpus.Tokenizer, Checkpoints: f.checkpoints(),
	}
	if f.Economy() {
		plan.Open = nil
	}
	m, err := plan.Prepare(ctx, cache, workers, stage)
	var fault *settings.Error
	if errors.As(err, &fault) && fault.Where == "" {
		fault.Where = f.Origin
	}
	return m, err
}

// source opens the corpus that the scenario names.
func (f *File) source() (pile.Source, error) { return f.Corpus.Source(f.Seed, f.shardPath()) }

// minerShapes lists the different model shapes in the order of their first miner.
func (f *File) minerShapes() []lm.Config {
	var shapes []lm.Config
	for i := range f.Miners {
		g := &f.Miners[i]
		if shape := g.Shape(f.Corpus.Vocab); g.Acts().Model && g.Checkpoint == "" && !slices.Contains(shapes, shape) {
			shapes = append(shapes, shape)
		}
	}
	return shapes
}

// checkpoints lists the folders of the models that miners bring, in the order of their first miner.
func (f *File) checkpoints() []string {
	var paths []string
	for i := range f.Miners {
		if path := f.Miners[i].Checkpoint; path != "" && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// shapes lists the shapes of base models: those of miners, then those of routing models.
func (f *File) shapes() []lm.Config {
	shapes := f.minerShapes()
	for i := range f.Validators {
		g := &f.Validators[i]
		shape := g.RouterShape(f.Corpus.Vocab)
		if g.Acts().Asks && g.Routing == "gated" && g.RouterBase && !slices.Contains(shapes, shape) {
			shapes = append(shapes, shape)
		}
	}
	return shapes
}

func (f *File) smallestContext() int {
	context := f.Miners[0].Context
	for _, g := range f.Miners {
		context = min(context, g.Context)
	}
	return context
}
