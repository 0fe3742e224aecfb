package replica

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cometbft/cometbft/crypto"
	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/protoio"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
	"github.com/cosmos/gogoproto/proto"
)

// signed is the last thing that a consensus key signed.
type signed struct {
	Height    int64  `json:"height"`
	Round     int32  `json:"round"`
	Step      int8   `json:"step"` // 1: a proposal, 2: a prevote, 3: a precommit
	Bytes     []byte `json:"bytes"`
	Signature []byte `json:"signature"`
}

const (
	proposalStep int8 = iota + 1
	prevoteStep
	precommitStep
)

const (
	signedFile     = "signed.json"
	maxSignedBytes = 1 << 16
)

// signer signs votes and proposals, each of a height, round and step once. Its record is on disk before a
// signature leaves it.
type signer struct {
	key   cmted25519.PrivKey
	fs    vfs.FS
	dir   string
	guard func(height int64) error // before the first signature of a key without a record; nil: there is one
	fail  func(error)

	mu   sync.Mutex
	last signed
}

// openSigner makes the signer of a node's folder.
func openSigner(key ed25519.PrivateKey, files vfs.FS, dir string, guard func(int64) error, fail func(error)) (*signer, error) {
	s := &signer{key: cmted25519.PrivKey(key), fs: files, dir: dir, guard: guard, fail: fail}
	last, known, err := readSigned(files, dir)
	if err != nil {
		return nil, err
	}
	if known {
		s.last, s.guard = last, nil
	}
	return s, nil
}

func readSigned(files vfs.FS, dir string) (last signed, known bool, err error) {
	path := filepath.Join(dir, signedFile)
	f, err := files.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return last, false, nil
	}
	var data []byte
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(f, maxSignedBytes))
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		err = json.Unmarshal(data, &last)
	}
	if err == nil && (last.Height < 1 || last.Step < proposalStep || len(last.Bytes) == 0 || len(last.Signature) == 0) {
		err = errors.New("it lacks a height, a step, bytes or a signature")
	}
	if err != nil {
		return last, false, fmt.Errorf("%s says what the consensus key signed last, and cannot be read: %w; restore it, or "+
			"serve a new consensus key: who forgets what it signed signs twice", path, err)
	}
	return last, true, nil
}

// LastSigned is the greatest height at which the consensus key of a node's folder signed something; false
// if it never did.
func LastSigned(dir string) (height uint64, ok bool, err error) {
	last, known, err := readSigned(vfs.Default, dir)
	return uint64(last.Height), known, err
}

func (s *signer) GetPubKey() (crypto.PubKey, error) { return s.key.PubKey(), nil }

// SignVote signs a vote, or repeats what it signed.
func (s *signer) SignVote(chainID string, v *cmtproto.Vote) error {
	step := prevoteStep
	if v.Type == cmtproto.PrecommitType {
		step = precommitStep
	}
	signature, at, err := s.sign(v.Height, v.Round, step, types.VoteSignBytes(chainID, v), voteTime)
	if err != nil {
		return fmt.Errorf("vote at height %d: %w", v.Height, err)
	}
	v.Signature = signature
	if !at.IsZero() {
		v.Timestamp = at
	}
	if v.Type == cmtproto.PrecommitType && !types.ProtoBlockIDIsNil(&v.BlockID) {
		v.ExtensionSignature, err = s.key.Sign(types.VoteExtensionSignBytes(chainID, v))
	}
	return err
}

// SignProposal signs a proposal, or repeats what it signed.
func (s *signer) SignProposal(chainID string, p *cmtproto.Proposal) error {
	signature, at, err := s.sign(p.Height, p.Round, proposalStep, types.ProposalSignBytes(chainID, p), proposalTime)
	if err != nil {
		return fmt.Errorf("proposal at height %d: %w", p.Height, err)
	}
	p.Signature = signature
	if !at.IsZero() {
		p.Timestamp = at
	}
	return nil
}

var errSignedOther = errors.New("the consensus key signed something else there")

// sign signs bytes of a height, round and step after all that were signed. Where only the time differs from
// what was signed there, it returns the old signature and time: the node crashed before it used them.
func (s *signer) sign(height int64, round int32, step int8, data []byte,
	timeless func([]byte) (time.Time, []byte, error)) (signature []byte, at time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guard != nil {
		if err := s.guard(height); err != nil {
			return nil, at, err
		}
	}
	l := &s.last
	switch {
	case height == l.Height && round == l.Round && step == l.Step:
		if bytes.Equal(data, l.Bytes) {
			return l.Signature, at, nil
		}
		was, old, err := timeless(l.Bytes)
		_, new, newErr := timeless(data)
		if err = errors.Join(err, newErr); err != nil || !bytes.Equal(old, new) {
			return nil, at, errors.Join(err, errSignedOther)
		}
		return l.Signature, was, nil
	case height < l.Height, height == l.Height && (round < l.Round || round == l.Round && step < l.Step):
		return nil, at, fmt.Errorf("the consensus key signed height %d, round %d, step %d: round %d, step %d is before",
			l.Height, l.Round, l.Step, round, step)
	}
	if signature, err = s.key.Sign(data); err != nil {
		return nil, at, err
	}
	next := signed{height, round, step, data, signature}
	if err := s.save(next); err != nil {
		err = fmt.Errorf("what the consensus key signs cannot be kept, so it signs nothing: %w", err)
		s.fail(err)
		return nil, at, err
	}
	s.last, s.guard = next, nil
	return signature, at, nil
}

// save replaces the file as a whole, and returns when it is on disk.
func (s *signer) save(next signed) error {
	data, err := json.Marshal(next)
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, signedFile)
	f, err := s.fs.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := s.fs.Rename(path+".new", path); err != nil {
		return err
	}
	folder, err := s.fs.OpenDir(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// voteTime is the time in a signed vote, and the vote without it.
func voteTime(data []byte) (time.Time, []byte, error) {
	var v cmtproto.CanonicalVote
	if err := protoio.UnmarshalDelimited(data, &v); err != nil {
		return time.Time{}, nil, err
	}
	at := v.Timestamp
	v.Timestamp = time.Time{}
	rest, err := proto.Marshal(&v)
	return at, rest, err
}

// proposalTime is the time in a signed proposal, and the proposal without it.
func proposalTime(data []byte) (time.Time, []byte, error) {
	var p cmtproto.CanonicalProposal
	if err := protoio.UnmarshalDelimited(data, &p); err != nil {
		return time.Time{}, nil, err
	}
	at := p.Timestamp
	p.Timestamp = time.Time{}
	rest, err := proto.Marshal(&p)
	return at, rest, err
}
