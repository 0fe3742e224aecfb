package chain

// Totals is the account of all money, in rao:
// Minted = Free + Staked + Pending + Burned + Dust + Unallocated.
type Totals struct {
	Minted      uint64 // genesis money plus the sum of block emissions
	Free        uint64 // on coldkeys
	Staked      uint64 // on hotkeys
	Pending     uint64 // emitted and waiting for the next epoch
	Burned      uint64 // by registrations
	Dust        uint64 // left over by the floors of the epochs' divisions
	Unallocated uint64 // emitted by epochs in which nobody was eligible
	Recycled    uint64 // the part of Burned that left the issuance again
	Issuance    uint64 // what the supply curve counts: offset + minted - recycled
}

// State is the ledger after some transactions. Not safe for concurrent use; hand out Views.
type State struct{ height uint64 }

// New makes the state at height 0.
func New(g Genesis) (*State, error) { return &State{}, nil }

// Apply applies a transaction to the block after Height. A rejected one, for which it returns an
// *Error, changes nothing.
func (s *State) Apply(tx Tx) error { return nil }

// EndBlock ends the block: mints its emission, runs an epoch when due, and returns what happened
// in the block in order.
func (s *State) EndBlock() []Event { return nil }

// NextEvent is the height of the next block at which more happens than minting: an epoch; the
// largest uint64 if there is none.
func (s *State) NextEvent() uint64 { return 0 }

// Advance ends n blocks, the same as n times EndBlock.
func (s *State) Advance(n uint64) []Event { return nil }

// Height is the number of ended blocks.
func (s *State) Height() uint64 { return s.height }

// ChainID is the chain's id of genesis.
func (s *State) ChainID() string { return "" }

// Nonce is the smallest nonce that the next transaction of signer may have.
func (s *State) Nonce(signer Key) uint64 { return 0 }

// Digest is the hash of the whole state.
func (s *State) Digest() Digest { return Digest{} }

// View returns the state as an immutable value; cheap, and free when nothing changed.
func (s *State) View() View { return View{} }

// Totals is the account of all money.
func (s *State) Totals() Totals { return Totals{} }

// AppendBinary appends the canonical bytes of the state.
func (s *State) AppendBinary(b []byte) ([]byte, error) { return b, nil }

// UnmarshalBinary replaces the state by what AppendBinary wrote. On error it is unchanged.
func (s *State) UnmarshalBinary(b []byte) error { return nil }
