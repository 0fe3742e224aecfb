package live

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"taolab/model/num"
	"taolab/sim/snapshot"
)

// saved is what outlives the process of a node.
type saved struct {
	name    string
	lives   uint64 // how often it was started
	streams []namedStream
	agent   []byte // as it was read
}

// layout codes the state of a node, the agent's by its own hand.
func (s *saved) layout(c *snapshot.Coder, agent func([]byte) []byte) {
	snapshot.Text(c, &s.name)
	snapshot.Number(c, &s.lives)
	snapshot.List(c, &s.streams, func(x *namedStream) {
		snapshot.Text(c, &x.purpose)
		if x.stream == nil {
			x.stream = new(num.Stream)
		}
		c.Part(x.stream)
	})
	c.BlobBy(&s.agent, agent)
}

// lifeIDs is how many identifiers a life of a node has before those of the next begin.
const lifeIDs = 1 << 32

// statePath is the file of a node's saved state.
func (n *node) statePath() string { return filepath.Join(n.world.cfg.Dir, n.cfg.Name+".state") }

// restore gives the agent the state that was saved last; false: there is none.
func (n *node) restore() (restored bool, err error) {
	if n.world.cfg.Dir == "" {
		return false, nil
	}
	var s saved
	err = snapshot.Open(n.statePath(), func(r *snapshot.Reader) error {
		section, err := r.Section()
		if err != nil {
			return err
		}
		c := snapshot.Read(section)
		s.layout(c, nil)
		if err := c.End(); err != nil {
			return err
		}
		if _, err := r.Section(); err != io.EOF {
			return errors.Join(err, snapshot.ErrDamaged)
		}
		return nil
	})
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err == nil && s.name != n.cfg.Name:
		err = fmt.Errorf("it is the state of node %q", s.name)
	case err == nil:
		err = n.agent.RestoreState(s.agent)
	}
	if err != nil {
		return false, fmt.Errorf("the saved state of node %s in %s cannot be used: %w: restore a copy of it, or move it away to begin without what the agent has learned",
			n.cfg.Name, n.statePath(), err)
	}
	n.lives, n.streams = s.lives, s.streams
	return true, nil
}

// begin counts a life of the node and makes sure that no later one uses its identifiers.
func (n *node) begin() error {
	n.lives++
	n.lastID = n.lives * lifeIDs
	if err := n.write(n.state()); err != nil {
		return err
	}
	return n.keep()
}

// state is what would be saved now. No job runs. A model may have gigabytes: there is one copy of it, of about the size
// of the last one.
func (n *node) state() []byte {
	s := saved{name: n.cfg.Name, lives: n.lives, streams: n.streams}
	c := snapshot.Append(make([]byte, 0, n.stateBytes))
	s.layout(c, n.agent.AppendState)
	state := c.Written()
	n.stateBytes = len(state) + len(state)/64
	return state
}

// write puts a state on the disk, whole or not at all.
func (n *node) write(state []byte) error {
	if n.world.cfg.Dir == "" {
		return nil
	}
	err := snapshot.Save(n.statePath(), func(w *snapshot.Writer) error { return w.Section(state) })
	result := "saved"
	if err != nil {
		result = "failed"
	}
	n.world.metrics.saves.WithLabelValues(n.cfg.Name, result).Inc()
	if err != nil {
		return fmt.Errorf("the state of node %s could not be saved to %s: %w: is the disk full, or the folder not writable?", n.cfg.Name, n.statePath(), err)
	}
	n.world.metrics.saveBytes.WithLabelValues(n.cfg.Name).Set(float64(len(state)))
	return nil
}

// save saves the state while the agent goes on. The agent goes on if the disk does not take it: the save
// before is whole, and the next may succeed.
func (n *node) save() {
	if n.world.cfg.Dir == "" {
		return
	}
	n.saveDue = false
	if n.journal != nil && n.journal.Written() > n.world.cfg.JournalBytes {
		if err := n.keep(); err != nil {
			n.log.Error("no journal is kept any more", "error", err)
		}
	}
	select {
	case n.saving <- struct{}{}:
	default:
		return // the last one is still being written
	}
	state := n.state()
	go func() {
		if err := n.write(state); err != nil {
			n.log.Error("a save failed", "error", err)
		}
		<-n.saving
	}()
}
