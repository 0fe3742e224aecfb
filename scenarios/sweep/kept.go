package sweep

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"taolab/report"
)

// place is where the folder of a run lies in that of its sweep.
func (r Run) place() string { return filepath.Join("runs", r.Key.String()[:16]) }

// KeptRun is the folder of a run and the values of what is swept there, such as kappa=0.4, tempo_blocks=100.
type KeptRun struct{ Dir, Point string }

// KeptRuns lists the folders of the runs of a sweep that kept their traces, in the order of the design; none where
// dir is not the folder of a sweep. Runs that failed or are missing are left out.
func KeptRuns(dir string) ([]KeptRun, error) {
	if _, err := os.Stat(filepath.Join(dir, DesignFile)); err != nil {
		return nil, nil
	}
	d, err := ReadDesign(dir)
	if err != nil {
		return nil, err
	}
	var kept []KeptRun
	for i := range d.Runs() {
		r := d.Run(i)
		run := filepath.Join(dir, r.place())
		if m, err := report.ReadManifest(run); err == nil && m.Finished {
			kept = append(kept, KeptRun{run, d.named(r.Point)})
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("%s: none of the %d runs of the sweep has a folder; expected traces, which taolab sweep --keep traces leaves", dir, d.Runs())
	}
	return kept, nil
}

// named is a point in words: the last parts of the keys, or the whole keys where those do not differ.
func (d *Design) named(point int) string {
	last := func(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
	seen := map[string]bool{}
	for _, key := range d.Keys {
		seen[last(key)] = true
	}
	var parts []string
	for i, key := range d.Keys {
		if len(seen) == len(d.Keys) {
			key = last(key)
		}
		parts = append(parts, key+"="+strings.Trim(d.Points[point][i], `"`))
	}
	return strings.Join(parts, ", ")
}
