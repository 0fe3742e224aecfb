package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/chain"
	"taolab/sim/journal"
)

func newReplay() *cobra.Command {
	var to reach
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replay [AGENT...]",
		Short: "Do again what agents did, from their journals, and compare it",
		Long: `Hand every event in the journals of the node's agents, or of those that are named, to agents of node.toml
that begin where those began, show them the ledger as it was, run their jobs again, and compare everything that
they do. The first difference is printed and the exit code is 1.

A node keeps journals with node.journal = true, and needs its blocks too, as node.archive = true keeps them. The
agents' tables and the text must be as they were when the journals were written. A journal that a kill cut short
is compared up to its last whole turn. A node may run meanwhile.`,
		Example: `  taolabd replay
  taolabd replay miner-1 validator-1 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			ctx, stop := command.Interruptible(cmd.Context())
			defer stop()
			done, err := replayAgents(ctx, at, &to, args)
			if len(done) == 0 {
				return err
			}
			write := printRepeats
			if asJSON {
				write = writeRepeats
			}
			return errors.Join(err, command.Code(command.Failure, write(cmd.OutOrStdout(), done)))
		},
	}
	addHome(cmd)
	to.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// A repeat is a volume of a journal that was done again, as programs read it.
type repeat struct {
	Agent  string `json:"agent"`
	Life   uint64 `json:"life"`
	Volume uint64 `json:"volume"`
	Turns  uint64 `json:"turns"`
	Acts   uint64 `json:"acts"`
	Jobs   uint64 `json:"jobs"`
	Cut    bool   `json:"cut"`
	Equal  bool   `json:"equal"`
}

// A tome is a volume with as many bytes as it had when the replay began.
type tome struct {
	journal.Volume
	bytes int64
}

// replayAgents does again what agents of a node did.
func replayAgents(ctx context.Context, at home, to *reach, names []string) (done []repeat, err error) {
	p := &process{home: at, log: silent()}
	if p.genesis, err = at.readGenesis(); err != nil {
		return nil, err
	}
	if p.settings, err = at.readSettings(); err != nil {
		return nil, err
	}
	tomes, err := p.tomes(names) // before the blocks, so that these reach as far
	if err != nil {
		return nil, err
	}
	done, err = p.replayAll(ctx, to, tomes)
	if ctx.Err() != nil {
		return done, command.Code(command.Interrupted, err)
	}
	return done, command.Code(command.Failure, err)
}

// replayAll does again what stands in some volumes.
func (p *process) replayAll(ctx context.Context, to *reach, tomes map[string][]tome) (done []repeat, err error) {
	record, err := recordOf(ctx, p.home, to)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, record.Close(), os.Remove(record.Name())) }()
	last, err := chain.Replay(record, nil)
	if err != nil {
		return nil, err
	}
	material, err := p.prepare(ctx)
	if err != nil {
		return nil, err
	}
	residents, err := p.residents(material, last.View(), func(name string) chain.Key {
		key, _ := p.publicKey(name) // which tomes found
		return key
	})
	if err != nil {
		return nil, err
	}
	for _, r := range residents {
		did, err := p.replayOne(ctx, r, tomes[r.Name], record)
		if done = append(done, did...); err != nil {
			return done, err
		}
	}
	return done, nil
}

// tomes are the volumes of some agents, or of all, by their names.
func (p *process) tomes(names []string) (map[string][]tome, error) {
	found := map[string][]tome{}
	for _, a := range p.settings.tables() {
		if len(names) > 0 && !slices.Contains(names, a.Name) {
			continue
		}
		if _, err := p.publicKey(a.Name); err != nil {
			return nil, command.Code(command.Failure, fmt.Errorf("agent %s: %w", a.Name, err))
		}
		volumes, err := journal.Volumes(p.home.agents(), a.Name)
		if err != nil {
			return nil, command.Code(command.Failure, err)
		}
		for _, v := range volumes {
			info, err := os.Stat(p.home.in("agents", v.String()))
			if err != nil {
				return nil, command.Code(command.Failure, err)
			}
			found[a.Name] = append(found[a.Name], tome{v, info.Size()})
		}
	}
	for _, name := range names {
		if len(found[name]) == 0 {
			return nil, command.Code(command.Usage, fmt.Errorf("%s: no journal of an agent %q is here; expected the name of an agent in node.toml that lived under node.journal = true", p.home.agents(), name))
		}
	}
	if len(found) == 0 {
		return nil, command.Code(command.Failure, fmt.Errorf("%s: no journals are here; set node.journal = true and let the node run", p.home.agents()))
	}
	return found, nil
}

// publicKey is the public half of an agent's hotkey.
func (p *process) publicKey(name string) (key chain.Key, err error) {
	for _, a := range p.settings.tables() {
		if a.Name == name {
			return (&keyring{store: p.home.keystore(0), wallet: a.Wallet}).signer(a.Hotkey)
		}
	}
	return key, fmt.Errorf("no agent %q", name)
}

// recordOf is the record of the chain's blocks in a file that is to be removed.
func recordOf(ctx context.Context, at home, to *reach) (record *os.File, err error) {
	from, end, err := sourceOf(ctx, at, to)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	if record, err = os.CreateTemp("", "taolabd-replay-"); err != nil {
		return nil, err
	}
	if err = from.record(record); err == nil {
		_, err = record.Seek(0, io.SeekStart)
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("the ledger's blocks: %w", err), record.Close(), os.Remove(record.Name()))
	}
	return record, err
}

// replayOne does again what one agent did.
func (p *process) replayOne(ctx context.Context, r resident, tomes []tome, record io.ReaderAt) (done []repeat, err error) {
	views, stop, err := p.views(io.NewSectionReader(record, 0, mostRecord))
	if err != nil {
		return nil, err
	}
	defer stop()
	for _, t := range tomes {
		if ctx.Err() != nil {
			return done, context.Cause(ctx)
		}
		f, err := os.Open(p.home.in("agents", t.String()))
		if err != nil {
			return done, err
		}
		got, err := journal.Replay(io.LimitReader(f, t.bytes), r.made.Fresh(), views)
		done = append(done, repeat{r.Name, t.Life, t.Number, got.Turns, got.Acts, got.Jobs, got.Cut, err == nil})
		if err := errors.Join(err, f.Close()); err != nil {
			return done, fmt.Errorf("%s: %w; an agent does the same again only with the release, the tables of node.toml and the text that it had", f.Name(), err)
		}
	}
	return done, nil
}

// views shows the ledger height by height, as its blocks bring it about.
func (p *process) views(record io.Reader) (journal.Views, func(), error) {
	state, err := p.genesis.State()
	if err != nil {
		return nil, nil, err
	}
	view := state.View()
	next, stop := iter.Pull2(func(yield func(chain.View, error) bool) {
		ended := errors.New("nobody looks any more")
		_, err := chain.Replay(record, func(s *chain.State, _ chain.Block, _ chain.Outcome) error {
			if !yield(s.View(), nil) {
				return ended
			}
			return nil
		})
		if err != nil && err != ended {
			yield(chain.View{}, err)
		}
	})
	return func(height uint64) (chain.View, error) {
		for view.Height() < height {
			later, err, more := next()
			if err != nil {
				return chain.View{}, err
			}
			if !more {
				return chain.View{}, fmt.Errorf("the ledger ends at block %d: is the journal of another network?", view.Height())
			}
			view = later
		}
		if view.Height() > height {
			return chain.View{}, fmt.Errorf("block %d comes after block %d: the journals are of several networks", height, view.Height())
		}
		return view, nil
	}, stop, nil
}

func writeRepeats(w io.Writer, done []repeat) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(done)
}

func printRepeats(w io.Writer, done []repeat) error {
	t := columns("<AGENT", "LIFE", "VOLUME", "TURNS", "ACTS", "JOBS", "<RESULT")
	for _, d := range done {
		result := []string{"equal"}
		if !d.Equal {
			result[0] = "differs"
		}
		if d.Cut {
			result = append(result, "up to the kill that cut it short")
		}
		t.row(d.Agent, d.Life, d.Volume, d.Turns, d.Acts, d.Jobs, strings.Join(result, ", "))
	}
	return t.write(w)
}
