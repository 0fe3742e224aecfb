package live

import (
	"fmt"
	"os"
	"path/filepath"

	"taolab/sim/journal"
)

// defaultJournalBytes is about how long a journal's file grows: at the first save after that a new one begins,
// with the state that is saved.
const defaultJournalBytes = 256 << 20

// keep begins a journal of the agent from the state that it has now.
func (n *node) keep() error {
	if !n.world.cfg.Journal || n.world.cfg.Dir == "" {
		return nil
	}
	n.endJournal()
	n.volumes++
	path := filepath.Join(n.world.cfg.Dir, journal.Volume{Agent: n.cfg.Name, Life: n.lives, Number: n.volumes}.String())
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("the journal of node %s cannot be begun: %w: is the folder writable? Journals of a state that was moved away go with it", n.cfg.Name, err)
	}
	n.journalFile = f
	n.journal = journal.Record(n.cfg.Name, n.ids[0].self, n.agent, f)
	if err := n.checkJournal(); err != nil {
		return err
	}
	if stay := n.world.cfg.JournalVolumes; stay > 0 {
		if err := journal.Prune(n.world.cfg.Dir, n.cfg.Name, stay); err != nil {
			n.log.Warn("old volumes of the journal stay", "error", err)
		}
	}
	return nil
}

// checkJournal ends a journal that could not be written. The agent goes on without one.
func (n *node) checkJournal() error {
	if n.journal == nil || n.journal.Err() == nil {
		return nil
	}
	err := fmt.Errorf("the journal of node %s ends here, in %s: %w: is the disk full? What is before is good", n.cfg.Name, n.journalFile.Name(), n.journal.Err())
	n.endJournal()
	return err
}

func (n *node) endJournal() {
	if n.journal != nil {
		n.journalFile.Close()
		n.journal, n.journalFile = nil, nil
	}
}
