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
	var out string
	var blocks bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the ledger, or all of its blocks, as canonical bytes",
		Long: `Write the state after the newest block to a file, as taolab fork and any other reader of states takes it: the
canonical bytes, whose digest is the chain's, never a store. A node that runs is asked, or --node; otherwise the
folder's own ledger is read.

With --blocks write all blocks since the genesis instead, with everything that the ledger was given: taolab
replay does them again and compares every app hash. The node must have kept them, as node.archive = true does.`,
		Example: `  taolabd export --out ledger.state
  taolabd export --blocks --out chain.blocks`,
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
			write := from.export
			if blocks {
				write = from.exportBlocks
			}
			said, err := write(out)
			if err = errors.Join(err, end()); err != nil {
				return command.Code(command.Failure, err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), said)
			return command.Code(command.Failure, err)
		},
	}
	addHome(cmd)
	to.add(cmd.Flags())
	cmd.Flags().StringVarP(&out, "out", "o", "ledger.state", "`file` to write, which must not exist")
	cmd.Flags().BoolVar(&blocks, "blocks", false, "write all blocks since the genesis, for taolab replay")
	return cmd
}

// A source gives out a ledger.
type source struct {
	state  func(io.Writer) error
	record func(io.Writer) error
	now    func() (chainID string, height uint64, err error)
}

// export writes the state to a file, whole or not at all.
func (from source) export(out string) (said string, err error) {
	if err := writeWhole(out, from.state); err != nil {
		return "", err
	}
	data, err := os.ReadFile(out)
	if err != nil {
		return "", err
	}
	state := new(chain.State)
	if err := state.UnmarshalBinary(data); err != nil {
		return "", errors.Join(fmt.Errorf("what the node gave is not a state: %w", err), os.Remove(out))
	}
	return fmt.Sprintf("%s of %s after block %d, digest %s", out, state.ChainID(), state.Height(), state.Digest()), nil
}

// exportBlocks writes all blocks to a file, whole or not at all.
func (from source) exportBlocks(out string) (said string, err error) {
	chainID, height, err := from.now()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s of %s up to block %d", out, chainID, height), writeWhole(out, from.record)
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
	if to.node == "" {
		release, busy := lockHome(at)
		if busy == nil { // no node runs there, whatever one that was killed left
			return folderSource(at, release)
		}
		if _, err := os.Stat(at.runningFile()); err != nil {
			return source{}, nil, busy
		}
	}
	node, err := to.dial(at)
	if err != nil {
		return source{}, nil, err
	}
	copied := func(path string) func(io.Writer) error {
		return func(w io.Writer) error { return node.copy(ctx, http.MethodGet, path, nil, w, mostRecord) }
	}
	now := func() (string, uint64, error) {
		s, err := node.status(ctx)
		return s.ChainID, s.Height, err
	}
	return source{copied(pathState), copied(pathRecord), now}, func() error { return nil }, nil
}

// folderSource is the ledger of a folder that is locked for it.
func folderSource(at home, release func()) (from source, end func() error, err error) {
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
	now := func() (string, uint64, error) { return p.genesis.ChainID, p.node.View().Height(), nil }
	return source{state, p.node.WriteRecord, now}, func() error {
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
