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
	f, err := gather(r)
	if err != nil {
		return err
	}
	s := f.summary()
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, SummaryFile), err)
	}
	if err := writeWhole(disk(dir), SummaryFile, append(text, '\n')); err != nil {
		return err
	}
	figures, left := f.figures()
	made := make([]drawn, len(figures))
	for i, fig := range figures {
		if made[i], err = fig.save(filepath.Join(dir, FiguresFolder)); err != nil {
			return err
		}
	}
	text, err = page(&r.Manifest, s, made, left)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, PageFile), err)
	}
	return writeWhole(disk(dir), PageFile, text)
}
