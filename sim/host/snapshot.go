package host

import (
	"errors"
	"fmt"

	"taolab/sim/chain"
	"taolab/sim/snapshot"
)

// Layout codes the ledger between two blocks: the chain, the views, and what was submitted and is not
// decided or not told. A ledger that is read was made with the config of the one that was written,
// and with the same accounts in the same order.
func (l *Ledger) Layout(c *snapshot.Coder) {
	c.Part(l.state)
	l.layoutViews(c)
	l.layoutAccounts(c)
	snapshot.List(c, &l.waiting, func(t *Transit) { t.layout(c) })
	n := len(l.open)
	snapshot.Number(c, &n)
	if n != len(l.open) {
		c.Fail(fmt.Errorf("%d nodes, this network has %d", n, len(l.open)))
		return
	}
	for i := range l.open {
		snapshot.List(c, &l.open[i].list, func(s *submission) {
			snapshot.Number(c, &s.id)
			snapshot.Number(c, &s.expiry)
			snapshot.Number(c, &s.height)
			c.Flag(&s.rejected)
			snapshot.Text(c, &s.reason)
		})
	}
	l.seats.layout(c)
	snapshot.Number(c, &l.ownerRao)
	snapshot.Number(c, &l.feesRao)
	if c.Reading() && c.Err() == nil {
		l.check(c)
	}
}

// layoutViews codes the kept views. A reader that keeps more begins with those; one that keeps fewer goes on
// with as many as there were.
func (l *Ledger) layoutViews(c *snapshot.Coder) {
	views := l.views
	snapshot.List(c, &views, func(v *chain.View) { l.codeView(c, v) })
	if !c.Reading() {
		return
	}
	l.views = make([]chain.View, max(len(l.views), len(views)))
	for _, v := range views {
		if !v.IsZero() {
			l.views[v.Height()%uint64(len(l.views))] = v
		}
	}
}

// layoutAccounts codes the nonces of the accounts. A reader may have more accounts, which have sent nothing.
func (l *Ledger) layoutAccounts(c *snapshot.Coder) {
	n := len(l.accounts)
	snapshot.Number(c, &n)
	for i := 0; i < n && c.Err() == nil; i++ {
		var key chain.Key
		var nonce uint64
		if !c.Reading() {
			key, nonce = l.accounts[i].key, l.accounts[i].nonce
		}
		c.Array(key[:])
		snapshot.Number(c, &nonce)
		if !c.Reading() {
			continue
		}
		place, known := l.places[key]
		if !known {
			c.Fail(fmt.Errorf("an account %v, which this network has not", key))
			return
		}
		l.accounts[place].nonce = nonce
	}
}

// check refuses a state whose parts do not fit each other.
func (l *Ledger) check(c *snapshot.Coder) {
	newest := l.View(l.state.Height())
	switch {
	case newest.IsZero() || newest.Height() != l.state.Height():
		c.Fail(fmt.Errorf("no view of block %d", l.state.Height()))
	case len(l.seats.held) != newest.N():
		c.Fail(fmt.Errorf("%d seats are held by %d neurons", len(l.seats.held), newest.N()))
	}
	if l.cfg.Checks != nil {
		l.invariants = l.cfg.Checks(l.state)
	}
}

// Kinds of a place for a view.
const (
	noView    = iota
	newest    // that of the chain as it is
	olderView // with bytes of its own
)

// codeView codes one of the kept views.
func (l *Ledger) codeView(c *snapshot.Coder, v *chain.View) {
	kind := noView
	switch {
	case c.Reading() || v.IsZero():
	case v.Height() == l.state.Height():
		kind = newest
	default:
		kind = olderView
	}
	snapshot.Number(c, &kind)
	switch {
	case kind == olderView:
		CodeView(c, v)
	case c.Reading() && kind == newest:
		*v = l.state.View()
	}
}

// CodeView codes a view.
func CodeView(c *snapshot.Coder, v *chain.View) {
	var b []byte
	if !c.Reading() {
		b, _ = v.AppendBinary(nil) // which never fails
	}
	c.Blob(&b)
	if c.Reading() && c.Err() == nil {
		var err error
		if *v, err = chain.DecodeView(b); err != nil {
			c.Fail(err)
		}
	}
}

// layout codes a transaction that waits. It is its own bytes, whose canonical form decodes to it again.
func (t *Transit) layout(c *snapshot.Coder) {
	snapshot.Number(c, &t.From)
	snapshot.Number(c, &t.Submit)
	snapshot.Number(c, &t.Bytes)
	var b []byte
	if !c.Reading() {
		var err error
		if b, err = t.Tx.AppendBinary(nil); err != nil {
			c.Fail(err)
		}
	}
	c.Blob(&b)
	if c.Reading() && c.Err() == nil {
		var err error
		if t.Tx, err = chain.DecodeTx(b); err != nil {
			c.Fail(errors.Join(errors.New("a transaction that waits"), err))
		}
	}
}

// layout codes who holds the seats since when; who lives where is known from the config.
func (s *seats) layout(c *snapshot.Coder) {
	snapshot.List(c, &s.held, func(h *heldSeat) {
		c.Array(h.hotkey[:])
		snapshot.Number(c, &h.from)
		if c.Reading() {
			h.node = s.nodes[h.hotkey]
		}
	})
}
