package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"taolab/model/base"
	"taolab/scenarios"
)

func newScenario() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scenario",
		Short: "List, show, write, validate and explain scenarios",
		Example: `  taolab scenario list
  taolab scenario new my.toml --from quickstart
  taolab scenario explain my.toml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newScenarioList(), newScenarioShow(), newScenarioNew(), newScenarioValidate(), newScenarioExplain())
	return cmd
}

func completeScenarios(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return scenarios.Names(), cobra.ShellCompDirectiveDefault
}

func newScenarioList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the scenarios that come with the program", Args: cobra.NoArgs,
		Example: "  taolab scenario list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			type entry struct {
				Name        string `json:"name"`
				Description string `json:"description"`
			}
			var list []entry
			for _, name := range scenarios.Names() {
				file, err := scenarios.Load(name, nil)
				if err != nil {
					return code(exitScenario, err)
				}
				list = append(list, entry{name, file.Description})
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, e := range list {
				fmt.Fprintf(table, "%s\t%s\n", e.Name, e.Description)
			}
			return code(exitFailure, table.Flush())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newScenarioShow() *cobra.Command {
	var sets []string
	var resolved bool
	cmd := &cobra.Command{
		Use: "show SCENARIO", Short: "Print a scenario", Args: cobra.ExactArgs(1),
		ValidArgsFunction: completeScenarios,
		Example: `  taolab scenario show quickstart
  taolab scenario show quickstart --resolved`,
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := scenarios.Load(args[0], sets)
			if err != nil {
				return code(exitScenario, err)
			}
			if resolved || len(sets) > 0 {
				return code(exitFailure, file.WriteTOML(cmd.OutOrStdout(), true))
			}
			_, err = io.WriteString(cmd.OutOrStdout(), file.Text)
			return code(exitFailure, err)
		},
	}
	cmd.Flags().BoolVar(&resolved, "resolved", false, "every key with its value, unit and meaning")
	cmd.Flags().StringArrayVar(&sets, "set", nil, "override a key; prints the resolved form")
	return cmd
}

func newScenarioNew() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use: "new FILE", Short: "Write a scenario file to start from", Args: cobra.ExactArgs(1),
		Example: "  taolab scenario new my.toml --from honest",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !strings.HasSuffix(args[0], ".toml") {
				return code(exitUsage, fmt.Errorf("%s: expected a file name that ends in .toml", args[0]))
			}
			text, err := scenarios.Text(from)
			if err != nil {
				return code(exitScenario, err)
			}
			f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, os.ErrExist) {
				return code(exitFailure, fmt.Errorf("%s: exists already; expected a new file; choose another name", args[0]))
			}
			if err != nil {
				return code(exitFailure, err)
			}
			_, err = io.WriteString(f, text)
			return code(exitFailure, errors.Join(err, f.Close()))
		},
	}
	cmd.Flags().StringVar(&from, "from", "quickstart", "scenario to copy")
	return cmd
}

func newScenarioValidate() *cobra.Command {
	var sets []string
	cmd := &cobra.Command{
		Use: "validate SCENARIO...", Short: "Check scenarios without running them", Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: completeScenarios,
		Example:           "  taolab scenario validate my.toml",
		RunE: func(cmd *cobra.Command, args []string) error {
			var faults []error
			for _, name := range args {
				file, err := scenarios.Load(name, sets)
				if err != nil {
					faults = append(faults, err)
					continue
				}
				tellNotes(cmd.ErrOrStderr(), file)
				fmt.Fprintf(cmd.OutOrStdout(), "%s: valid\n", name)
			}
			return code(exitScenario, errors.Join(faults...))
		},
	}
	cmd.Flags().StringArrayVar(&sets, "set", nil, "override a key")
	return cmd
}

// tellNotes says what a file now means that does not name the current format, and what makes its
// rankings hard to read.
func tellNotes(stderr io.Writer, file *scenarios.File) {
	for _, note := range file.Notes() {
		fmt.Fprintf(stderr, "note: %s: %s\n", file.Origin, note)
	}
	for _, warning := range file.Warnings() {
		fmt.Fprintf(stderr, "warning: %s: %s\n", file.Origin, warning)
	}
}

// explanation is what `scenario explain` prints.
type explanation struct {
	InForce  []scenarios.Setting `json:"in_force"`
	Warnings []string            `json:"warnings"`
	Work     scenarios.Work      `json:"work"`
	FLOPS    float64             `json:"flop_per_s"`
	Seconds  float64             `json:"seconds"`
}

func newScenarioExplain() *cobra.Command {
	var sets []string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "explain SCENARIO", Short: "Print resolved values, scaled limits and what the run will cost here", Args: cobra.ExactArgs(1),
		ValidArgsFunction: completeScenarios,
		Example: `  taolab scenario explain quickstart
  taolab scenario explain my.toml --set time.hours=24`,
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := scenarios.Load(args[0], sets)
			if err != nil {
				return code(exitScenario, err)
			}
			tellNotes(cmd.ErrOrStderr(), file)
			var e explanation
			if e.InForce, err = file.InForce(); err != nil {
				return code(exitScenario, err)
			}
			scale, err := file.Scale(base.DefaultCache())
			if err != nil {
				return code(exitScenario, err)
			}
			e.InForce, e.Warnings = append(e.InForce, scale...), file.Warnings()
			e.Work = file.Work()
			e.FLOPS = speed(file.Probe())
			e.Seconds = e.Work.FLOP / e.FLOPS / float64(runtime.NumCPU())
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), e)
			}
			return code(exitFailure, e.print(cmd.OutOrStdout(), file))
		},
	}
	cmd.Flags().StringArrayVar(&sets, "set", nil, "override a key")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (e explanation) print(w io.Writer, file *scenarios.File) error {
	if err := file.WriteTOML(w, false); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n# What is in force\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range e.InForce {
		fmt.Fprintf(table, "# %s\t%s\t%s\n", s.Name, s.Value, s.Note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `
# What the run will take
# base models  %s tokens
# training     %s tokens
# serving      %s tokens
# measuring    %s tokens
# arithmetic   %s FLOP, about %.0f s on %d cores at the measured %s FLOP/s each
`, short(e.Work.BaseTokens), short(e.Work.TrainTokens), short(e.Work.ServeTokens),
		short(e.Work.MeasureTokens), short(e.Work.FLOP), e.Seconds, runtime.NumCPU(), short(e.FLOPS))
	return err
}

// speed times a probe for about a tenth of a second.
func speed(probe func() int64) float64 {
	probe() // the first call allocates
	start, flop := time.Now(), int64(0)
	for time.Since(start) < 100*time.Millisecond {
		done := probe()
		if done == 0 {
			return 1
		}
		flop += done
	}
	return float64(flop) / time.Since(start).Seconds()
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return code(exitFailure, encoder.Encode(v))
}
