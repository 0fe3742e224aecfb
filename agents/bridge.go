package agents

import (
	"fmt"
	"slices"

	"taolab/agents/decide"
	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/chain/bridge"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// BridgeConfig is a bridge before its first event.
type BridgeConfig struct {
	Rules       bridge.Rules
	EveryBlocks uint64      // between two looks at the ledger
	Back        float64     // share of what is minted that comes back at each
	Payees      []chain.Key // coldkeys that it is paid to
	ReorgBlocks uint64      // between two reorganisations of the other chain; 0: none
	ReorgDepth  uint64      // of each, in blocks
}

// Validate returns an error if the config is unusable.
func (c BridgeConfig) Validate() error {
	if c.EveryBlocks < 1 || len(c.Payees) == 0 || !(c.Back >= 0 && c.Back <= 1) {
		return fmt.Errorf("bridge: a look every %d blocks, %d payees, a share of %g comes back; expected at least 1 of both, and 0 to 1",
			c.EveryBlocks, len(c.Payees), c.Back)
	}
	return nil
}

// Bridge is a node whose coldkey is the vault of a bridge: what comes onto it is locked and minted on another
// chain, and what comes back from there is paid out of it.
//
// It is a host.Bookkeeper: a payment is in its books on disk before it leaves, and stays there until the ledger
// has decided. So no crash makes it pay twice, or forget what the other chain did.
type Bridge struct {
	config  BridgeConfig
	books   *bridge.Bridge // nil before the first look
	timer   host.TimerID
	reorged uint64       // height of the last reorganisation
	paying  []payingBack // by ascending submission
	unsaved bool         // the newest event changed the books
}

var _ host.Bookkeeper = (*Bridge)(nil)

// payingBack is a payment on its way into the ledger.
type payingBack struct {
	submit   host.SubmitID
	transfer uint64
}

// NewBridge returns a bridge. It panics when the config is not valid.
func NewBridge(c BridgeConfig) *Bridge {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return &Bridge{config: c}
}

// Totals is all money that the bridge knows of.
func (b *Bridge) Totals() bridge.Totals {
	if b.books == nil {
		return bridge.Totals{}
	}
	return b.books.Totals()
}

// UnderWayRao is what the payments amount to of which the bridge does not know yet whether the ledger has them.
func (b *Bridge) UnderWayRao() (rao uint64) {
	for _, p := range b.paying {
		rao += b.books.AmountRao(p.transfer)
	}
	return rao
}

// Unsaved implements host.Bookkeeper.
func (b *Bridge) Unsaved() bool { return b.unsaved }

// Handle implements host.Agent.
func (b *Bridge) Handle(env host.Env, event host.Event) {
	b.unsaved = false
	switch e := event.(type) {
	case host.Start:
		b.await(env)
	case host.Block:
		if e.ID == b.timer {
			b.look(env)
			b.await(env)
		}
	case host.Included:
		b.settle(e.ID, true)
	case host.Rejected:
		b.settle(e.ID, false)
	case host.Expired:
		b.settle(e.ID, false)
	case host.Incoming:
		Refuse(env, e)
	}
}

func (b *Bridge) await(env host.Env) {
	b.timer = env.AtBlock((env.Chain().Height()/b.config.EveryBlocks+1)*b.config.EveryBlocks, 0)
}

// look books what came and pays what is due.
func (b *Bridge) look(env host.Env) {
	view, self, c := env.Chain(), env.Self(), &b.config
	b.unsaved = true
	if b.books == nil {
		b.books = bridge.New(c.Rules, view.Height())
	}
	if c.ReorgBlocks > 0 && view.Height() >= b.reorged+c.ReorgBlocks {
		b.reorged = view.Height()
		b.books.Reorganise(c.ReorgDepth)
		b.record(env, "reorganise", b.Totals().ShortfallRao)
	}
	for _, due := range b.books.Advance(view.Height()) {
		if slices.ContainsFunc(b.paying, func(p payingBack) bool { return p.transfer == due.ID }) {
			continue
		}
		to := c.Payees[env.Rand("payees").IntN(len(c.Payees))]
		b.paying = append(b.paying, payingBack{env.Submit(host.Coldkey, chain.Transfer{To: to, AmountRao: due.AmountRao}), due.ID})
		b.record(env, "pay", due.AmountRao)
	}
	// A payment that the ledger shows and that was not told of yet hides as much of what came: until the next look.
	if free, locked := view.FreeOf(self.Coldkey), b.Totals().LockedRao; free > locked {
		if _, err := b.books.Out(free - locked); err == nil {
			b.record(env, "lock", free-locked)
		}
	}
	if rao := decide.Part(b.Totals().MintedRao, c.Back); rao > 0 {
		if _, err := b.books.Back(rao); err == nil {
			b.record(env, "burn", rao)
		}
	}
}

func (b *Bridge) record(env host.Env, choice string, rao uint64) {
	env.Record(trace.Decision{
		TimeNs: int64(env.Now()), Block: env.Chain().Height(), Epoch: env.Chain().Epochs(), Node: env.Self().Node,
		Kind: "bridge", Choice: choice, AmountRao: trace.Some(rao),
	})
}

// settle takes what became of a payment. One that was refused is due again.
func (b *Bridge) settle(id host.SubmitID, included bool) {
	i := slices.IndexFunc(b.paying, func(p payingBack) bool { return p.submit == id })
	if i < 0 {
		return
	}
	b.unsaved = true
	if included {
		b.books.Pay(b.paying[i].transfer)
	}
	b.paying = slices.Delete(b.paying, i, i+1)
}

// AppendState implements host.Agent.
func (b *Bridge) AppendState(data []byte) []byte {
	data = state.Begin(data, "bridge")
	data = state.AppendU64(data, uint64(b.timer))
	data = state.AppendU64(data, b.reorged)
	data = state.AppendU32(data, uint32(len(b.paying)))
	for _, p := range b.paying {
		data = state.AppendU64(state.AppendU64(data, uint64(p.submit)), p.transfer)
	}
	if data = state.AppendBool(data, b.books != nil); b.books != nil {
		data = state.AppendPart(data, b.books)
	}
	return data
}

// RestoreState implements host.Agent. After an error the bridge is as it was.
func (b *Bridge) RestoreState(data []byte) error {
	c := state.Open("bridge", data)
	r := Bridge{config: b.config, timer: host.TimerID(c.U64("timer")), reorged: c.U64("last reorganisation")}
	for n := c.Count("payments", 16); n > 0; n-- {
		r.paying = append(r.paying, payingBack{host.SubmitID(c.U64("payment")), c.U64("transfer")})
	}
	if c.Bool("books") {
		r.books = bridge.New(b.config.Rules, 0)
		c.Part("books", r.books.UnmarshalBinary)
	} else if len(r.paying) > 0 {
		c.Fail("%d payments without books", len(r.paying))
	}
	if err := c.End(); err != nil {
		return err
	}
	*b = r
	return nil
}
