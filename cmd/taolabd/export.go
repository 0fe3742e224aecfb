package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/chain"
)

func newExport() *cobra.Command {
	var to reach
	var out, record string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the ledger, or all of its blocks, as canonical bytes",
		Long: `Write the state after the newest block to a file: the canonical bytes, whose digest is the chain's, never a store.
With --record write all blocks since the genesis too, with everything that a replay needs and the digest after
each; the node must have kept them, as node.archive = true does. A node that runs is asked, or --node; otherwise
the folder's own ledger is read.`,
		Example: `  taolabd export --out ledger.state
  taolabd export --out ledger.state --record ledger.blocks`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			from, end, err := sourceOf(cmd.Context(), at, &to)
			if err != nil {
				return err
			}
			state, err := export(from, out, record)
			if err = errors.Join(err, end()); err != nil {
				return command.Code(command.Failure, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s of %s after block %d, digest %s\n", out, state.ChainID(), state.Height(), state.Digest())
			return command.Code(command.Failure, err)
		},
	}
	addHome(cmd)
	to.add(cmd.Flags())
	cmd.Flags().StringVarP(&out, "out", "o", "ledger.state", "`file` for the state, which must not exist")
	cmd.Flags().StringVar(&record, "record", "", "`file` for all blocks since the genesis, which must not exist")
	return cmd
}

// A source gives out a ledger.
type source struct {
	state  func(io.Writer) error
	record func(io.Writer) error
}

// export writes the files that are wanted, each whole or not at all.
func export(from source, out, record string) (*chain.State, error) {
	if err := writeWhole(out, from.state); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	state := new(chain.State)
	if err := state.UnmarshalBinary(data); err != nil {
		return nil, errors.Join(fmt.Errorf("what the node gave is not a state: %w", err), os.Remove(out))
	}
	if record == "" {
		return state, nil
	}
	return state, writeWhole(record, from.record)
}

// writeWhole makes a new file, or none.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: exists already; expected a new file", path)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	err = write(f)
	return errors.Join(err, f.Sync(), f.Close())
}

// sourceOf is a node that runs, or the folder's own ledger, which end closes.
func sourceOf(ctx context.Context, at home, to *reach) (from source, end func() error, err error) {
	if _, err := os.Stat(at.runningFile()); to.node != "" || err == nil {
		node, err := to.dial(at)
		if err != nil {
			return source{}, nil, err
		}
		copied := func(path string) func(io.Writer) error {
			return func(w io.Writer) error { return node.copy(ctx, http.MethodGet, path, nil, w, mostRecord) }
		}
		return source{copied(pathState), copied(pathRecord)}, func() error { return nil }, nil
	}
	release, err := lockHome(at)
	if err != nil {
		return source{}, nil, err
	}
	p, err := openStopped(at)
	if err != nil {
		release()
		return source{}, nil, err
	}
	state := func(w io.Writer) error {
		data, _, err := p.node.Export()
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	return source{state, p.node.WriteRecord}, func() error {
		defer release()
		return p.node.Stop()
	}, nil
}

// openStopped opens the ledger of a node that does not run.
func openStopped(at home) (*process, error) {
	genesis, err := at.readGenesis()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(at.ledger()); errors.Is(err, fs.ErrNotExist) {
		return nil, command.Code(command.Failure, fmt.Errorf("%s: no ledger is there yet; run taolabd node first", at.ledger()))
	}
	settings, err := at.readSettings()
	if err != nil {
		return nil, err
	}
	p := &process{home: at, settings: settings, genesis: genesis, log: silent()}
	return p, command.Code(command.Failure, p.openLedger())
}
