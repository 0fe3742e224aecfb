package report

import (
	"encoding/json"
	"fmt"
	"path/filepath"
)

// Files and folders that Write makes.
const (
	SummaryFile   = "summary.json"
	FiguresFolder = "figures"
)

// Write makes the whole report of the run in dir from what the run left there: summary.json, the
// figures as SVG and PNG with their data as CSV, and report.html. A figure whose table was not
// recorded is left out; the page says so. Writing again replaces the files by equal ones.
func Write(dir string) error {
	r, err := Open(dir)
	if err != nil {
		return err
	}
	_, err = r.Write()
	return err
}

// Write makes the report of the run, over its Window, and returns its numbers, even together with an
// error about a file. The tables are read once for both.
func (r *Run) Write() (*Summary, error) {
	f, err := gather(r)
	if err != nil {
		return nil, err
	}
	s := f.summary()
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(r.Dir, SummaryFile), err)
	}
	if err := writeWhole(disk(r.Dir), SummaryFile, append(text, '\n')); err != nil {
		return s, err
	}
	figures, left := f.figures()
	made := make([]drawn, len(figures))
	for i, fig := range figures {
		if made[i], err = fig.save(filepath.Join(r.Dir, FiguresFolder)); err != nil {
			return s, err
		}
	}
	text, err = page(&r.Manifest, s, made, left)
	if err != nil {
		return s, fmt.Errorf("%s: %w", filepath.Join(r.Dir, PageFile), err)
	}
	return s, writeWhole(disk(r.Dir), PageFile, text)
}
