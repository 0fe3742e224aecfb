package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"taolab/model/lm/kernel"
	"taolab/model/num"
)

// bench is one thing that can be measured.
type bench struct {
	name, unit, doc string

	isa   kernel.ISA // in use meanwhile
	flop  float64    // of a unit of work; 0: a share of the peak would make no sense
	slow  bool       // left out by --quick
	short bool       // a quarter of the others' time is enough
	cores int        // left out by machines that have fewer

	value func(perSecond float64) float64 // what is printed, of units of work a second
	begin func() measurement              // makes what is needed
}

// measurement returns the units of work done a second, over a length of time at least.
type measurement func(length time.Duration) (perSecond float64)

// benchResult is a line of the table. The names are stable.
type benchResult struct {
	Name  string   `json:"name"`
	Value float64  `json:"value"` // median of the rounds
	Unit  string   `json:"unit"`
	Low   float64  `json:"low"` // of the rounds
	High  float64  `json:"high"`
	Peak  *float64 `json:"percent_of_peak"` // median of each round's share of the peak, which is measured in the same round; or null

	values, shares []float64
}

type benchReport struct {
	version
	Processors int           `json:"processors"`
	Clock      string        `json:"clock"`
	Quick      bool          `json:"quick"`
	Rounds     int           `json:"rounds"`
	Results    []benchResult `json:"results"`
}

func newBench() *cobra.Command {
	var (
		quick, asJSON bool
		only          string
	)
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast this machine computes, and how near its limit that is",
		Long: `Measure the processor's multiply-add peak, matrix products, training and inference of models of two
sizes, many models in turn, two workers, the event queue and the ledger's epoch.

Each is measured in several rounds, all after one another in every round, and the median is printed with
the lowest and the highest. Next to each measurement the peak is measured too, in the same round and on
the same instruction set; % is the share of it. docs/reference/bench.md says what each name means.`,
		Example: `  taolab bench
  taolab bench --quick --json
  taolab bench --only train.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list := slices.DeleteFunc(benches(), func(b bench) bool {
				return quick && b.slow || b.cores > runtime.NumCPU() || !strings.HasPrefix(b.name, only)
			})
			if len(list) == 0 {
				left := ""
				if quick {
					left = "; --quick leaves out what takes much memory"
				}
				return code(exitUsage, fmt.Errorf("--only %s: no measurement has a name that begins so; "+
					"docs/reference/bench.md lists them%s", only, left))
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			r, err := runBenches(ctx, list, quick, newConsole(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), r)
			}
			return r.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&quick, "quick", false, "a few seconds: shorter, fewer rounds, without what takes much memory")
	cmd.Flags().StringVar(&only, "only", "", "measure only what has a name that begins with this")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// runBenches measures everything once in each round.
func runBenches(ctx context.Context, list []bench, quick bool, console *console) (*benchReport, error) {
	r := &benchReport{version: currentVersion(), Processors: runtime.NumCPU(), Clock: benchClock, Quick: quick, Rounds: 7}
	length := 150 * time.Millisecond
	if quick {
		r.Rounds, length = 3, 20*time.Millisecond
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer console.clear()
	r.Results = make([]benchResult, len(list))
	measure := make([]measurement, len(list))
	for round := range r.Rounds {
		for i, b := range list {
			if ctx.Err() != nil {
				return nil, code(exitInterrupted, errors.New("interrupted; nothing was printed"))
			}
			console.line(fmt.Sprintf("round %d of %d: %s", round+1, r.Rounds, b.name))
			restore := kernel.Force(b.isa)
			if measure[i] == nil {
				measure[i] = b.begin()
				measure[i](0) // what grows has grown, what is cold is warm
			}
			r.Results[i].add(b, measure[i], length)
			restore()
		}
	}
	r.Results = withRatios(withMeans(r.Results))
	for i := range r.Results {
		r.Results[i].finish()
	}
	return r, nil
}

// add measures once more, and the peak too.
func (r *benchResult) add(b bench, measure measurement, length time.Duration) {
	r.Name, r.Unit = b.name, b.unit
	peak := 0.0
	if b.flop > 0 {
		peak = peakOf(b.isa)(length / 8)
	}
	if b.short {
		length /= 4
	}
	perSecond := measure(length)
	r.values = append(r.values, b.value(perSecond))
	if peak > 0 {
		r.shares = append(r.shares, float64(100*float64(perSecond*b.flop))/peak)
	}
}

func (r *benchResult) finish() {
	r.Value, r.Low, r.High = median(r.values), slices.Min(r.values), slices.Max(r.values)
	if len(r.shares) > 0 {
		share := median(r.shares)
		r.Peak = &share
	}
}

// loop repeats work, which says how much it has done. It looks at the clock, which costs time itself,
// every 0.2 ms or so.
func loop(work func() float64) measurement {
	return func(length time.Duration) float64 {
		done, repeats, start := 0.0, 1, benchTime()
		for last := start; ; {
			for range repeats {
				done += work()
			}
			now := benchTime()
			if now-start >= length && now > start {
				return done / (now - start).Seconds()
			}
			if now-last < 200*time.Microsecond {
				repeats *= 2
			}
			last = now
		}
	}
}

func peakOf(isa kernel.ISA) measurement {
	return loop(func() float64 { return float64(kernel.Peak(isa, 1000)) })
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// geometricMean is the mean of ratios.
func geometricMean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += num.Log(v)
	}
	return num.Exp(sum / float64(len(x)))
}

// withMeans adds, after the matrix products of an instruction set, their geometric mean.
func withMeans(results []benchResult) []benchResult {
	for _, isa := range kernel.Supported() {
		prefix := "matmul." + isa.String() + "."
		others := func(r benchResult) bool { return !strings.HasPrefix(r.Name, prefix) }
		of := slices.DeleteFunc(slices.Clone(results), others)
		if len(of) < 2 {
			continue
		}
		mean := benchResult{Name: prefix + "mean", Unit: of[0].Unit}
		for round := range of[0].values {
			var values, shares []float64
			for _, r := range of {
				values, shares = append(values, r.values[round]), append(shares, r.shares[round])
			}
			mean.values = append(mean.values, geometricMean(values))
			mean.shares = append(mean.shares, geometricMean(shares))
		}
		last := slices.IndexFunc(results, func(r benchResult) bool { return r.Name == of[len(of)-1].Name })
		results = slices.Insert(results, last+1, mean)
	}
	return results
}

// withRatios adds what many models lose and two workers win, where both sides were measured.
func withRatios(results []benchResult) []benchResult {
	find := func(name string) int {
		return slices.IndexFunc(results, func(r benchResult) bool { return r.Name == name })
	}
	for _, r := range benchRatios {
		above, below := find(r.above), find(r.below)
		if above < 0 || below < 0 {
			continue
		}
		ratio := benchResult{Name: r.above + ".ratio", Unit: "x"}
		for round, v := range results[above].values {
			ratio.values = append(ratio.values, v/results[below].values[round])
		}
		results = slices.Insert(results, above+1, ratio)
	}
	return results
}

func (r *benchReport) print(w io.Writer) error {
	fmt.Fprintf(w, "taolab %s (%s), %s %s, %d processors, %s, %s\n\n", r.Version, r.Revision, r.Go, r.Platform,
		r.Processors, r.ISA, r.Clock)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "name\tmedian\tunit\t% of peak\tlow\thigh\t")
	for _, b := range r.Results {
		share := ""
		if b.Peak != nil {
			share = fmt.Sprintf("%.1f", *b.Peak)
		}
		fmt.Fprintf(table, "%s\t%.5g\t%s\t%s\t%.5g\t%.5g\t\n", b.Name, b.Value, b.Unit, share, b.Low, b.High)
	}
	return code(exitFailure, table.Flush())
}
