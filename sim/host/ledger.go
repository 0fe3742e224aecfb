package host

import (
	"crypto/ed25519"
	"fmt"
	"slices"

	"taolab/sim/chain"
	"taolab/sim/trace"
)

// Limits of a ledger's queues.
const (
	DefaultMaxTxs     = 1024  // transactions in a block, where the config names no number
	DefaultMaxWaiting = 16384 // transactions that wait for one
	MaxSubmits        = 1024  // undecided transactions of a node; the next is rejected at once
)

// LedgerConfig is how a host drives a chain.
type LedgerConfig struct {
	Genesis chain.Genesis
	Hotkeys []chain.Key // the first of each node, in the order of their table; Assign names others

	Views      int // newest views that are kept; 0 means 1
	MaxTxs     int // transactions in a block at most; 0 means DefaultMaxTxs
	MaxWaiting int // transactions that wait at most; 0 means DefaultMaxWaiting

	// Signed makes the ledger sign what nodes submit and verify what blocks contain. Unsigned, it
	// trusts that all transactions are its own; their signatures are zeros.
	Signed bool
	// DigestEpochs is the number of epochs between digests of the state; 0 means none.
	DigestEpochs uint64
	// Checks returns what is called after each transaction and each block, see Invariants; nil
	// checks nothing.
	Checks func(*chain.State) func() error

	Recording Recording
	Recorder  trace.Recorder // nil records nothing
	Last      uint64         // height at which the run ends, a turn as Recording.Turns has it; 0: not known
}

// Ledger drives a chain for a host: nonces and signatures of its own keys, transactions on their way
// and what becomes of them, blocks, the newest views by height, and the rows of all that. It is
// plain data driven from outside and the same in the virtual and the live world.
type Ledger struct {
	cfg        LedgerConfig
	state      *chain.State
	invariants func() error // nil: nobody asks
	views      []chain.View // height h stands at h modulo their number
	accounts   []account
	places     map[chain.Key]Account // of accounts
	waiting    []Transit
	open       []submissions // by node
	receipts   []Receipt     // of the newest block
	closed     bool          // the seats that lasted are recorded
	books
}

// Account is one of the host's own keys, by the order in which it was opened.
type Account int

// account is a key that may sign.
type account struct {
	private ed25519.PrivateKey
	key     chain.Key
	nonce   uint64 // the next
}

// Transit is a transaction that has reached the block producer. From is the node that sent it and
// Submit its name there; a negative From is somebody else.
type Transit struct {
	From   int32
	Submit SubmitID
	Tx     chain.Tx
	Bytes  int // on the wire, signature included
}

// Receipt is what a block made of a transaction.
type Receipt struct {
	Transit
	Fate   string // trace.Included, trace.Rejected or trace.Expired
	Reason string // of a rejection
	FeeRao uint64 // burned for it, the tip not included
	Known  bool   // the sender waits to hear of it
}

// Ended is a block that has ended.
type Ended struct {
	Height   uint64
	Receipts []Receipt     // in order; valid until the next block ends
	Events   []chain.Event // of the chain, in order
	Digest   *chain.Digest // of the state, where DigestEpochs asks for it
}

// NewLedger makes the chain at genesis.
func NewLedger(cfg LedgerConfig) (*Ledger, error) {
	cfg.Views = max(cfg.Views, 1)
	if cfg.MaxTxs == 0 {
		cfg.MaxTxs = DefaultMaxTxs
	}
	if cfg.MaxWaiting == 0 {
		cfg.MaxWaiting = DefaultMaxWaiting
	}
	if cfg.Recorder == nil {
		cfg.Recorder, cfg.Recording = trace.Discard, Recording{}
	}
	state, err := chain.New(cfg.Genesis)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	l := &Ledger{
		cfg: cfg, state: state, views: make([]chain.View, cfg.Views), places: map[chain.Key]Account{},
		open: make([]submissions, len(cfg.Hotkeys)), books: books{recording: cfg.Recording, to: cfg.Recorder},
	}
	l.cfg.Genesis = chain.Genesis{} // it may be large
	if cfg.Checks != nil {
		l.invariants = cfg.Checks(state)
	}
	nodes := make(map[chain.Key]*uint32, len(cfg.Hotkeys))
	for i, key := range cfg.Hotkeys {
		nodes[key] = trace.Some(uint32(i))
	}
	l.keepView()
	l.seats = newSeats(l.View(l.Height()), nodes)
	return l, nil
}

// Invariants checks the invariants of a state as it is, and as it follows the one before.
func Invariants(s *chain.State) func() error {
	watch := s.Watch()
	return func() error {
		if err := s.CheckInvariants(); err != nil {
			return err
		}
		return watch.Check(s)
	}
}

// Open makes a key one of the host's own; a key that is one already is found.
func (l *Ledger) Open(private ed25519.PrivateKey) Account {
	key := chain.Key(private.Public().(ed25519.PublicKey))
	place, known := l.places[key]
	if !known {
		place = Account(len(l.accounts))
		l.places[key] = place
		l.accounts = append(l.accounts, account{private, key, l.state.Nonce(key)})
	}
	return place
}

// Key is the public half of an account's key.
func (l *Ledger) Key(a Account) chain.Key { return l.accounts[a].key }

// Height is that of the newest block.
func (l *Ledger) Height() uint64 { return l.state.Height() }

// Digest is that of the state after the newest block.
func (l *Ledger) Digest() chain.Digest { return l.state.Digest() }

// View is one of the newest blocks; Config.Views of them are kept.
func (l *Ledger) View(height uint64) chain.View { return l.views[height%uint64(len(l.views))] }

func (l *Ledger) keepView() {
	v := l.state.View()
	l.views[v.Height()%uint64(len(l.views))] = v
}

// Submit makes a transaction of a node and gives it the account's next nonce. What cannot be sent
// is rejected at once, which false says; the node has yet to be told either way.
func (l *Ledger) Submit(node int32, id SubmitID, from Account, expiry uint64, msg chain.Msg) (bytes []byte, sent bool) {
	s := l.open[node].add(id)
	if len(l.open[node].list) > MaxSubmits {
		s.reject(0, fmt.Sprintf("%d transactions of this node are undecided: wait", MaxSubmits))
		return nil, false
	}
	if l.strict() && l.open[node].allDecided() {
		l.closeGap(from) // that a transaction left which was lost on its way
	}
	bytes, err := l.Transaction(from, expiry, msg)
	if err != nil {
		s.reject(0, err.Error())
		return nil, false
	}
	s.expiry = expiry
	return bytes, true
}

// strict reports whether the chain takes no transaction before the one with the nonce below its own.
func (l *Ledger) strict() bool { return l.View(l.Height()).Params().Hard.StrictNonce }

// closeGap gives the next transaction of an account the nonce that the chain waits for.
func (l *Ledger) closeGap(from Account) {
	a := &l.accounts[from]
	a.nonce = l.state.Nonce(a.key)
}

// feeRoom is how many times the present price of work a transaction may cost: the price rises by at most
// an eighth in each block until one takes it.
const feeRoom = 2

// Transaction makes a transaction of an account with its next nonce; no node waits to hear of it.
func (l *Ledger) Transaction(from Account, expiry uint64, msg chain.Msg) ([]byte, error) {
	a := &l.accounts[from]
	tx := chain.Tx{Signer: a.key, Nonce: a.nonce, Expiry: expiry, Msg: l.agreed(a.key, expiry, msg)}
	if price := l.View(l.Height()).PriceRao(); price > 0 {
		tx.Priced, tx.MaxFeeRao = true, feeRoom*price*l.state.WorkOf(tx)
	}
	if l.cfg.Signed {
		tx = tx.SignedBy(a.private, l.state.ChainID())
	}
	bytes, err := tx.AppendBinary(nil)
	if err == nil {
		a.nonce++
	}
	return bytes, err
}

// agreed adds to a message the signature of a hotkey that the host keeps.
func (l *Ledger) agreed(signer chain.Key, expiry uint64, msg chain.Msg) chain.Msg {
	if m, ok := msg.(chain.Claim); ok {
		if hot, known := l.places[m.Hotkey]; known {
			return chain.SignClaim(l.state.ChainID(), l.accounts[hot].private, signer, expiry)
		}
	}
	return msg
}

// Receive puts a transaction among those that wait for a block. What cannot wait is refused, and
// its sender has yet to be told.
func (l *Ledger) Receive(from int32, id SubmitID, bytes []byte, now Time) (refused bool) {
	tx, err := chain.DecodeTx(bytes)
	if err == nil && len(l.waiting) >= l.cfg.MaxWaiting {
		err = fmt.Errorf("%d transactions wait for a block already: submit again later", len(l.waiting))
		l.recordRefused(tx, from, len(bytes), now, err)
	}
	if err == nil {
		l.waiting = append(l.waiting, Transit{from, id, tx, len(bytes)})
		return false
	}
	if s := l.submission(from, id); s != nil {
		s.reject(l.state.Height(), err.Error())
		return true
	}
	return false
}

// Waiting is the number of transactions that wait for a block.
func (l *Ledger) Waiting() int { return len(l.waiting) }

// Govern sets a parameter of the chain between two blocks, see chain.State.Govern.
func (l *Ledger) Govern(m chain.SetParams) error {
	if err := l.state.Govern(m); err != nil {
		return err
	}
	l.keepView()
	if l.cfg.Checks != nil {
		l.invariants = l.cfg.Checks(l.state)
	}
	return nil
}

// Quiet is the last height before limit up to which blocks may be ended at once: the one after it is the
// next to matter to the chain, the digests or the rows.
func (l *Ledger) Quiet(limit uint64) uint64 {
	height := l.state.Height()
	if len(l.waiting) > 0 || l.invariants != nil || l.state.Attended() {
		return height
	}
	if next := l.state.NextEvent(); next > height {
		limit = min(limit, next)
	}
	if l.recording.Turns {
		limit = min(limit, height+min(l.state.EmissionLasts(), limit))
	}
	for _, every := range []uint64{l.recording.Blocks, l.recording.Ledger} {
		if every > 0 {
			limit = min(limit, (height/every+1)*every)
		}
	}
	return max(limit, height+1) - 1
}

// Skip ends empty blocks up to a height in one step; see Quiet.
func (l *Ledger) Skip(to uint64) error {
	height := l.state.Height()
	if to <= height {
		return nil
	}
	if events := l.state.Advance(to - height); len(events) > 0 {
		return fmt.Errorf("chain: %d events in the %d blocks after %d, where it announced none",
			len(events), to-height, height)
	}
	l.keepView()
	return nil
}

// Begin tells the chain how the next block begins. The error is that this program does not know its
// rules: then the run has to end with the block before.
func (l *Ledger) Begin(b chain.Begin) error {
	if err := l.state.Outdated(); err != nil {
		return err
	}
	l.state.BeginBlock(b)
	return l.distrust(l.state.Height()+1, "the beginning of the block")
}

// End ends the next block with the transactions that wait, in order of arrival and as many as a block
// holds.
func (l *Ledger) End(now Time) (Ended, error) {
	n := min(len(l.waiting), l.cfg.MaxTxs)
	ended, err := l.EndWith(now, l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n)
	return ended, err
}

// EndWith ends the next block with these transactions. The error is a broken invariant: then the
// run has to end.
func (l *Ledger) EndWith(now Time, txs []Transit) (Ended, error) {
	ended := Ended{Height: l.state.Height() + 1}
	before, turns := l.state.Totals().Minted, l.state.EmissionLasts() == 1 || ended.Height == l.cfg.Last
	row := trace.Block{Height: ended.Height, TimeNs: int64(now)}
	err := l.include(txs, &row)
	ended.Receipts, ended.Events = l.receipts, l.state.EndBlock()
	if err == nil {
		err = l.distrust(ended.Height, "the end of the block")
	}
	l.keepView()
	l.settle(&ended, row, before, turns)
	return ended, err
}

// include applies transactions. What has expired is dropped: its node finds out by itself.
func (l *Ledger) include(txs []Transit, row *trace.Block) (broken error) {
	var gaps []Account
	l.receipts = l.receipts[:0]
	for i, t := range txs {
		r := Receipt{Transit: t, Fate: trace.Expired}
		if t.Tx.Expiry >= row.Height {
			r.Fate = trace.Included
			paid, err := l.apply(t.Tx)
			if own, known := l.places[t.Tx.Signer]; err != nil && known && l.strict() && t.Tx.Nonce >= l.state.Nonce(t.Tx.Signer) {
				gaps = append(gaps, own) // in its nonces, which no block will use up
			}
			if err == nil && paid.Refusal != nil {
				err = paid.Refusal
			}
			if r.FeeRao, l.feesRao = paid.FeeRao, l.feesRao+paid.FeeRao; err != nil {
				r.Fate, r.Reason = trace.Rejected, err.Error()
				row.Rejected++
			} else {
				row.Included++
				if broken == nil {
					broken = l.distrust(row.Height, l.transactionOf(t.From))
				}
			}
			if s := l.submission(t.From, t.Submit); s != nil {
				s.decide(row.Height, r)
				r.Known = true
			}
		}
		l.receipts = append(l.receipts, r)
		l.recordTransaction(r, i, row)
	}
	for _, own := range gaps {
		l.closeGap(own)
	}
	return broken
}

func (l *Ledger) apply(tx chain.Tx) (chain.Receipt, error) {
	if l.cfg.Signed {
		return l.state.Deliver(tx)
	}
	return l.state.DeliverVerified(tx)
}

// distrust returns what is wrong with the ledger, where the config asks for it.
func (l *Ledger) distrust(height uint64, after string) error {
	if l.invariants == nil {
		return nil
	}
	if err := l.invariants(); err != nil {
		return fmt.Errorf("block %d, after %s: %w", height, after, err)
	}
	return nil
}
