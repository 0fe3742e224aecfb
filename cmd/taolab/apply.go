package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"taolab/model/whole"
	"taolab/sim/chain"
	"taolab/sim/chain/conformance"
)

type applyFlags struct {
	state, genesis, metagraph, block, out, example string
	asMetagraph                                    bool
}

func newApply() *cobra.Command {
	var flags applyFlags
	cmd := &cobra.Command{
		Use:   "apply (--state FILE | --genesis FILE | --metagraph FILE) [--block FILE]",
		Short: "Apply a block to a state: JSON in, JSON out, nothing else",
		Long: `Read a state, or make one of a genesis or of what a metagraph shows of a network, apply a block to it and print what came of it as JSON:
a receipt for each transaction, the events, digest and totals, and the state after it. Without a
block the state itself is printed. Nothing is remembered, so that another implementation can be
compared block by block; docs/reference/transition.md describes every field.

A file named - is standard input. A refused transaction is a result and not an error. The exit code is 3 if
a file is not what its format demands.`,
		Example: `  taolab apply --example example                                write files to start from
  taolab apply --genesis example/genesis.json --out state.json  make the state at height 0
  taolab apply --state state.json --block example/block.json    apply a block to it
  taolab apply --genesis genesis.json | taolab apply --state - --block block.json
  taolab apply --state state.json --as-metagraph                show the state as a metagraph`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.example != "" {
				if flags != (applyFlags{example: flags.example}) {
					return code(exitUsage, errors.New("--example stands alone"))
				}
				return writeExamples(flags.example, conformance.SampleTransition())
			}
			if one(flags.state, flags.genesis, flags.metagraph) != 1 {
				return code(exitUsage, errors.New("expected either --state, --genesis or --metagraph"))
			}
			if err := onceOnly(flags.state, flags.genesis, flags.metagraph, flags.block); err != nil {
				return err
			}
			if flags.asMetagraph && flags.block != "" && flags.out == "" {
				return code(exitUsage, errors.New("--as-metagraph with --block: expected --out FILE for the metagraph"))
			}
			if flags.out == standardInput {
				return code(exitUsage, errors.New("--out -: expected a file; without --out the state is printed"))
			}
			shown, err := apply(cmd, flags)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(shown)
			return code(exitFailure, err)
		},
	}
	cmd.Flags().StringVar(&flags.state, "state", "", "`file` with a state, or what apply printed before; - is standard input")
	cmd.Flags().StringVar(&flags.genesis, "genesis", "", "`file` with a genesis")
	cmd.Flags().StringVar(&flags.metagraph, "metagraph", "", "`file` with a network's state as others see it; what it lacks is "+
		"filled and named")
	cmd.Flags().StringVar(&flags.block, "block", "", "`file` with the block to apply")
	cmd.Flags().StringVarP(&flags.out, "out", "o", "", "`file` for the state after it, which is not printed then")
	cmd.Flags().BoolVar(&flags.asMetagraph, "as-metagraph", false, "print or write the state as --metagraph reads it, with nothing left to fill")
	cmd.Flags().StringVar(&flags.example, "example", "", "write a genesis and a block into a new `folder`")
	return cmd
}

// apply returns what is to be printed.
func apply(cmd *cobra.Command, flags applyFlags) (shown []byte, err error) {
	read, file := conformance.ReadState, flags.state
	switch {
	case flags.genesis != "":
		read, file = conformance.ReadGenesis, flags.genesis
	case flags.metagraph != "":
		read, file = func(data []byte) (*chain.State, error) { return importMetagraph(cmd, data) }, flags.metagraph
	}
	state, err := readFile(cmd, file, read)
	if err != nil {
		return nil, err
	}
	var done conformance.Transition
	if flags.block != "" {
		block, err := readFile(cmd, flags.block, conformance.ReadBlock)
		if err != nil {
			return nil, err
		}
		if done, err = block.Apply(state); err != nil {
			return nil, code(exitScenario, fmt.Errorf("%s: %w", inputName(flags.block), err))
		}
	}
	printed, appendTo := state, conformance.AppendState
	if flags.asMetagraph {
		appendTo = conformance.AppendMetagraph
	}
	if flags.out != "" {
		if err := replaceFile(flags.out, appendTo(nil, state)); err != nil {
			return nil, code(exitFailure, err)
		}
		printed = nil
	}
	switch {
	case flags.block != "":
		return done.AppendJSON(nil, printed), nil
	case printed != nil:
		return appendTo(nil, state), nil
	}
	return nil, nil
}

// one is how many of some texts are there.
func one(texts ...string) (n int) {
	for _, t := range texts {
		if t != "" {
			n++
		}
	}
	return n
}

// importMetagraph makes a state of a metagraph and says on stderr what had to be filled.
func importMetagraph(cmd *cobra.Command, data []byte) (*chain.State, error) {
	g, filled, err := conformance.ReadMetagraph(data)
	if err != nil {
		return nil, err
	}
	for _, f := range filled {
		fmt.Fprintf(cmd.ErrOrStderr(), "filled %s of %d: %s\n", f.Field, f.Count, f.Value)
	}
	return chain.New(g)
}

// replaceFile writes a file, whole or not at all: it may be the state that was read. What is there
// and no plain file, such as a pipe, is written to.
func replaceFile(name string, text []byte) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, text, 0o644)
	}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	return whole.Write(name, text)
}

// readFile reads a file and what is in it.
func readFile[T any](cmd *cobra.Command, name string, read func([]byte) (T, error)) (v T, err error) {
	data, err := readInput(cmd, name, "a file in JSON", conformance.MaxBytes)
	if err != nil {
		return v, code(exitFailure, err)
	}
	if v, err = read(data); err != nil {
		return v, code(exitScenario, fmt.Errorf("%s: %w", inputName(name), err))
	}
	return v, nil
}
