package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"taolab/model/base"
	"taolab/report"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// DefaultSync is the longest time until rows are synced to disk: less than a minute, including the time to
// write them.
const DefaultSync = 45 * time.Second

// Experiment is the life of a run in its own folder: Begin, Prepare, Run, and Judge or Discard. A run that
// resumes from a snapshot begins in the folder of the interrupted run; a fork begins in a new one. From Begin
// on the folder is useful even if the program is killed: it has run.json and the scenario, and its tables
// hold the rows that were synced.
type Experiment struct {
	File     *File
	Dir      string // new and empty, unless the run resumes in it
	Cache    base.Cache
	Workers  int
	Paranoid bool // check the ledger's invariants after every step
	Versions report.Versions

	// Now returns wall time, for the manifest and the times of syncs; no event depends on it.
	Now func() time.Time
	// SyncEvery is the longest time between two of them; 0 means DefaultSync.
	SyncEvery time.Duration
	// SnapshotEvery is the longest time between two snapshots; 0 means none. SnapshotAt are heights of
	// additional ones, each taken right after the block.
	SnapshotEvery time.Duration
	SnapshotAt    []uint64
	// From is the snapshot that the run continues from; nil: it starts at the beginning. Parent is the run
	// that it was forked from.
	From   *Snapshot
	Parent *report.Parent
	// Warn receives failures that the run survives; it may be nil.
	Warn func(text string)
	// Killed repeats a run that was killed, and so writes no rows of the seats held at the end.
	Killed bool
	// Adjust, if set, changes the network before the run.
	Adjust func(*virtual.Config)

	// What Prepare makes. It keeps Material that is already set, so that runs can share it.
	Material *Material
	World    *virtual.World

	change     func(*virtual.World) error // of a fork, before the run
	manifest   *report.Manifest
	rows       *report.Behind     // in front of the tables
	stop       context.CancelFunc // stops the world between two events
	begun      time.Time          // when the world started
	lived      time.Duration      // of wall time
	heapBefore uint64
	kept       time.Time     // when the newest snapshot was written, or the world started
	writing    time.Duration // of all snapshots
	syncing    time.Duration // of rows, while the world waited
	savedBlock uint64        // up to which all rows are whole on disk
	unwritten  error         // why run.json cannot be written
}

// Begin writes the scenario and a first run.json into the folder, unless the run resumes there.
func (e *Experiment) Begin() error {
	e.stop = func() {}
	if e.resumes() {
		return nil
	}
	writer, err := report.NewWriter(e.Dir, e.File.Tables()...)
	if err != nil {
		return err
	}
	e.rows = report.NewBehind(writer, e.stopwatch)
	e.manifest = &report.Manifest{
		Name: e.File.Scenario.Name, Seed: e.File.Seed, Scenario: e.File.resolved(), ScenarioTOML: e.File.Text,
		CorpusPath: e.File.corpusPath(), Recorded: e.File.Tables(), Versions: e.Versions, Started: e.Now().UTC(),
		Parent: e.Parent,
	}
	return errors.Join(report.WriteScenario(e.Dir, e.File.Text), report.WriteManifest(e.Dir, *e.manifest))
}

// Prepare makes the agents' material and the network. Its errors are faults of the scenario or of its corpus,
// or ctx's.
func (e *Experiment) Prepare(ctx context.Context, stage Stage) error {
	if e.Material == nil {
		material, err := e.File.Prepare(ctx, e.Cache, e.Workers, stage)
		if err != nil {
			return err
		}
		e.Material = material
	}
	e.heapBefore = heapBytes()
	options := Options{Workers: e.Workers, Recorder: recording{e}, Paranoid: e.Paranoid}
	if e.From != nil {
		options.Recorder = nil // the tables already hold the rows of nodes
	}
	network, err := e.File.Build(e.Material, options)
	if err != nil {
		return err
	}
	network.Config.Recorder = recording{e}
	network.Config.Stopwatch = e.stopwatch
	if e.Adjust != nil {
		e.Adjust(&network.Config)
	}
	before := e.manifest
	e.manifest = e.File.Manifest(e.Material, network)
	e.manifest.Versions = e.Versions
	if e.From != nil {
		return e.restore(network.Config)
	}
	e.manifest.Started = before.Started
	e.World, err = virtual.New(network.Config)
	return err
}

// stopwatch is the wall time in nanoseconds since the world started.
func (e *Experiment) stopwatch() int64 { return int64(e.Now().Sub(e.begun)) }

// recording passes rows to the tables, and ends the run soon after one that cannot be written.
type recording struct{ e *Experiment }

func (r recording) Record(row trace.Row) {
	if seat, ok := row.(trace.Seat); ok && seat.UntilBlock == nil && r.e.Killed {
		return
	}
	r.e.rows.Record(row)
	r.stopWhereNothingIsWritten()
}

// RecordRows implements trace.RowsRecorder.
func (r recording) RecordRows(rows trace.Rows) {
	r.e.rows.RecordRows(rows)
	r.stopWhereNothingIsWritten()
}

func (r recording) stopWhereNothingIsWritten() {
	if r.e.rows.Failed() {
		r.e.stop()
	}
}

// Run runs the network until its last block or until ctx ends, and leaves tables and manifest in the folder.
// It is not an error if ctx ends the run: the manifest tells. A run that fails leaves the rows recorded so
// far.
func (e *Experiment) Run(ctx context.Context) (*report.Manifest, error) {
	m := e.manifest
	if err := report.WriteManifest(e.Dir, *m); err != nil { // now with the nodes, which rows name
		return nil, err
	}
	if e.From != nil {
		if err := e.goOn(); err != nil {
			return nil, err
		}
	}
	err := e.live(ctx)
	if len(e.rows.Writer().Tables()) > 0 && e.unwritable() == nil {
		e.save() // so a kill while the tables are merged loses nothing
	}
	e.rows.Writer().Close()
	m.Ended = e.Now().UTC()
	if full := e.unwritable(); full != nil {
		err = full
	}
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	p := e.World.Progress()
	m.Finished = err == nil && p.Height == p.Blocks
	m.Interrupted = err == nil && !m.Finished
	if err != nil {
		m.Fault, _, _ = strings.Cut(err.Error(), "\n")
	}
	m.Cost = e.cost()
	if unsaved := e.tell(); unsaved != nil && err == nil {
		return nil, unsaved
	}
	return m, err
}

// live runs the world, and from time to time syncs the tables between two events, so that run.json and the
// tables on disk agree.
func (e *Experiment) live(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v\n%s", p, debug.Stack())
		}
	}()
	e.begun, e.kept = e.Now(), e.Now()
	err = e.liveBetweenSyncs(ctx)
	if errors.Is(err, context.Canceled) && e.SnapshotEvery > 0 && e.sync() == nil {
		e.tryToKeep(false)
	}
	e.lived = e.Now().Sub(e.begun)
	e.World.Close()
	return err
}

func (e *Experiment) liveBetweenSyncs(ctx context.Context) error {
	every := cmp.Or(e.SyncEvery, DefaultSync)
	if e.SnapshotEvery > 0 {
		every = min(every, e.SnapshotEvery)
	}
	for {
		slice, cancel := context.WithTimeout(ctx, every)
		e.stop = cancel
		e.World.PauseAt(e.nextAsked())
		err := e.World.Run(slice)
		cut, asked := slice.Err() != nil, errors.Is(err, virtual.ErrPaused)
		cancel()
		switch {
		case err == nil || e.unwritable() != nil || !cut && !asked:
			return err
		case ctx.Err() != nil && !asked:
			return context.Canceled
		}
		if err := e.sync(); err != nil {
			return err
		}
		if asked || e.SnapshotEvery > 0 && e.Now().Sub(e.kept) >= e.SnapshotEvery {
			e.tryToKeep(asked)
		}
	}
}

// sync saves while the world waits.
func (e *Experiment) sync() error {
	from := e.Now()
	defer func() { e.syncing += e.Now().Sub(from) }()
	return e.save()
}

// save syncs the tables and writes their extent to run.json.
func (e *Experiment) save() error {
	if err := e.rows.Writer().Sync(); err != nil {
		return err
	}
	if e.unwritten = e.tell(); e.unwritten == nil {
		e.savedBlock = e.manifest.Blocks
	}
	return e.unwritten
}

// tell rewrites run.json.
func (e *Experiment) tell() error {
	e.manifest.WallSeconds = time.Duration(e.spent().wall).Seconds()
	e.manifest.Tables = e.rows.Writer().Tables()
	Finish(e.manifest, e.World)
	return report.WriteManifest(e.Dir, *e.manifest)
}

// unwritable is the error of rows that cannot be written, with the extent of the tables and the remedy.
func (e *Experiment) unwritable() error {
	err := errors.Join(e.rows.Writer().Err(), e.unwritten)
	if err == nil {
		return nil
	}
	rows := uint64(0)
	for _, t := range e.rows.Writer().Tables() {
		rows += t.Rows
	}
	remedy := "or choose another folder, and run again"
	if list, _ := Snapshots(e.Dir); len(list) > 0 {
		remedy = "and go on with taolab resume"
	}
	return fmt.Errorf("the run was ended because it cannot be written: %w; %d rows are whole in %s, all up to "+
		"block %d among them, and taolab report shows them; free space there %s", err, rows, e.Dir, e.savedBlock, remedy)
}

// Judge compares the run with the scenario's expectations.
func (e *Experiment) Judge() ([]report.Verdict, error) {
	run, err := report.Open(e.Dir)
	if err != nil {
		return nil, err
	}
	summary, err := report.Summarise(run)
	if err != nil {
		return nil, err
	}
	return e.File.Judge(e.manifest, summary), nil
}

// Judge compares a run's numbers with the scenario's expectations.
func (f *File) Judge(m *report.Manifest, s *report.Summary) []report.Verdict {
	verdicts := make([]report.Verdict, len(f.Expect))
	for i, e := range f.Expect {
		verdicts[i] = e.Judge(m, s)
	}
	return verdicts
}

// Discard removes the folder of a run that never began, or whose rows are whole elsewhere. It keeps the
// folder of a run that was to resume in it.
func (e *Experiment) Discard() error {
	if e.resumes() {
		return nil
	}
	return os.RemoveAll(e.Dir)
}
