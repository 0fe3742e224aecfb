package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"taolab/model/whole"
	"taolab/scenarios"
)

// DesignFile is the design's name in the folder of a sweep.
const DesignFile = "design.json"

// Design is all runs of a sweep, known before the first one.
type Design struct {
	Format       int        `json:"format"`
	Name         string     `json:"name"`
	Program      string     `json:"program"` // the version; another version's runs are different runs
	Base         string     `json:"base"`    // digest of the scenario without its sweep
	Master       uint64     `json:"master"`  // seed from which those of the runs are derived
	Replications int        `json:"replications"`
	Common       bool       `json:"common"`
	Sweep        string     `json:"sweep"` // the settings that made the points
	Keys         []string   `json:"keys"`
	Points       [][]string `json:"points"` // values as TOML, by key
}

// Run is one run of a design.
type Run struct {
	Point, Replication int
	Seed               uint64
	Key                Key
}

// New lists the runs of a file's sweep. Program names the version that makes them.
func New(file *scenarios.File, program string) (*Design, error) {
	base := file.BaseDigest()
	s := &file.Sweep
	d := &Design{
		Format: 1, Name: file.Scenario.Name, Program: program, Base: fmt.Sprintf("%x", base), Master: file.Seed,
		Replications: s.Replications, Common: s.Common, Sweep: s.Design, Keys: []string{},
	}
	for _, k := range s.Keys {
		d.Keys = append(d.Keys, k.Key)
	}
	var err error
	if d.Points, err = points(file.Scenario); err != nil {
		return nil, fmt.Errorf("%s: sweep: %w", file.Origin, err)
	}
	if d.Runs() > maxRuns {
		return nil, fmt.Errorf("%s: sweep: %d runs, expected at most %d; take fewer points or replications", file.Origin, d.Runs(), maxRuns)
	}
	if _, err := file.With(d.Sets(d.Run(0))...); err != nil {
		return nil, fmt.Errorf("%s: the first point of the sweep is refused: %w", file.Origin, err)
	}
	return d, d.seedsDiffer()
}

// Runs is the number of runs.
func (d *Design) Runs() int { return len(d.Points) * d.Replications }

// Run returns the i-th run: all replications of the first point come before those of the second.
func (d *Design) Run(i int) Run {
	r := Run{Point: i / d.Replications, Replication: i % d.Replications}
	point := canonical(d.Keys, d.Points[r.Point])
	r.Seed = Seed(d.Master, uint64(r.Replication), "run", d.seedPoint(point))
	r.Key = Key(hashed("taolab/sweep/point/1\n", []byte(point), []byte(d.Base), []byte(d.Program), little(uint64(r.Replication))))
	return r
}

// seedPoint is the part of a point that enters its runs' seeds: nil where points share seeds.
func (d *Design) seedPoint(point string) []byte {
	if d.Common {
		return nil
	}
	sum := hashed("taolab/sweep/point/1\n", []byte(point))
	return sum[:]
}

// seedsDiffer refuses two replications of a point with one seed.
func (d *Design) seedsDiffer() error {
	for p := range d.Points {
		if d.Common && p > 0 {
			break
		}
		seen := make(map[uint64]int, d.Replications)
		for r := range d.Replications {
			seed := d.Run(p*d.Replications + r).Seed
			if other, met := seen[seed]; met {
				return fmt.Errorf("replications %d and %d of point %d have the seed %d both; take another master seed", other, r, p, seed)
			}
			seen[seed] = r
		}
	}
	return nil
}

// Sets returns the overrides that turn the scenario into a run of the design.
func (d *Design) Sets(r Run) []string {
	sets := []string{fmt.Sprintf("seed=%d", r.Seed)}
	for i, key := range d.Keys {
		sets = append(sets, key+"="+d.Points[r.Point][i])
	}
	return sets
}

func (d *Design) text() ([]byte, error) {
	text, err := json.MarshalIndent(d, "", " ")
	return append(text, '\n'), err
}

// Keep writes the design into a folder, unless it is there already. It refuses a folder with another design.
func (d *Design) Keep(dir string) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	// Shards may start at the same time: each writes its design before anything else, so the folder is listed
	// first.
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, DesignFile)
	switch before, err := os.ReadFile(path); {
	case err == nil && bytes.Equal(before, text):
		return nil
	case err == nil:
		return fmt.Errorf("%s: the folder has another sweep%s; expected the same scenario, settings and program; name a new folder with --out",
			path, d.difference(dir))
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s: the design cannot be read: %w", path, err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".new-") {
			return fmt.Errorf("%s: the folder has %s in it and no %s; expected a new folder or that of a sweep", dir, e.Name(), DesignFile)
		}
	}
	return writeText(path, text)
}

// difference describes the first difference from the design on disk.
func (d *Design) difference(dir string) string {
	old, err := ReadDesign(dir)
	switch {
	case err != nil:
		return ""
	case old.Program != d.Program:
		return fmt.Sprintf(" (made by %s, this is %s)", old.Program, d.Program)
	case old.Base != d.Base:
		return " (of another scenario)"
	case old.Master != d.Master:
		return fmt.Sprintf(" (with the master seed %d)", old.Master)
	}
	return fmt.Sprintf(" (of %d runs at %d points)", old.Runs(), len(old.Points))
}

// ReadDesign reads the design of a sweep's folder.
func ReadDesign(dir string) (*Design, error) {
	path := filepath.Join(dir, DesignFile)
	bad := func(fault string) error {
		return fmt.Errorf("%s: %s; expected the design of a sweep, which taolab sweep writes", path, fault)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, bad("it cannot be read: " + err.Error())
	}
	d := new(Design)
	decode := json.NewDecoder(bytes.NewReader(text))
	decode.DisallowUnknownFields()
	switch err := decode.Decode(d); {
	case err != nil:
		return nil, bad(err.Error())
	case d.Format != 1:
		return nil, bad(fmt.Sprintf("format %d", d.Format))
	case len(d.Points) == 0 || d.Replications < 1 || d.Replications > maxRuns || len(d.Points) > maxRuns/d.Replications:
		return nil, bad(fmt.Sprintf("%d points with %d replications", len(d.Points), d.Replications))
	}
	for i, p := range d.Points {
		if len(p) != len(d.Keys) {
			return nil, bad(fmt.Sprintf("point %d has %d values for %d keys", i, len(p), len(d.Keys)))
		}
	}
	return d, nil
}

func writeText(path string, text []byte) error {
	return writeWhole(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// writeWhole writes a file atomically.
func writeWhole(path string, write func(io.Writer) error) error {
	if err := whole.Replace(path, 0o644, write); err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, err)
	}
	return nil
}
