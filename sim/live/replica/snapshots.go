package replica

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"

	"taolab/sim/chain"
)

// snapshots are the states that other nodes may fetch, and the one that this node fetches. A state is a
// manifest, which the digest in a header vouches for, and chunks, each of which is checked by itself.
type snapshots struct {
	every uint64 // blocks between two
	log   *slog.Logger

	mu     sync.Mutex
	kept   []snapshot // the newest last
	making bool       // another

	// used by the one connection for snapshots
	fetched *fetched
	chunks  chunks // of it
}

const (
	keptSnapshots  = 2
	snapshotFormat = 1
)

// snapshot is a fork that nobody changes any more. It shares with the ledger what did not change since.
type snapshot struct {
	state    *chain.State
	manifest *chain.Manifest
	bytes    []byte // of the manifest
}

// fetched is a state that arrives.
type fetched struct {
	height   uint64
	digest   chain.Digest
	manifest *chain.Manifest
}

// consider makes a snapshot if it is time for one and the one before is done, while the ledger goes on.
func (s *snapshots) consider(state *chain.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state.Height()%s.every != 0 || s.making {
		return
	}
	s.making = true
	fork := state.Fork()
	go func() {
		m := fork.Manifest()
		data, err := m.AppendBinary(nil)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.making = false
		if err != nil {
			s.log.Error("no snapshot", "height", fork.Height(), "reason", err)
			return
		}
		s.kept = append(s.kept, snapshot{fork, m, data})
		if len(s.kept) > keptSnapshots {
			s.kept = append([]snapshot(nil), s.kept[1:]...)
		}
	}()
}

// newest is the height of the newest state that others may fetch, if there is one.
func (s *snapshots) newest() (height uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) == 0 {
		return 0, false
	}
	return s.kept[len(s.kept)-1].state.Height(), true
}

func (a *application) ListSnapshots(context.Context, *abci.RequestListSnapshots) (*abci.ResponseListSnapshots, error) {
	s := a.snaps
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &abci.ResponseListSnapshots{}
	for _, k := range s.kept {
		hash := sha256.Sum256(k.bytes)
		r.Snapshots = append(r.Snapshots, &abci.Snapshot{
			Height: k.state.Height(), Format: snapshotFormat, Chunks: uint32(k.manifest.Chunks()), Hash: hash[:], Metadata: k.bytes,
		})
	}
	return r, nil
}

func (a *application) LoadSnapshotChunk(_ context.Context, r *abci.RequestLoadSnapshotChunk) (*abci.ResponseLoadSnapshotChunk, error) {
	s := a.snaps
	s.mu.Lock()
	kept := s.kept
	s.mu.Unlock()
	for _, k := range kept {
		if k.state.Height() == r.Height && r.Format == snapshotFormat && int(r.Chunk) < k.manifest.Chunks() {
			return &abci.ResponseLoadSnapshotChunk{Chunk: k.state.Chunk(k.manifest, int(r.Chunk))}, nil
		}
	}
	return &abci.ResponseLoadSnapshotChunk{}, nil
}

// OfferSnapshot accepts a snapshot whose manifest is that of the state with the digest which the headers
// have: a lie is found out before any chunk is asked for.
func (a *application) OfferSnapshot(_ context.Context, r *abci.RequestOfferSnapshot) (*abci.ResponseOfferSnapshot, error) {
	if r.Snapshot.Format != snapshotFormat {
		return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_REJECT_FORMAT}, nil
	}
	if len(r.AppHash) != len(chain.Digest{}) {
		return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_REJECT}, nil
	}
	m, err := chain.DecodeManifest(r.Snapshot.Metadata, chain.Digest(r.AppHash))
	if err == nil && m.Chunks() != int(r.Snapshot.Chunks) {
		err = fmt.Errorf("it has %d chunks, its manifest %d", r.Snapshot.Chunks, m.Chunks())
	}
	if err != nil {
		a.log.Warn("snapshot refused", "height", r.Snapshot.Height, "reason", err)
		return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_REJECT_SENDER}, nil
	}
	if err := a.snaps.chunks.begin(m.Chunks()); err != nil {
		a.end.announce(err)
		return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_ABORT}, nil
	}
	a.snaps.fetched = &fetched{height: r.Snapshot.Height, digest: chain.Digest(r.AppHash), manifest: m}
	return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_ACCEPT}, nil
}

// ApplySnapshotChunk takes a chunk that is right, and has one that is not fetched again from another node.
func (a *application) ApplySnapshotChunk(_ context.Context, r *abci.RequestApplySnapshotChunk) (*abci.ResponseApplySnapshotChunk, error) {
	f := a.snaps.fetched
	if f == nil {
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ABORT}, nil
	}
	if err := f.manifest.Verify(int(r.Index), r.Chunk); err != nil {
		a.log.Warn("chunk of a snapshot refused", "height", f.height, "sender", r.Sender, "reason", err)
		return &abci.ResponseApplySnapshotChunk{
			Result: abci.ResponseApplySnapshotChunk_RETRY, RefetchChunks: []uint32{r.Index}, RejectSenders: []string{r.Sender},
		}, nil
	}
	if err := a.snaps.chunks.put(int(r.Index), r.Chunk); err != nil {
		a.end.announce(err)
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ABORT}, nil
	}
	if a.snaps.chunks.left > 0 {
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ACCEPT}, nil
	}
	a.snaps.fetched = nil
	if err := a.restore(f); err != nil {
		a.log.Error("state refused", "height", f.height, "reason", err)
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_REJECT_SNAPSHOT}, nil
	}
	return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ACCEPT}, nil
}

// restore makes a state that has arrived the newest, in the store with one synced batch.
func (a *application) restore(f *fetched) error {
	s, err := f.manifest.State(a.snaps.chunks.get)
	if err := errors.Join(err, a.snaps.chunks.begin(0)); err != nil {
		return err
	}
	switch {
	case s.Height() != f.height:
		return fmt.Errorf("the state is that after block %d, offered was block %d", s.Height(), f.height)
	case s.ChainID() != a.genesis.ChainID:
		return fmt.Errorf("the state is of the chain %q", s.ChainID())
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := tip{height: f.height, digest: f.digest} // its hash stands in the votes that the engine fetches
	s.Seal()
	if err := a.store.commit(s, chain.View{}, t, chain.Block{}, 0); err != nil {
		a.end.announce(err)
		return err
	}
	a.feed.skip(f.height)
	a.adopt(s, s.View(), t, false)
	return nil
}
