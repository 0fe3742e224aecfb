package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"taolab/model/num"
	"taolab/model/whole"
	"taolab/report"
	"taolab/scenarios/calibration"
	"taolab/sim/chain"
	"taolab/sim/chain/conformance"
)

type calibrateFlags struct {
	out     string
	stake   float64
	weight  uint32
	holdOut float64
	draws   int
	seed    uint64
	workers int
	asJSON  bool
}

func newCalibrate() *cobra.Command {
	var flags calibrateFlags
	cmd := &cobra.Command{
		Use:   "calibrate METAGRAPH",
		Short: "Fit quality, disagreement, noise and stakes to a recorded network",
		Long: `Read a network's state as others see it (` + conformance.MetagraphFormat + `, of which taolab apply --example
writes one) and fit three numbers to its weights: how far the miners' qualities spread, how far validators
disagree about what a difference in quality is worth, and the noise of a single weight. All are standard
deviations: of the logarithm of a weight, and of a validator's slope, whose mean is 1.

Where at least fifty seats have stake, the stakes are fitted too: a body with its spread, and a tail that
falls with a power. A state without weights has only these.

A share of the weights and of the stakes takes no part in the fit and shows how far it predicts. The
intervals come from networks drawn with the fitted numbers, those of stakes from resamples. See
docs/explanation.md, "What a metagraph tells".

The folder gets calibration.json, residuals.parquet (a row a weight), stakes.parquet, and figures of the
residuals.`,
		Example: `  taolab calibrate metagraph.json --out calibration
  taolab calibrate metagraph.json --least-weight 1 --hold-out 0.3 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return runCalibrate(ctx, args[0], flags, cmd)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.out, "out", "o", "", "folder for the results; must not exist (default runs/calibration)")
	f.Float64Var(&flags.stake, "least-stake", 0.001, "least share of the stake of a validator that is heard")
	f.Uint32Var(&flags.weight, "least-weight", 10, "least weight that says something, as the ledger stores it")
	f.Float64Var(&flags.holdOut, "hold-out", 0.2, "share of the weights and stakes that only judge the fit")
	f.IntVar(&flags.draws, "draws", 200, "networks drawn for the intervals")
	f.Uint64Var(&flags.seed, "seed", 1, "seed of the hold-out and of the draws")
	f.IntVarP(&flags.workers, "workers", "w", runtime.NumCPU(), "threads; the results are the same for any number")
	f.BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

// calibrated is what a calibration came to, with all that it depends on.
type calibrated struct {
	Program     version     `json:"program"`
	Metagraph   string      `json:"metagraph"`
	Block       uint64      `json:"block"`
	Neurons     int         `json:"neurons"`
	Seed        uint64      `json:"seed"`
	Draws       int         `json:"draws"`
	Validators  int         `json:"validators"`
	Miners      int         `json:"miners"`
	Weights     int         `json:"weights"`
	Faint       int         `json:"faint_weights"`
	Lone        int         `json:"lone_weights"`
	Flat        int         `json:"flat_weights"`
	LeastStake  float64     `json:"least_stake"`
	LeastWeight uint32      `json:"least_weight"`
	AnswerLoss  *[2]float64 `json:"answer_loss,omitempty"` // of miners in a scenario without models
	*calibration.Result
	Stakes *calibration.StakeFit `json:"stakes,omitempty"`
}

// middleLoss is the loss around which a scenario without models gets losses, as it has by default.
const middleLoss = 4

// answerLoss is a pair for answer_loss whose members, spread evenly between, are weighed with the given spread of
// logarithms: a base score is a loss to the power -0.5/0.076.
func answerLoss(spread float64) [2]float64 {
	factor := num.Exp(float64(float64(math.Sqrt(3)*spread)*0.076) / 0.5)
	return [2]float64{float64(middleLoss / factor), float64(middleLoss * factor)}
}

func runCalibrate(ctx context.Context, path string, flags calibrateFlags, cmd *cobra.Command) error {
	if err := checkWorkers(flags.workers); err != nil {
		return err
	}
	if !(0 <= flags.stake && flags.stake <= 1) {
		return code(exitUsage, fmt.Errorf("--least-stake %v: expected a share from 0 to 1", flags.stake))
	}
	g, err := readFile(cmd, path, func(data []byte) (*chain.Genesis, error) {
		g, _, err := conformance.ReadMetagraph(data)
		return &g, err
	})
	if err != nil {
		return err
	}
	c := calibration.Calibration{
		Graph:   calibration.Read(g, calibration.Selection{StakeShare: flags.stake, Faintest: flags.weight}),
		HoldOut: flags.holdOut, Draws: flags.draws, Seed: flags.seed, Workers: flags.workers,
	}
	stakes := calibration.ReadStakes(g)
	stakes.HoldOut, stakes.Draws, stakes.Seed = flags.holdOut, flags.draws, flags.seed
	weighed := slices.ContainsFunc(g.Records, func(r chain.GenesisRecord) bool { return len(r.Weights) > 0 })
	held := stakes.Check() == nil
	if err := c.Graph.Check(); err != nil && (weighed || !held) {
		return code(exitScenario, fmt.Errorf("%s: %w; lower --least-stake or --least-weight", inputName(path), err))
	}
	if err := c.CheckFlags(); err != nil {
		return code(exitUsage, fmt.Errorf("calibrate: %w", err))
	}
	dir, err := makeFolder(flags.out, "calibration")
	if err != nil {
		return code(exitFailure, err)
	}
	all := calibrated{
		Program: currentVersion(), Metagraph: inputName(path), Block: g.Height, Neurons: len(g.Neurons), Seed: flags.seed, Draws: flags.draws,
		Validators: c.Graph.Validators(), Miners: c.Graph.Miners(), Weights: len(c.Graph.Judgements),
		Faint: c.Graph.Faint, Lone: c.Graph.Lone, Flat: c.Graph.Flat, LeastStake: flags.stake, LeastWeight: flags.weight,
	}
	if weighed {
		if all.Result, err = c.Run(ctx); err == nil {
			loss := answerLoss(all.Result.Spread.Value)
			all.AnswerLoss = &loss
		}
	}
	if held && err == nil {
		all.Stakes, err = stakes.Run(ctx)
	}
	if err != nil {
		return errors.Join(notCalibrated(err, inputName(path)), os.RemoveAll(dir))
	}
	if err = writeCalibration(dir, &all); err == nil {
		newConsole(cmd.ErrOrStderr()).say("%s has the tables and figures", dir)
	}
	show := func() error { return printCalibration(cmd.OutOrStdout(), &all) }
	if flags.asJSON {
		show = func() error { return writeJSON(cmd.OutOrStdout(), all) }
	}
	return code(exitFailure, errors.Join(err, show()))
}

// notCalibrated says why there is no result.
func notCalibrated(err error, path string) error {
	switch {
	case errors.Is(err, context.Canceled):
		return code(exitInterrupted, errors.New("interrupted; nothing was written"))
	case errors.Is(err, calibration.ErrDivided):
		return code(exitScenario, fmt.Errorf("%s: %w; raise --least-stake to hear fewer", path, err))
	}
	return code(exitScenario, fmt.Errorf("%s: %w; lower --hold-out", path, err))
}

func printCalibration(w io.Writer, c *calibrated) error {
	var b strings.Builder
	if c.Result != nil {
		printWeights(&b, c)
	}
	if c.Stakes != nil {
		printStakes(&b, c.Stakes)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printWeights(b *strings.Builder, c *calibrated) {
	fmt.Fprintf(b, "%d weights of %d validators on %d miners; %d were too small, %d too few of their kind, %d of validators that weigh all alike\n",
		c.Weights, c.Validators, c.Miners, c.Faint, c.Lone, c.Flat)
	for _, line := range []struct {
		name string
		calibration.Estimate
	}{{"quality spread", c.Spread}, {"disagreement", c.Disagreement}, {"noise", c.Noise}} {
		fmt.Fprintf(b, "  %-16s %.4f (%.4f to %.4f)\n", line.name, line.Value, line.Low, line.High)
	}
	h := c.HoldOut
	fmt.Fprintf(b, "held out: %d weights, error %.4f (%.4f by each validator's mean), %.1f %% explained, %.1f %% inside their intervals of 95 %%\n",
		h.Judgements, h.RMSE, h.LevelRMSE, float64(100*h.Explained), float64(100*h.Covered))
	fmt.Fprintf(b, "miners of such a spread in a scenario without models: answer_loss = [%.3g, %.3g]\n", c.AnswerLoss[0], c.AnswerLoss[1])
}

// writeCalibration writes what a calibration came to into a folder.
func writeCalibration(dir string, c *calibrated) error {
	err := whole.Replace(filepath.Join(dir, "calibration.json"), 0o644, func(w io.Writer) error { return writeJSON(w, c) })
	if err != nil {
		return err
	}
	if c.Result != nil {
		err = errors.Join(writeWeights(dir, c), drawWeights(dir, c))
	}
	if c.Stakes != nil {
		err = errors.Join(err, writeStakes(dir, c.Stakes), drawStakes(dir, c.Stakes))
	}
	return err
}

// writeWeights writes a row for each weight.
func writeWeights(dir string, c *calibrated) error {
	columns := []report.RowColumn{report.Whole.Column("validator"), report.Whole.Column("miner"), report.Whole.Column("weight"),
		report.Whole.Column("held_out"), report.Real.Column("log_weight"), report.Real.Column("predicted"), report.Real.Column("residual")}
	return report.WriteTable(filepath.Join(dir, "residuals.parquet"), columns, func(row func(...any) error) error {
		for _, r := range c.Residuals {
			held := int64(0)
			if r.Held {
				held = 1
			}
			if err := row(int64(r.Validator), int64(r.Miner), int64(r.Weight), held, r.Log, r.Predicted, r.Log-r.Predicted); err != nil {
				return err
			}
		}
		return nil
	})
}

func drawWeights(dir string, c *calibrated) error {
	fitted, held := report.ResidualGroup{Label: "fitted"}, report.ResidualGroup{Label: "held out"}
	for _, r := range c.Residuals {
		to := &fitted
		if r.Held {
			to = &held
		}
		to.Points = append(to.Points, report.ResidualPoint{
			Label: fmt.Sprintf("%d on %d", r.Validator, r.Miner), Predicted: r.Predicted, Residual: r.Log - r.Predicted,
		})
	}
	return report.WriteResiduals(dir, report.Residuals{
		Name: "calibration-residuals", Title: "Residuals of the calibration", Across: "predicted logarithm of the weight", Up: "residual",
		Caption: fmt.Sprintf("Weights of %d validators on %d miners, around what the quality of the miner and the slope of the validator explain. "+
			"A pattern is what the model lacks; those held out took no part in the fit.", c.Validators, c.Miners),
		Groups: []report.ResidualGroup{fitted, held},
	})
}
