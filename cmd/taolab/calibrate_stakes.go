package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"taolab/report"
	"taolab/scenarios/calibration"
)

func printStakes(b *strings.Builder, s *calibration.StakeFit) {
	fmt.Fprintf(b, "%d of %d seats have stake; below %.4g TAO the median is %.4g\n", s.Holders, s.Seats, s.Threshold, s.Median)
	for _, line := range []struct {
		name string
		calibration.Estimate
	}{{"stake spread", s.Spread}, {"share in the tail", s.Tail}, {"tail exponent", s.Exponent}} {
		fmt.Fprintf(b, "  %-17s %.4f (%.4f to %.4f)\n", line.name, line.Value, line.Low, line.High)
	}
	fmt.Fprintf(b, "held out: %d stakes, error %.4f, %.1f %% explained\n", s.HeldOut, s.RMSE, float64(100*s.Explained))
}

// writeStakes writes a row for each stake, by its rank.
func writeStakes(dir string, s *calibration.StakeFit) error {
	columns := []report.RowColumn{report.Whole.Column("held_out"), report.Real.Column("log_stake_tao"), report.Real.Column("predicted"),
		report.Real.Column("residual")}
	return report.WriteTable(filepath.Join(dir, "stakes.parquet"), columns, func(row func(...any) error) error {
		for _, p := range s.Places {
			held := int64(0)
			if p.Held {
				held = 1
			}
			if err := row(held, p.Log, p.Predicted, p.Log-p.Predicted); err != nil {
				return err
			}
		}
		return nil
	})
}

// marksOfStakes is how many stakes of a kind a figure shows at most.
const marksOfStakes = 400

func drawStakes(dir string, s *calibration.StakeFit) error {
	groups := []report.ResidualGroup{{Label: "fitted"}, {Label: "held out"}}
	places := [][]calibration.StakePlace{s.Places[:len(s.Places)-s.HeldOut], s.Places[len(s.Places)-s.HeldOut:]}
	for i, list := range places {
		every := len(list)/marksOfStakes + 1
		for k := len(list) - 1; k >= 0; k -= every { // the largest is among them
			groups[i].Points = append(groups[i].Points, report.ResidualPoint{
				Label: fmt.Sprintf("rank %d of %d", k+1, len(list)), Predicted: list[k].Predicted, Residual: list[k].Log - list[k].Predicted,
			})
		}
	}
	return report.WriteResiduals(dir, report.Residuals{
		Name: "calibration-stakes", Title: "Residuals of the stakes", Across: "logarithm of the stake in TAO at this rank, fitted", Up: "residual",
		Caption: fmt.Sprintf("Stakes of %d seats against what the fit has at their ranks: below %.4g TAO a normal distribution of the "+
			"logarithms, above it a power law. Those held out took no part in the fit.", s.Holders, s.Threshold),
		Groups: groups,
	})
}
