package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"taolab/scenarios/retention"
	"taolab/sim/chain/consensus"
)

type retentionFlags struct {
	out        string
	rules      []string
	kappas     []float64
	penalties  []float64
	shares     []float64
	weightSDs  []float64
	stakeSDs   []float64
	stakes     []float64
	neurons    int
	validators int
	draws      int
	maps       int
	seed       uint64
	workers    int
	asJSON     bool
}

func newRetention() *cobra.Command {
	var flags retentionFlags
	cmd := &cobra.Command{
		Use:   "retention",
		Short: "Map how much utility an honest majority needs to keep its share of the emission",
		Long: `Draw networks of honest neurons and a cabal, run one epoch of a rule on each, and look for the least
utility that lets the honest side retain its share of stake: the share of their weights that honest
validators give to honest servers. It depends on the share that the cabal gives to itself; the utility
needed is that against the worst cabal. See docs/explanation.md, "What a majority can keep".

Flags that take several values make a setting of each combination. A draw has the same random numbers
in every setting, so that settings are compared draw by draw, with the first one.

The folder gets study.json, needed.parquet (a row a draw), contours.parquet (a row a point of a contour),
maps.parquet with --maps, and figures.`,
		Example: `  taolab retention --stakes 0.6 --draws 10
  taolab retention --stakes 0.6 --penalty 1,0.5,0 --draws 30 --out retention/penalty
  taolab retention --rule yuma2,yuma3 --maps 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return runRetention(ctx, flags, cmd.OutOrStdout(), newConsole(cmd.ErrOrStderr()))
		},
	}
	p, f := retention.Published(), cmd.Flags()
	f.StringVarP(&flags.out, "out", "o", "", "folder for the results; must not exist (default runs/retention)")
	f.StringSliceVar(&flags.rules, "rule", []string{string(p.Rule)}, "rules of consensus")
	f.Float64SliceVar(&flags.kappas, "kappa", []float64{p.Kappa}, "shares of stake that make a consensus")
	f.Float64SliceVar(&flags.penalties, "penalty", []float64{p.BondsPenalty}, "bonds penalties, 0 to 1")
	f.Float64SliceVar(&flags.shares, "validator-share", []float64{p.ValidatorShare}, "validators' shares of the emission")
	f.Float64SliceVar(&flags.weightSDs, "weight-sd", []float64{p.WeightSD}, "spreads of weights around their mean")
	f.Float64SliceVar(&flags.stakeSDs, "stake-sd", []float64{p.StakeSD}, "spreads of stakes around their mean")
	f.Float64SliceVar(&flags.stakes, "stakes", retention.PublishedStakes(), "honest shares of stake")
	f.IntVar(&flags.neurons, "neurons", p.Neurons, "neurons of a network")
	f.IntVar(&flags.validators, "validators", p.Validators, "validators among them")
	f.IntVar(&flags.draws, "draws", 30, "networks drawn for each contour")
	f.IntVar(&flags.maps, "maps", 0, "draws of which the whole map is made, 2,601 epochs each")
	f.Uint64Var(&flags.seed, "seed", 1, "seed of the draws")
	f.IntVarP(&flags.workers, "workers", "w", runtime.NumCPU(), "threads; the results are the same for any number")
	f.BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

// study is what the flags ask for.
func (f *retentionFlags) study() *retention.Study {
	s := &retention.Study{Stakes: f.stakes, Draws: f.draws, Maps: f.maps, Seed: f.seed, Workers: f.workers}
	settings := []retention.Setting{{Neurons: f.neurons, Validators: f.validators}}
	// Each flag multiplies the settings by its values, the last one fastest.
	spread := func(n int, set func(*retention.Setting, int)) {
		var out []retention.Setting
		for _, one := range settings {
			for i := range n {
				set(&one, i)
				out = append(out, one)
			}
		}
		settings = out
	}
	spread(len(f.rules), func(s *retention.Setting, i int) { s.Rule = consensus.Name(f.rules[i]) })
	spread(len(f.kappas), func(s *retention.Setting, i int) { s.Kappa = f.kappas[i] })
	spread(len(f.penalties), func(s *retention.Setting, i int) { s.BondsPenalty = f.penalties[i] })
	spread(len(f.shares), func(s *retention.Setting, i int) { s.ValidatorShare = f.shares[i] })
	spread(len(f.weightSDs), func(s *retention.Setting, i int) { s.WeightSD = f.weightSDs[i] })
	spread(len(f.stakeSDs), func(s *retention.Setting, i int) { s.StakeSD = f.stakeSDs[i] })
	s.Settings = settings
	return s
}

func runRetention(ctx context.Context, flags retentionFlags, stdout io.Writer, console *console) error {
	study := flags.study()
	if err := errors.Join(checkWorkers(flags.workers), study.Check()); err != nil {
		return code(exitUsage, fmt.Errorf("retention: %w", err))
	}
	dir, err := makeFolder(flags.out, "retention")
	if err != nil {
		return code(exitFailure, err)
	}
	var done, of atomic.Int64
	study.Progress = func(d, n int) { done.Store(int64(d)); of.Store(int64(n)) }
	begun := time.Now()
	stop := console.watch(func() string {
		if of.Load() == 0 {
			return ""
		}
		return describeStage("contours", done.Load(), of.Load(), time.Since(begun))
	})
	result, err := study.Run(ctx)
	stop()
	if err != nil {
		if errors.Is(err, context.Canceled) {
			err = code(exitInterrupted, errors.New("interrupted; nothing was written"))
		}
		return errors.Join(err, os.RemoveAll(dir))
	}
	wall := time.Since(begun).Seconds()
	console.say("%d epochs in %.1f s, %.3f ms each with %d workers", result.Epochs, wall,
		float64(float64(1e3*wall)*float64(flags.workers))/float64(result.Epochs), flags.workers)
	lines := needs(study, result)
	if err = writeRetention(dir, study, result, lines); err == nil {
		console.say("%s has the tables and figures", dir)
	}
	show := func() error { return printNeeds(stdout, study, lines) }
	if flags.asJSON {
		show = func() error { return writeJSON(stdout, lines) }
	}
	return code(exitFailure, errors.Join(err, show()))
}

// printNeeds prints a table for each setting.
func printNeeds(w io.Writer, s *retention.Study, lines []need) error {
	var b strings.Builder
	for i, n := range lines {
		if i%len(s.Stakes) == 0 {
			fmt.Fprintf(&b, "%s\n", s.Settings[i/len(s.Stakes)])
			fmt.Fprintf(&b, "  %-8s %-26s %-8s %-8s %-8s %-8s %s\n", "stake", "utility needed, mean", "sd", "5 %", "median", "95 %", "against the first setting")
		}
		if n.Without > 0 {
			fmt.Fprintf(&b, "  %-8g none suffices in %d of %d draws\n", n.Stake, n.Without, s.Draws)
			continue
		}
		fmt.Fprintf(&b, "  %-8g %-26s %-8.4f %-8.4f %-8.4f %-8.4f %s\n", n.Stake, span(n.Mean, n.Low, n.High, "%.4f"), n.SD, n.Q5, n.Median, n.Q95,
			span(n.Difference, n.DifferenceLow, n.DifferenceHigh, "%+.4f"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// span is an estimate with its interval, as far as there are such.
func span(mean, low, high *float64, format string) string {
	switch {
	case mean == nil || math.IsNaN(*mean):
		return ""
	case low == nil || high == nil:
		return fmt.Sprintf(format, *mean)
	}
	return fmt.Sprintf(format+" ("+format+" to "+format+")", *mean, *low, *high)
}
