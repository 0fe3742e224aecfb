package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"taolab/sim/chain"
)

// replayed is what a record of a live chain came to when it was done again.
type replayed struct {
	Equal        bool   `json:"equal"`
	ChainID      string `json:"chain_id"`
	From         uint64 `json:"from"` // height of the state before the first block
	Height       uint64 `json:"height"`
	Blocks       uint64 `json:"blocks"`
	Transactions uint64 `json:"transactions"`
	Refused      uint64 `json:"refused"`
	Epochs       uint64 `json:"epochs"`
	Digest       string `json:"digest"`
	Fault        string `json:"fault,omitempty"`
}

// replayRecord does again what the record of a live chain has, and compares the app hash at every height.
func replayRecord(path string, asJSON bool, stdout io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return code(exitFailure, err)
	}
	defer file.Close()
	var r replayed
	state, err := chain.Replay(file, func(_ *chain.State, b chain.Block, o chain.Outcome) error {
		if r.Blocks == 0 {
			r.From = b.Height - 1
		}
		r.Blocks++
		for _, d := range o.Delivered {
			r.Transactions++
			if d.Err != nil || d.Refusal != nil {
				r.Refused++
			}
		}
		for _, e := range o.Events {
			if _, ran := e.(chain.EpochRan); ran {
				r.Epochs++
			}
		}
		return nil
	})
	if state == nil {
		return code(exitFailure, fmt.Errorf("%s: %w; expected a record as taolabd export --blocks writes it", path, err))
	}
	r.ChainID, r.Height, r.Digest, r.Equal = state.ChainID(), state.Height(), state.Digest().String(), err == nil
	if r.Blocks == 0 {
		r.From = r.Height
	}
	if err != nil {
		r.Fault = err.Error()
	}
	if asJSON {
		if err := writeJSON(stdout, r); err != nil {
			return err
		}
	} else if err := r.print(stdout); err != nil {
		return code(exitFailure, err)
	}
	if other := (*chain.Mismatch)(nil); errors.As(err, &other) {
		return code(exitDigest, fmt.Errorf("%s: %w", path, err))
	} else if err != nil {
		return code(exitFailure, fmt.Errorf("%s: %w", path, err))
	}
	return nil
}

func (r *replayed) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "chain\t%s\n", r.ChainID)
	fmt.Fprintf(table, "blocks\t%d, equal app hashes from block %d to block %d\n", r.Blocks, r.From+1, r.From+r.Blocks)
	fmt.Fprintf(table, "transactions\t%d, of which %d were refused\n", r.Transactions, r.Refused)
	fmt.Fprintf(table, "epochs\t%d\n", r.Epochs)
	fmt.Fprintf(table, "digest\t%s\n", r.Digest)
	return table.Flush()
}
