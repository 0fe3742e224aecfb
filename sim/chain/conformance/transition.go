package conformance

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"taolab/sim/chain"
)

// The formats of a transition.
const (
	StateFormat      = "taolab-state/1"
	GenesisFormat    = "taolab-genesis/1"
	BlockFormat      = "taolab-block/1"
	TransitionFormat = "taolab-transition/1"
)

const (
	maxTransactions = 1 << 16
	maxAdvance      = 1 << 28
	maxEpochs       = 1 << 17 // of the empty blocks: each is an event that is kept and printed
	maxVisits       = 1 << 28 // neurons, weights and bonds, by those epochs
)

// Block is what happens to a state: transactions of one block, then empty blocks.
type Block struct {
	Height       uint64 // of the block: one more than the state's
	Begin        *chain.Begin
	Transactions []Transaction
	Advance      uint64 // empty blocks after it
}

// Transaction is a transaction, or why its bytes are none.
type Transaction struct {
	Tx        chain.Tx
	Malformed error
}

// Receipt says what became of a transaction.
type Receipt struct {
	OK         bool
	Code       string // why it was refused, as chain names it, or Malformed; empty if it was not
	Have, Want uint64 // the numbers of that reason
	Text       string // the same for people
	FeeRao     uint64 // that it paid, where work costs anything, also if it was refused
}

// Transition is what a block did.
type Transition struct {
	Receipts []Receipt // of the transactions, in their order
	Events   []chain.Event
	Digest   chain.Digest // of the state after it, as Totals
	Totals   chain.Totals
}

// document opens a JSON document of one of formats and says which.
func open(data []byte, formats ...string) (d *document, root *object, format string, err error) {
	if d, err = parse(data); err != nil {
		return nil, nil, "", err
	}
	root = d.object(0)
	at := root.need("format")
	format = d.text(at)
	known := false
	for _, f := range formats {
		known = known || f == format
	}
	if d.err == nil && !known {
		d.fail(at, "found %q, want %s", format, strings.Join(formats, " or "))
	}
	return d, root, format, d.err
}

// ReadState reads a state, or the state after a transition, whose digest has to be right then.
func ReadState(data []byte) (*chain.State, error) {
	d, root, format, err := open(data, StateFormat, TransitionFormat)
	if err != nil {
		return nil, err
	}
	stateAt, stateObject, digestAt := 0, root, none
	if format == TransitionFormat {
		root.notes("receipts", "events", "totals")
		digestAt = root.need("digest")
		stateAt = root.need("state")
		root.end()
		stateObject = d.object(stateAt)
		at := stateObject.need("format")
		if d.err == nil && d.text(at) != StateFormat {
			d.fail(at, "want %q", StateFormat)
		}
	}
	var snapshot chain.Snapshot
	stateObject.readFields(reflect.ValueOf(&snapshot).Elem())
	stateObject.end()
	if d.err != nil {
		return nil, d.err
	}
	s, err := chain.Import(snapshot)
	if err != nil {
		d.fail(stateAt, "%v", err)
		return nil, d.err
	}
	if digestAt != none {
		var digest chain.Digest
		d.readPlain(digestAt, reflect.ValueOf(&digest).Elem())
		if got := s.Digest(); d.err == nil && got != digest {
			d.fail(digestAt, "the digest of the state is %s", got)
		}
	}
	return s, d.err
}

// ReadGenesis reads a genesis and makes the state at height 0. With an era the parameters are
// that era's, for a network of uids neurons if that stands there too, and params holds only what
// differs; without one it holds all.
func ReadGenesis(data []byte) (*chain.State, error) {
	d, root, _, err := open(data, GenesisFormat)
	if err != nil {
		return nil, err
	}
	var g chain.Genesis
	eraAt, hasEra := root.maybe("era")
	paramsAt, hasParams := root.maybe("params")
	if hasEra {
		if g.Params, err = chain.Era(d.text(eraAt)); err != nil {
			d.fail(eraAt, "%v", err)
		}
		if at, ok := root.maybe("uids"); ok {
			g.Params = g.Params.Scaled(int(d.unsigned(at, 1<<16)))
		}
	} else if !hasParams {
		d.fail(0, `"era" or "params" is missing`)
	}
	v := reflect.ValueOf(&g).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		at, ok := root.maybe(key(name))
		switch {
		case name == "Params":
			if hasParams {
				d.overlay(paramsAt, v.Field(i), !hasEra)
			}
		case ok:
			d.readPlain(at, v.Field(i))
		case name == "ChainID":
			root.need(key(name))
		}
	}
	root.end()
	if d.err != nil {
		return nil, d.err
	}
	s, err := chain.New(g)
	if err != nil {
		d.fail(0, "%v", err)
	}
	return s, d.err
}

// overlay reads the fields of v that are there, or, if all, demands them all.
func (d *document) overlay(at int, v reflect.Value, all bool) {
	o := d.object(at)
	for i := range v.NumField() {
		name := key(v.Type().Field(i).Name)
		if at, ok := o.maybe(name); ok || all {
			if !ok {
				at = o.need(name)
			}
			d.readPlain(at, v.Field(i))
		}
	}
	o.end()
}

// ReadBlock reads a block.
func ReadBlock(data []byte) (Block, error) {
	d, root, _, err := open(data, BlockFormat)
	if err != nil {
		return Block{}, err
	}
	var b Block
	b.Height = d.unsigned(root.need("height"), 1<<62)
	b.Transactions = list(d, root.need("transactions"), maxTransactions, d.transaction)
	if at, ok := root.maybe("begin"); ok {
		b.Begin = new(chain.Begin)
		d.readPlain(at, reflect.ValueOf(b.Begin).Elem())
	}
	if at, ok := root.maybe("advance"); ok {
		b.Advance = d.unsigned(at, maxAdvance)
	}
	root.end()
	return b, d.err
}

// ReadMessage reads what a transaction asks for, as it stands in a block.
func ReadMessage(data []byte) (m chain.Msg, err error) {
	d, err := parse(data)
	if err != nil {
		return nil, err
	}
	d.readPlain(0, reflect.ValueOf(&m).Elem())
	return m, d.err
}

// AppendMessage appends a message as ReadMessage reads it.
func AppendMessage(b []byte, m chain.Msg) []byte {
	return append(appendPlain(b, reflect.ValueOf(&m).Elem(), ""), '\n')
}

// transaction reads one as the hexadecimal digits of its bytes or field by field.
func (d *document) transaction(at int) Transaction {
	var t Transaction
	if d.err == nil && d.Kind(at) == '"' {
		raw, err := hex.DecodeString(d.text(at))
		if err != nil {
			d.fail(at, "want an even number of hexadecimal digits")
			return t
		}
		t.Tx, t.Malformed = chain.DecodeTx(raw)
		return t
	}
	o, v := d.object(at), reflect.ValueOf(&t.Tx).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if slices.Contains(pricing, name) {
			if at, ok := o.maybe(key(name)); ok {
				d.readPlain(at, v.Field(i))
			}
			continue
		}
		d.readPlain(o.need(key(name)), v.Field(i))
	}
	o.end()
	return t
}

// pricing are the fields of a transaction that only networks with fees ask for.
var pricing = []string{"Priced", "MaxFeeRao", "TipRao"}

// Apply applies a block to a state, which it changes. It refuses a block of another height and one
// whose empty blocks are too much work, and leaves the state alone then.
func (b Block) Apply(s *chain.State) (Transition, error) {
	if want := s.Height() + 1; b.Height != want {
		return Transition{}, fmt.Errorf("block of height %d on a state of height %d: want height %d",
			b.Height, s.Height(), want)
	}
	if err := b.affordable(s.View()); err != nil {
		return Transition{}, err
	}
	if err := s.Outdated(); err != nil {
		return Transition{}, err
	}
	var t Transition
	if b.Begin != nil {
		s.BeginBlock(*b.Begin)
	}
	for _, tx := range b.Transactions {
		t.Receipts = append(t.Receipts, tx.apply(s))
	}
	t.Events = append(s.EndBlock(), s.Advance(b.Advance)...)
	t.Digest, t.Totals = s.Digest(), s.Totals()
	return t, nil
}

// affordable bounds the number of epochs in the empty blocks and the work they are, whatever of the
// block's transactions is applied.
func (b Block) affordable(v chain.View) error {
	visits := uint64(v.N())
	for uid := range v.N() {
		visits += uint64(len(v.Weights(chain.UID(uid))) + len(v.Bonds(chain.UID(uid))))
	}
	tempo := v.Params().TempoBlocks
	for _, t := range b.Transactions {
		visits++ // perhaps one neuron more
		switch m := t.Tx.Msg.(type) {
		case chain.SetWeights:
			visits += uint64(len(m.UIDs))
		case chain.RevealWeights:
			visits += uint64(len(m.UIDs))
		case chain.SetParams:
			if m.Name == "TempoBlocks" && m.Value-1 < tempo-1 { // 0, no epoch ever, is the longest
				tempo = m.Value
			}
		}
	}
	if tempo == 0 {
		return nil
	}
	most := uint64(maxEpochs)
	if visits > 0 {
		most = min(most, maxVisits/visits)
	}
	if epochs := b.Advance / tempo; epochs > most {
		return fmt.Errorf("advance %d: %d epochs of %d neurons, their weights and bonds are too many "+
			"at once: want at most %d blocks", b.Advance, epochs, v.N(), most*tempo)
	}
	return nil
}

func (t Transaction) apply(s *chain.State) Receipt {
	if t.Malformed != nil {
		return Receipt{Code: "Malformed", Text: t.Malformed.Error()}
	}
	done, err := s.Deliver(t.Tx)
	if err == nil && done.Refusal != nil {
		err = done.Refusal
	}
	if err == nil {
		return Receipt{OK: true, FeeRao: done.FeeRao}
	}
	r := Receipt{Text: err.Error(), FeeRao: done.FeeRao}
	var refusal *chain.Error
	if errors.As(err, &refusal) {
		r.Code, r.Have, r.Want = refusal.Code.Name(), refusal.Have, refusal.Want
	}
	return r
}

// AppendState appends a state as ReadState reads it.
func AppendState(b []byte, s *chain.State) []byte {
	return append(appendState(b, s, ""), '\n')
}

func appendState(b []byte, s *chain.State, indent string) []byte {
	return appendFormat(b, StateFormat, reflect.ValueOf(s.Export()), indent)
}

// appendFormat appends a struct with its format as first member, and leaves the object open for
// more if indent says so.
func appendFormat(b []byte, format string, v reflect.Value, indent string) []byte {
	head := fmt.Sprintf("{\n%s  \"format\": %q,", indent, format)
	return append(append(b, head...), appendPlain(nil, v, indent)[1:]...)
}

// AppendJSON appends the transition, and the state after it unless that is nil.
func (t Transition) AppendJSON(b []byte, after *chain.State) []byte {
	b = appendFormat(b, TransitionFormat, reflect.ValueOf(t), "")
	if after != nil {
		b = append(b[:len(b)-len("\n}")], ",\n  \"state\": "...)
		b = append(appendState(b, after, "  "), "\n}"...)
	}
	return append(b, '\n')
}
