package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/snapshot"
	"taolab/sim/virtual"
)

// SnapshotsFolder is the folder of snapshots in a run's folder.
const SnapshotsFolder = "snapshots"

const (
	snapshotEnding = ".snapshot"
	askedPrefix    = "block-" // of snapshots at a stated height; they are never removed
	newestKept     = 2        // of the others
)

// Snapshot is a file from which a run can resume. Its first section holds the snapshot's time, between
// two events, and the run's state outside the world; the others hold the world.
type Snapshot struct {
	Path   string
	Asked  bool // at a height that the user named
	Height uint64
	Events uint64
	Run    chain.Digest // of the run up to here
	Ledger chain.Digest
	spent  spent
	tables []byte // state of the writer
}

// spent is the wall time that a run took up to a moment, in nanoseconds, in all processes.
type spent struct{ wall, jobs, ownJobs, waiting, snapshots int64 }

// layout codes the first section.
func (s *Snapshot) layout(c *snapshot.Coder) {
	snapshot.Number(c, &s.Height)
	snapshot.Number(c, &s.Events)
	c.Array(s.Run[:])
	c.Array(s.Ledger[:])
	for _, ns := range []*int64{&s.spent.wall, &s.spent.jobs, &s.spent.ownJobs, &s.spent.waiting, &s.spent.snapshots} {
		snapshot.Number(c, ns)
	}
	c.Blob(&s.tables)
}

// name is the file's name: names of one run's snapshots sort by time.
func (s *Snapshot) name() string {
	if s.Asked {
		return fmt.Sprintf("%s%012d%s", askedPrefix, s.Height, snapshotEnding)
	}
	return fmt.Sprintf("%012d-%015d%s", s.Height, s.Events, snapshotEnding)
}

// compare orders the snapshots of one run by time.
func (s *Snapshot) compare(o *Snapshot) int {
	return cmp.Or(cmp.Compare(s.Height, o.Height), cmp.Compare(s.Events, o.Events))
}

// Snapshots lists the snapshots in a run's folder, the newest first, and an error for each file that
// is not a snapshot of this release.
func Snapshots(dir string) (list []*Snapshot, faults []error) {
	paths, err := filepath.Glob(filepath.Join(globEscaped(filepath.Join(dir, SnapshotsFolder)), "*"+snapshotEnding))
	if err != nil {
		return nil, []error{err}
	}
	for _, path := range paths {
		s := &Snapshot{Path: path, Asked: strings.HasPrefix(filepath.Base(path), askedPrefix)}
		if err := snapshot.Open(path, s.begin); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
			continue
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b *Snapshot) int { return b.compare(a) })
	return list, faults
}

// globEscaped turns a folder's name into a pattern that matches only it.
func globEscaped(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// begin reads the first section.
func (s *Snapshot) begin(in *snapshot.Reader) error {
	b, err := in.Section()
	if err != nil {
		return snapshot.ErrDamaged
	}
	c := snapshot.Read(b)
	s.layout(c)
	return c.End()
}

// Verify reads the whole file and returns an error if it is damaged.
func (s *Snapshot) Verify() error {
	f, err := os.Open(s.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := snapshot.Verify(f); err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	return nil
}

// restore makes the world of the snapshot.
func (s *Snapshot) restore(config virtual.Config) (world *virtual.World, err error) {
	err = snapshot.Open(s.Path, func(in *snapshot.Reader) error {
		if err := s.begin(in); err != nil {
			return err
		}
		if world, err = virtual.Restore(config, in); err != nil {
			return err
		}
		if _, err := in.Section(); err != io.EOF {
			return snapshot.ErrDamaged
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path, err)
	}
	return world, nil
}

// keep writes a snapshot of the run's present state, of which all rows must be synced, and removes
// those that are no longer among the newest.
func (e *Experiment) keep(asked bool) error {
	from := e.Now()
	p := e.World.Progress()
	s := &Snapshot{
		Asked: asked, Height: p.Height, Events: p.Events, Run: e.World.Digest(), Ledger: e.World.LedgerDigest(), spent: e.spent(),
	}
	var err error
	if s.tables, err = e.rows.Writer().AppendState(nil); err != nil {
		return err
	}
	folder := filepath.Join(e.Dir, SnapshotsFolder)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	s.Path = filepath.Join(folder, s.name())
	err = snapshot.Save(s.Path, func(out *snapshot.Writer) error {
		c := snapshot.Append(nil)
		s.layout(c)
		if err := errors.Join(c.Err(), out.Section(c.Written())); err != nil {
			return err
		}
		return e.World.WriteSnapshot(context.Background(), out)
	})
	e.kept = e.Now()
	e.writing += e.kept.Sub(from)
	if err != nil {
		return err
	}
	return s.prune(e.Dir)
}

// prune removes the snapshots that are neither among the newest up to this one nor at a stated height.
func (s *Snapshot) prune(dir string) error {
	list, _ := Snapshots(dir)
	newest := 0
	for _, old := range list {
		if old.Asked || old.compare(s) > 0 {
			continue
		}
		if newest++; newest > newestKept {
			if err := os.Remove(old.Path); err != nil {
				return err
			}
		}
	}
	return nil
}

// tryToKeep writes a snapshot, or warns that it cannot: the run continues either way.
func (e *Experiment) tryToKeep(asked bool) {
	if err := e.keep(asked); err != nil && e.Warn != nil {
		e.Warn(fmt.Sprintf("no snapshot at block %d: %v; the run continues, and can only be resumed from an earlier one; "+
			"free space in %s", e.World.Progress().Height, err, e.Dir))
	}
}

// nextAsked is the next height at which a snapshot is wanted, or 0.
func (e *Experiment) nextAsked() uint64 {
	height, next := e.World.Progress().Height, uint64(0)
	for _, at := range e.SnapshotAt {
		if at > height && (next == 0 || at < next) {
			next = at
		}
	}
	return next
}

// spent is the wall time since the beginning of the run, by use.
func (e *Experiment) spent() spent {
	var before spent
	if e.From != nil {
		before = e.From.spent
	}
	p := e.World.Progress()
	return spent{
		wall: before.wall + e.stopwatch(), jobs: before.jobs + p.JobNs, ownJobs: before.ownJobs + p.LoopNs,
		waiting: before.waiting + p.WaitNs + e.rows.WaitNs() + int64(e.syncing), snapshots: before.snapshots + int64(e.writing),
	}
}

// resumes reports whether the run resumes in the folder of the interrupted one.
func (e *Experiment) resumes() bool { return e.From != nil && e.Parent == nil }

// restore makes the world and the writer from the snapshot. It changes no file.
func (e *Experiment) restore(config virtual.Config) (err error) {
	m := e.manifest
	if e.resumes() {
		before, err := report.ReadManifest(e.Dir)
		if err != nil {
			return err
		}
		m.Started, m.Parent = before.Started, before.Parent
		m.Resumed = append(before.Resumed, e.From.Height)
	} else {
		m.Started, m.Parent = e.Now().UTC(), e.Parent
	}
	if e.World, err = e.From.restore(config); err != nil {
		return err
	}
	if e.change != nil {
		if err := e.change(e.World); err != nil {
			return err
		}
	}
	writer, err := report.Reopen(e.Dir, e.From.tables, e.File.Tables()...)
	if err != nil {
		return err
	}
	e.rows, e.manifest.Tables = report.NewBehind(writer, e.stopwatch), writer.Tables()
	e.savedBlock = e.From.Height
	Finish(m, e.World)
	return nil
}

// goOn puts the tables into the state of the snapshot.
func (e *Experiment) goOn() error {
	if e.Parent != nil {
		return e.rows.Writer().Copy(e.Parent.Folder)
	}
	unfinished, err := filepath.Glob(filepath.Join(globEscaped(filepath.Join(e.Dir, SnapshotsFolder)), "*.partial"))
	for _, path := range unfinished { // nobody can read them
		err = errors.Join(err, os.Remove(path))
	}
	return errors.Join(err, e.rows.Writer().Cut())
}

// DefaultSnapshots is the time between two snapshots of a run with models.
const DefaultSnapshots = 30 * time.Minute
