package sweep

import (
	"fmt"
	"os"
	"path/filepath"

	"taolab/report"
)

// place is where the folder of a run lies in that of its sweep.
func (r Run) place() string { return filepath.Join("runs", r.Key.String()[:16]) }

// KeptRuns lists the folders of the runs of a sweep that kept their traces, in the order of the design; none where
// dir is not the folder of a sweep. Runs that failed or are missing are left out.
func KeptRuns(dir string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(dir, DesignFile)); err != nil {
		return nil, nil
	}
	d, err := ReadDesign(dir)
	if err != nil {
		return nil, err
	}
	var kept []string
	for i := range d.Runs() {
		run := filepath.Join(dir, d.Run(i).place())
		if m, err := report.ReadManifest(run); err == nil && m.Finished {
			kept = append(kept, run)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("%s: none of the %d runs of the sweep has a folder; expected traces, which taolab sweep --keep traces leaves", dir, d.Runs())
	}
	return kept, nil
}
