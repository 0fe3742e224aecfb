package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"taolab/sim/chain/conformance"
)

// vectorFile is what came of one file of vectors.
type vectorFile struct {
	File string `json:"file"`
	conformance.Result
	Error string `json:"error,omitempty"` // why it could not be checked
}

func newVectors() *cobra.Command {
	var asJSON bool
	var example string
	cmd := &cobra.Command{
		Use:   "vectors FILE...",
		Short: "Compare this ledger with files of vectors from another implementation",
		Long: `Read conformance files, let the rules of this ledger compute the same, and print for each file
how many cases passed and the first difference: case, epoch, field, uid, what the file wants and
what came. A file named - is standard input. docs/reference/conformance.md describes the formats.

A case with an unknown member or operation cannot be run: it is named, and the others run. The exit code
is 0 only if every case of every file passed; 4 says that values differ, 3 that a file or a case is not
what its format demands, 1 that a file could not be read.`,
		Example: `  taolab vectors epoch_scenarios.json
  taolab vectors vectors/*.json --json
  taolab vectors --example vectors          write a small file of each format to start from`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 0) == (example == "") {
				return code(exitUsage, fmt.Errorf("vectors: found %s; expected files of vectors, or --example with a folder to write some to; "+
					"%s --help has examples", countOf(args), cmd.CommandPath()))
			}
			if example != "" {
				return writeExamples(example, conformance.SampleVectors())
			}
			if err := onceOnly(args...); err != nil {
				return err
			}
			files, err := checkVectors(cmd, args)
			if asJSON {
				return errors.Join(writeJSON(cmd.OutOrStdout(), files), err)
			}
			return errors.Join(printVectors(cmd.OutOrStdout(), files), err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&example, "example", "", "write small files of vectors into a new `folder`")
	return cmd
}

// checkVectors checks files in their order. The error says what most stands in the way: files that
// could not be read, then those that are not vectors, then differences.
func checkVectors(cmd *cobra.Command, names []string) ([]vectorFile, error) {
	var files []vectorFile
	var unread, invalid []error
	differ := 0
	for _, name := range names {
		f := vectorFile{File: inputName(name)}
		data, err := readInput(cmd, name, "a file in JSON", conformance.MaxBytes)
		if err != nil {
			unread = append(unread, err)
		} else if f.Result, err = conformance.Check(data); err != nil {
			err = fmt.Errorf("%s: %w", f.File, err)
			invalid = append(invalid, err)
		} else if f.Faulty > 0 {
			invalid = append(invalid, faults(f))
		} else if !f.OK() {
			differ++
		}
		if err != nil {
			f.Error = err.Error()
		}
		files = append(files, f)
	}
	switch {
	case len(unread) > 0:
		return files, code(exitFailure, errors.Join(append(unread, invalid...)...))
	case len(invalid) > 0:
		return files, code(exitScenario, errors.Join(invalid...))
	case differ > 0:
		err := fmt.Errorf("%d of %d files differ from this ledger", differ, len(files))
		return files, code(exitExpectation, err)
	}
	return files, nil
}

// faults names what of a file could not be checked.
func faults(f vectorFile) error {
	var all []error
	for _, fault := range f.Faults {
		all = append(all, fmt.Errorf("%s: %s", f.File, fault.String()))
	}
	if more := f.Faulty - len(f.Faults); more > 0 {
		all = append(all, fmt.Errorf("%s: and %d faults more", f.File, more))
	}
	return errors.Join(all...)
}

func printVectors(w io.Writer, files []vectorFile) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "file\tformat\tcases\tpassed\tepochs\tchecks\tfirst difference")
	for _, f := range files {
		first := "none"
		switch {
		case f.Error != "":
			first = "not checked"
		case f.First != nil:
			first = f.First.String()
		case f.Faulty > 0:
			first = fmt.Sprintf("none, but %d faulty", f.Faulty)
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%s\n", filepath.Base(f.File), f.Format, f.Cases,
			f.Passed, f.Epochs, f.Checks, first)
	}
	return code(exitFailure, table.Flush())
}

// writeExamples writes files into a folder that is not there yet.
func writeExamples(folder string, files []conformance.File) error {
	if err := os.Mkdir(folder, 0o755); err != nil {
		return code(exitFailure, fmt.Errorf("%w; expected a new folder", err))
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(folder, f.Name), f.Text, 0o644); err != nil {
			return code(exitFailure, err)
		}
	}
	return nil
}
