package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"taolab/model/whole"
	"taolab/report"
	"taolab/scenarios/retention"
)

// need is the honest utility that a setting needs at a stake, over all draws. Without a value in some draw there are
// no statistics.
type need struct {
	Setting string   `json:"setting"`
	Stake   float64  `json:"stake"`
	Draws   int      `json:"draws"`
	Without int      `json:"without"` // draws in which no utility suffices
	Mean    *float64 `json:"mean"`
	Low     *float64 `json:"low"` // Student's interval of the mean, 95 %
	High    *float64 `json:"high"`
	SD      float64  `json:"sd"`
	Q5      float64  `json:"q5"`
	Q25     float64  `json:"q25"`
	Median  float64  `json:"median"`
	Q75     float64  `json:"q75"`
	Q95     float64  `json:"q95"`

	Difference     *float64 `json:"difference"` // to the first setting, draw by draw
	DifferenceLow  *float64 `json:"difference_low"`
	DifferenceHigh *float64 `json:"difference_high"`
}

// needs sums the draws of each part up.
func needs(s *retention.Study, r *retention.Result) []need {
	var lines []need
	for i, p := range r.Parts {
		n := need{Setting: s.Settings[p.Setting].String(), Stake: p.Stake, Draws: s.Draws}
		for _, v := range p.Needed {
			if math.IsNaN(v) {
				n.Without++
			}
		}
		if n.Without == 0 {
			n.describe(p.Needed)
			if first := r.Parts[i%len(s.Stakes)]; p.Setting > 0 {
				n.compare(p.Needed, first.Needed)
			}
		}
		lines = append(lines, n)
	}
	return lines
}

func (n *need) describe(values []float64) {
	mean := report.Mean(values)
	n.Mean, n.Low, n.High = &mean.Estimate, mean.Low, mean.High
	for _, v := range values {
		n.SD += float64((v-mean.Estimate)*(v-mean.Estimate)) / float64(max(len(values)-1, 1))
	}
	n.SD = math.Sqrt(n.SD)
	n.Q5, n.Q25, n.Median = report.Quantile(0.05, values), report.Quantile(0.25, values), report.Median(values)
	n.Q75, n.Q95 = report.Quantile(0.75, values), report.Quantile(0.95, values)
}

func (n *need) compare(values, first []float64) {
	differences := make([]float64, len(values))
	for i := range values {
		if differences[i] = values[i] - first[i]; math.IsNaN(differences[i]) {
			return
		}
	}
	d := report.Mean(differences)
	n.Difference, n.DifferenceLow, n.DifferenceHigh = &d.Estimate, d.Low, d.High
}

// writeRetention writes what a study came to into a folder.
func writeRetention(dir string, s *retention.Study, r *retention.Result, lines []need) error {
	study, err := json.MarshalIndent(struct {
		Program  version             `json:"program"`
		Seed     uint64              `json:"seed"`
		Draws    int                 `json:"draws"`
		Maps     int                 `json:"maps"`
		Stakes   []float64           `json:"stakes"`
		Settings []retention.Setting `json:"settings"`
		Epochs   int                 `json:"epochs"`
		Needed   []need              `json:"needed"`
	}{currentVersion(), s.Seed, s.Draws, s.Maps, s.Stakes, s.Settings, r.Epochs, lines}, "", "  ")
	if err != nil {
		return err
	}
	err = errors.Join(whole.Write(filepath.Join(dir, "study.json"), append(study, '\n')),
		retentionTable(dir, "needed.parquet", neededColumns, s, r, neededRows),
		retentionTable(dir, "contours.parquet", contourColumns, s, r, contourRows))
	if s.Maps > 0 {
		err = errors.Join(err, retentionTable(dir, "maps.parquet", mapColumns, s, r, mapRows))
	}
	return errors.Join(err, drawRetention(dir, s, r))
}

var settingColumns = []report.RowColumn{report.Words.Column("rule"), report.Real.Column("kappa"), report.Real.Column("penalty"),
	report.Real.Column("validator_share"), report.Real.Column("weight_sd"), report.Real.Column("stake_sd"), report.Real.Column("stake")}

var (
	neededColumns  = []report.RowColumn{report.Whole.Column("draw"), report.Real.Optional("needed")}
	contourColumns = []report.RowColumn{report.Real.Column("self"), report.Whole.Column("draws"), report.Real.Optional("mean"),
		report.Real.Optional("q5"), report.Real.Optional("q25"), report.Real.Optional("median"), report.Real.Optional("q75"), report.Real.Optional("q95")}
	mapColumns = []report.RowColumn{report.Real.Column("self"), report.Real.Column("utility"), report.Real.Column("retained")}
)

// retentionTable writes a table with a setting's columns before its own.
func retentionTable(dir, name string, columns []report.RowColumn, s *retention.Study, r *retention.Result,
	rows func(p *retention.Part, row func(...any) error) error) error {
	all := append(append([]report.RowColumn{}, settingColumns...), columns...)
	return report.WriteTable(filepath.Join(dir, name), all, func(row func(...any) error) error {
		for i := range r.Parts {
			p := &r.Parts[i]
			one := s.Settings[p.Setting]
			head := []any{string(one.Rule), one.Kappa, one.BondsPenalty, one.ValidatorShare, one.WeightSD, one.StakeSD, p.Stake}
			if err := rows(p, func(values ...any) error { return row(append(head[:len(head):len(head)], values...)...) }); err != nil {
				return err
			}
		}
		return nil
	})
}

func neededRows(p *retention.Part, row func(...any) error) error {
	for draw, v := range p.Needed {
		if err := row(int64(draw), v); err != nil {
			return err
		}
	}
	return nil
}

func contourRows(p *retention.Part, row func(...any) error) error {
	for i, self := range retention.Selves() {
		band := p.Band(i)
		values := []any{self, int64(len(band)), report.Mean(band).Estimate}
		for _, q := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
			values = append(values, report.Quantile(q, band))
		}
		if err := row(values...); err != nil {
			return err
		}
	}
	return nil
}

func mapRows(p *retention.Part, row func(...any) error) error {
	utilities := retention.Utilities()
	for i, self := range retention.Selves() {
		for j, retained := range p.Map[i] {
			if err := row(self, utilities[j], retained); err != nil {
				return err
			}
		}
	}
	return nil
}

// Words of the figures' axes.
const (
	selfWords    = "share of its weights that the cabal gives itself"
	utilityWords = "honest utility"
)

// drawRetention draws contours and maps of each setting, and over the stakes what all settings need.
func drawRetention(dir string, s *retention.Study, r *retention.Result) error {
	needed := report.Bands{
		Name: "retention-needed", Title: "Honest utility needed to retain stake", Across: "honest share of stake", Up: utilityWords,
		Caption: fmt.Sprintf("Least utility with which the honest side retains its stake against any cabal, over %d drawn networks.", s.Draws),
	}
	for k, setting := range s.Settings {
		parts := r.Parts[k*len(s.Stakes) : (k+1)*len(s.Stakes)]
		line := report.BandLine{Label: setting.String()}
		if len(s.Settings) > 1 {
			line.Label = differing(s.Settings, k)
		}
		for _, p := range parts {
			line.Places = append(line.Places, report.FanPlace{X: p.Stake, Values: sound(p.Needed)})
		}
		needed.Lines = append(needed.Lines, line)
		if err := drawSetting(dir, fmt.Sprintf("-%d", k+1), setting, parts, s.Draws); err != nil {
			return err
		}
	}
	if len(s.Stakes) < 2 {
		return nil
	}
	return report.WriteBands(dir, needed)
}

func sound(values []float64) (out []float64) {
	for _, v := range values {
		if !math.IsNaN(v) {
			out = append(out, v)
		}
	}
	return out
}

// drawSetting draws a setting's contours and its maps.
func drawSetting(dir, suffix string, setting retention.Setting, parts []retention.Part, draws int) error {
	contours := report.Bands{
		Name: "retention-contours" + suffix, Title: "Contours of retained stake", Across: selfWords, Up: utilityWords,
		Caption: fmt.Sprintf("Least honest utility that retains each stake, over %d drawn networks: %s.", draws, setting),
	}
	maps := report.HeatMaps{
		Name: "retention-maps" + suffix, Title: "Honest share of the emission", Across: "cabal's weights on itself", Up: utilityWords,
		Scale: "honest share of the emission", X: retention.Selves(), Y: retention.Utilities(), High: 1,
		Caption: fmt.Sprintf("Mean over the mapped networks; on the line and above it the honest side retains its stake: %s.", setting),
	}
	for i := range parts {
		p := &parts[i]
		line, middle := report.BandLine{Label: fmt.Sprintf("stake %g", p.Stake)}, []float64{}
		for k, self := range retention.Selves() {
			band := p.Band(k)
			line.Places = append(line.Places, report.FanPlace{X: self, Values: band})
			middle = append(middle, report.Median(band))
		}
		contours.Lines = append(contours.Lines, line)
		if p.Map != nil {
			maps.Maps = append(maps.Maps, report.HeatMap{Label: line.Label, Values: p.Map, Line: middle})
		}
	}
	err := report.WriteBands(dir, contours)
	if len(maps.Maps) > 0 {
		err = errors.Join(err, report.WriteHeatMaps(dir, maps))
	}
	return err
}

// differing names what setting k has that not all settings have.
func differing(settings []retention.Setting, k int) string {
	parts := make([][]string, len(settings))
	for i, s := range settings {
		parts[i] = s.Parts()
	}
	var words []string
	for j, part := range parts[k] {
		for i := range parts {
			if parts[i][j] != part {
				words = append(words, part)
				break
			}
		}
	}
	return strings.Join(words, ", ")
}
