package live

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"sync"

	"taolab/sim/chain"
	"taolab/sim/host"
)

const (
	defaultExpiryBlocks = 64
	feeRoom             = 2 // times the present price of work that a transaction may cost
	offerAgainBlocks    = 4 // after so many a transaction that no block has is offered again
	maxOffers           = 4096
)

// signature names a transaction of this world.
type signature = [64]byte

// fate is what became of one of the world's own transactions.
type fate struct {
	signature signature
	height    uint64
	refusal   error // nil: it is included
}

// submission is a transaction whose fate its node does not know yet.
type submission struct {
	id        host.SubmitID // 0: of the host itself, which asks for no event
	signature signature
	signer    *signer
	nonce     uint64
	expiry    uint64
	offered   uint64 // height
	bytes     []byte
}

// signer is a key that signs for one or more nodes. It may sign elsewhere too.
type signer struct {
	private ed25519.PrivateKey
	key     chain.Key

	mu   sync.Mutex
	next uint64   // nonce
	free []uint64 // nonces below it that belong to no transaction any more, ascending
}

// nonce is the smallest that no transaction of the signer has.
func (s *signer) nonce(view chain.View) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := view.Nonce(s.key)
	for len(s.free) > 0 {
		n := s.free[0]
		s.free = s.free[1:]
		if n >= from {
			return n
		}
	}
	s.next = max(s.next, from)
	s.next++
	return s.next - 1
}

// giveBack frees a nonce whose transaction will be in no block.
func (s *signer) giveBack(nonce uint64, view chain.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if nonce < view.Nonce(s.key) {
		return
	}
	if at, known := slices.BinarySearch(s.free, nonce); !known {
		s.free = slices.Insert(s.free, at, nonce)
	}
}

// Submit is documented at host.Env.
func (e *env) Submit(role host.KeyRole, msg chain.Msg) host.SubmitID {
	n := e.use()
	id := host.SubmitID(n.newID())
	from := e.as.hotkey
	if role == host.Coldkey {
		from = n.coldkey
	}
	if err := n.submit(id, from, msg); err != nil {
		n.soon(func() { n.tell(host.Rejected{ID: id, Reason: err.Error()}) })
	}
	return id
}

// submit signs a message and hands it to the world to offer.
func (n *node) submit(id host.SubmitID, from *signer, msg chain.Msg) error {
	switch {
	case from == nil:
		return errors.New("this node does not hold the coldkey: sign this where it is")
	case len(n.open) >= host.MaxSubmits:
		return fmt.Errorf("%d transactions of this node are undecided: wait", host.MaxSubmits)
	}
	view := n.sight.view
	s := &submission{id: id, signer: from, expiry: view.Height() + n.world.cfg.ExpiryBlocks, offered: view.Height()}
	s.nonce = from.nonce(view)
	tx := chain.Tx{Signer: from.key, Nonce: s.nonce, Expiry: s.expiry, Msg: n.world.agreed(view, from.key, s.expiry, msg)}
	if price := view.PriceRao(); price > 0 {
		tx.Priced, tx.MaxFeeRao = true, feeRoom*price*view.WorkOf(tx)
	}
	tx = tx.SignedBy(from.private, view.ChainID())
	s.signature = tx.Signature
	var err error
	if s.bytes, err = tx.AppendBinary(nil); err == nil {
		err = n.world.offer(n, s)
	}
	if err != nil {
		from.giveBack(s.nonce, view)
		return err
	}
	n.open[s.signature] = s
	return nil
}

// agreed adds to a message the signature of a hotkey that lives in this world.
func (w *World) agreed(view chain.View, signer chain.Key, expiry uint64, msg chain.Msg) chain.Msg {
	if m, ok := msg.(chain.Claim); ok {
		if hot := w.signers[m.Hotkey]; hot != nil {
			return chain.SignClaim(view.ChainID(), hot.private, signer, expiry)
		}
	}
	return msg
}

// offer is a transaction on its way to the ledger.
type offer struct {
	node *node
	*submission
	again bool // the ledger may have it already, and what it says does not count
}

// offer queues a transaction for the ledger.
func (w *World) offer(n *node, s *submission) error {
	w.own.add(s.signature)
	select {
	case w.offers <- offer{n, s, false}:
		return nil
	default:
		w.own.remove(s.signature)
		return fmt.Errorf("%d transactions wait to be offered to the ledger: submit again later", maxOffers)
	}
}

// offerAll brings transactions to the ledger, in the order in which they were made.
func (w *World) offerAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-w.offers:
			err := w.cfg.Ledger.Submit(ctx, o.bytes)
			if err != nil && !o.again && ctx.Err() == nil { // a node that is busy makes no other wait
				go o.node.mail.bring(o.node.ctx, func() { o.node.decide(o.submission, 0, err) })
			}
		}
	}
}

// ownTxs are the undecided transactions of a world, which blocks are searched for.
type ownTxs struct {
	mu   sync.Mutex
	open map[signature]bool
}

func (o *ownTxs) add(s signature) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open[s] = true
}

func (o *ownTxs) remove(s signature) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.open, s)
}

// fates are what a block made of the world's own transactions.
func (o *ownTxs) fates(b *Block) []fate {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.open) == 0 {
		return nil
	}
	var found []fate
	for i, d := range b.Outcome.Delivered {
		tx := b.Txs[i]
		if len(tx) < len(signature{}) {
			continue
		}
		sign := signature(tx[len(tx)-len(signature{}):])
		if !o.open[sign] {
			continue
		}
		f := fate{sign, b.Height, d.Err}
		if d.Err == nil && d.Refusal != nil {
			f.refusal = d.Refusal
		}
		found = append(found, f)
	}
	return found
}

// decide closes a submission and tells the agent, unless it is closed.
func (n *node) decide(s *submission, height uint64, why error) {
	if n.open[s.signature] != s {
		return
	}
	delete(n.open, s.signature)
	n.world.own.remove(s.signature)
	if why != nil {
		s.signer.giveBack(s.nonce, n.sight.view)
		n.tellRejected(s, height, why)
		return
	}
	n.tell(host.Included{ID: s.id, Height: height})
}

func (n *node) tellRejected(s *submission, height uint64, why error) {
	if s.id == 0 {
		n.log.Warn("the ledger did not take the node's address", "reason", why)
	}
	n.tell(host.Rejected{ID: s.id, Height: height, Reason: why.Error()})
}

// tell hands the fate of a transaction to the agent, if it was the agent's.
func (n *node) tell(event host.Event) {
	var id host.SubmitID
	switch e := event.(type) {
	case host.Included:
		id = e.ID
	case host.Rejected:
		id = e.ID
	case host.Expired:
		id = e.ID
	}
	n.world.metrics.submitted(n, event)
	if id != 0 {
		n.handle(event)
	}
}

// decideAll closes the submissions that a block decided or that have expired with it, and offers again the
// ones that it should have had.
func (n *node) decideAll(s *sight) {
	for _, f := range s.fates {
		if x := n.open[f.signature]; x != nil {
			n.decide(x, f.height, f.refusal)
		}
	}
	height := s.view.Height()
	var late []*submission
	for _, x := range n.open { // order-free: sorted below
		if x.expiry < height || x.offered+offerAgainBlocks <= height {
			late = append(late, x)
		}
	}
	slices.SortFunc(late, func(a, b *submission) int { return cmp.Compare(a.id, b.id) })
	for _, x := range late {
		if x.expiry >= height {
			x.offered = height
			select {
			case n.world.offers <- offer{n, x, true}:
			default: // there will be another block
			}
			continue
		}
		delete(n.open, x.signature)
		n.world.own.remove(x.signature)
		x.signer.giveBack(x.nonce, s.view)
		n.tell(host.Expired{ID: x.id})
	}
}

// announce publishes where the identity serves, unless the ledger says so already or was asked lately.
func (x *identity) announce() {
	n, at := x.node, x.Announce
	view := n.sight.view
	uid, has := view.UIDOf(x.self.Hotkey)
	if !at.IsValid() || at.Port() == 0 || !has || view.Height() < x.announceFrom {
		return
	}
	if known := view.Neuron(uid); known.Axon == x.self.Peer && addressOf(known) == at {
		return
	}
	x.announceFrom = view.Height() + max(n.world.cfg.ExpiryBlocks, view.Params().Hard.ServeBlocks) + 1
	err := n.submit(0, x.hotkey, chain.ServeAxon{Axon: x.self.Peer, IP: at.Addr().As16(), Port: at.Port()})
	if err != nil {
		n.log.Warn("the node's address could not be published", "address", at, "reason", err)
	}
}
