package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/sim/chain"
	"taolab/sim/chain/conformance"
)

// metagraph is the state of another network, from which a scenario's ledger continues.
type metagraph struct {
	path    string
	genesis chain.Genesis
	filled  []conformance.Filled
}

// readMetagraph reads the state that the scenario names, unless it is loaded already.
func (f *File) readMetagraph() error {
	path := f.Chain.Metagraph
	if f.metagraph != nil && f.metagraph.path == path {
		return nil
	}
	if f.metagraph = nil; path == "" {
		return nil
	}
	data, err := readOpened(path)
	if err != nil {
		return f.wrongMetagraph(fmt.Sprintf("%s cannot be read: %v", path, err), "a file with a "+conformance.MetagraphFormat)
	}
	g, filled, err := genesisFrom(data)
	if err == nil {
		_, err = chain.New(g)
	}
	if err != nil {
		return &settings.Error{Where: path, Fault: err.Error(),
			Want: "a " + conformance.MetagraphFormat + ", or a ledger as taolabd export writes it",
			Hint: "taolab apply --example writes one"}
	}
	f.metagraph = &metagraph{path: path, genesis: g, filled: filled}
	return nil
}

// genesisFrom makes the genesis that continues a metagraph or a ledger's canonical bytes.
func genesisFrom(data []byte) (chain.Genesis, []conformance.Filled, error) {
	if text := bytes.TrimLeft(data, " \t\r\n"); len(text) == 0 || text[0] == '{' {
		return conformance.ReadMetagraph(data)
	}
	var state chain.State
	if err := state.UnmarshalBinary(data); err != nil {
		return chain.Genesis{}, nil, err
	}
	return state.Onward(), nil, nil
}

// FromLedger makes a scenario without models of all neurons of a ledger: those with a permit are validators,
// the others miners, each in its own seat and with its own state. The ledger continues under its parameters,
// unless sets override them.
func FromLedger(path string, sets []string) (*File, error) {
	data, err := readOpened(path)
	if err == nil {
		var g chain.Genesis
		if g, _, err = genesisFrom(data); err == nil {
			return fromRecords(path, &g, sets)
		}
	}
	return nil, &settings.Error{Where: path, Fault: err.Error(), Want: "a ledger as taolabd export writes it, or a " + conformance.MetagraphFormat}
}

func fromRecords(path string, g *chain.Genesis, sets []string) (*File, error) {
	validators := 0
	for _, r := range g.Records {
		if r.Permit {
			validators++
		}
	}
	if validators == 0 || validators == len(g.Records) {
		return nil, &settings.Error{Where: path, Fault: fmt.Sprintf("%d of %d neurons have a permit", validators, len(g.Records)),
			Want: "validators, which have one, and miners", Hint: "wait for an epoch, or give a scenario with --scenario"}
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`format = 2
name = "onward"
description = "What would have happened from block %d of %s on."
mode = "economy"

[time]
hours = 24

[chain]
metagraph = %q

[[miners]]
count = %d

[[validators]]
count = %d
peers = %d
`, g.Height, g.ChainID, absolute, len(g.Records)-validators, validators, min(8, len(g.Records)-validators))
	file := &File{Origin: path, Sets: sets, Dir: ".", Text: text}
	scenario, err := Decode(path, text, sets)
	if err != nil {
		return nil, err
	}
	return file, file.complete(scenario)
}

// inheritMetagraph sets the keys of [chain] that have defaults to the metagraph's values, unless the file sets
// them.
func (f *File) inheritMetagraph() error {
	if f.metagraph == nil {
		return nil
	}
	if f.written("chain.era") {
		return &settings.Error{Where: f.where("chain.era"), Key: "chain.era", Fault: "set, but the metagraph has an era",
			Want: "no era", Hint: "parameters of [chain] override those of the metagraph"}
	}
	p := &f.metagraph.genesis.Params
	if !f.written("chain.tempo_blocks") {
		f.Chain.TempoBlocks = p.TempoBlocks
	}
	if !f.written("chain.weights_rate_limit_blocks") {
		f.Chain.WeightsRateLimitBlocks = p.WeightsRateLimitBlocks
	}
	return nil
}

// checkMetagraph checks that the scenario fits its metagraph.
func (f *File) checkMetagraph() error {
	if f.metagraph == nil {
		return nil
	}
	if _, err := f.Params(); err != nil {
		return err
	}
	seats := f.metagraph.seats()
	for miner, kind := range map[bool]string{false: "validators", true: "miners"} { // order-free: one fault is enough
		if n := f.joined(miner); n > len(seats[miner]) {
			return f.wrongMetagraph(fmt.Sprintf("%d seats for %d %s", len(seats[miner]), n, kind), "a seat for each",
				"validators need neurons with a permit, miners others")
		}
	}
	return nil
}

// readOpened reads a file that the scenario names, up to the largest metagraph.
func readOpened(path string) ([]byte, error) {
	file, err := open(path)
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, conformance.MaxBytes+1))
	if err == nil && len(data) > conformance.MaxBytes {
		err = fmt.Errorf("longer than %d bytes", conformance.MaxBytes)
	}
	return data, err
}

func (f *File) wrongMetagraph(fault, want string, hints ...string) error {
	e := &settings.Error{Where: f.where("chain.metagraph"), Key: "chain.metagraph", Fault: fault, Want: want}
	if len(hints) > 0 {
		e.Hint = hints[0]
	}
	return e
}

// joined counts the miners or validators that have a seat at the beginning.
func (f *File) joined(miner bool) int {
	if miner {
		return f.MinerCount()
	}
	return f.NeuronCount() - f.MinerCount()
}

// Params returns the chain's parameters: those of the metagraph, or of the era, with the scenario's overrides.
func (f *File) Params() (chain.Params, error) {
	if f.metagraph == nil {
		return f.Scenario.Params()
	}
	p, err := f.Chain.ParamsOn(f.metagraph.genesis.Params, f.MinerCount())
	if err != nil {
		return p, f.located("", err)
	}
	return p, nil
}

// seats lists the uids that miners (true) and validators (false) take, in ascending order.
func (m *metagraph) seats() map[bool][]chain.UID {
	seats := map[bool][]chain.UID{}
	for i, r := range m.genesis.Records {
		seats[!r.Permit] = append(seats[!r.Permit], chain.UID(i))
	}
	return seats
}

// adoptMetagraph sets the builder's genesis to the metagraph's, with its money and ages.
func (b *builder) adoptMetagraph() {
	g := b.metagraph.genesis
	g.ChainID, g.Params = b.genesis.ChainID, b.genesis.Params
	g.IssuanceOffsetRao += b.genesis.IssuanceOffsetRao
	g.Neurons, g.Stakes = slices.Clone(g.Neurons), slices.Clone(g.Stakes)
	g.Balances, g.Delegates = slices.Clone(g.Balances), slices.Clone(g.Delegates)
	g.Operators = nil // the scenario sets its own
	b.genesis, b.free = g, b.metagraph.seats()
	b.named = map[chain.Key]entries{}
	for i, stake := range g.Stakes {
		of := b.named[stake.Hotkey]
		of.stakes = append(of.stakes, i)
		b.named[stake.Hotkey] = of
	}
	for i, delegate := range g.Delegates {
		of := b.named[delegate.Hotkey]
		of.delegates = append(of.delegates, i)
		b.named[delegate.Hotkey] = of
	}
}

// entries are the indices in a genesis of entries that name a hotkey.
type entries struct{ stakes, delegates []int }

// seat gives a node the seat of a neuron of the metagraph, with its stake, and returns it.
func (b *builder) seat(miner bool, hotkey, coldkey chain.Key) (uid uint16, stakeRao uint64) {
	place := b.free[miner][0]
	b.free[miner] = b.free[miner][1:]
	n := &b.genesis.Neurons[place]
	of := b.named[n.Hotkey]
	for _, i := range of.stakes {
		b.genesis.Stakes[i].Hotkey = hotkey
	}
	for _, i := range of.delegates {
		b.genesis.Delegates[i].Hotkey = hotkey
	}
	if b.genesis.Owner == n.Hotkey {
		b.genesis.Owner = hotkey
	}
	n.Hotkey, n.Coldkey = hotkey, coldkey
	return uint16(place), n.StakeRao
}

// Heights returns the heights of genesis and of the run's last block.
func (f *File) Heights() (genesis, last uint64) {
	if f.metagraph != nil {
		genesis = f.metagraph.genesis.Height
	}
	return genesis, genesis + f.BlockCount()
}

// presets names the source of the parameters that the scenario does not set.
func (f *File) presets() string {
	if f.metagraph != nil {
		return "parameters of the metagraph"
	}
	return "era " + f.Chain.Era
}

// issued is the issuance at genesis.
func (f *File) issued(p *chain.Params) uint64 {
	if f.metagraph == nil {
		return f.genesisRao(&p.Hard)
	}
	g := &f.metagraph.genesis
	return g.IssuanceOffsetRao + role.Rao(f.Chain.InitialIssuanceTAO) + g.PendingRao + g.MoneyRao()
}

// metagraphInForce lists the point where the ledger continues, and the values that the metagraph lacked.
func (f *File) metagraphInForce() []Setting {
	if f.metagraph == nil {
		return nil
	}
	g := &f.metagraph.genesis
	list := []Setting{{"metagraph", f.Chain.Metagraph, fmt.Sprintf("the ledger continues after block %d, with %d neurons, "+
		"epoch %d at block %d and the parameters there", g.Height, len(g.Neurons), g.Epochs, g.LastEpoch)}}
	for _, x := range f.metagraph.filled {
		list = append(list, Setting{"filled " + x.Field, fmt.Sprint(x.Count), x.Value})
	}
	return list
}
