package role

import (
	"fmt"
	"reflect"

	"taolab/agents/settings"
	"taolab/sim/chain"
)

// Hard is the table [chain.hard]: the rules that a ledger for strangers adds to its era's. Each key except
// the preset sets the field of chain.Hard of the same name.
type Hard struct {
	Preset string `toml:"preset" one:",live" doc:"settings to begin with: live is a ledger for strangers; empty: the ledger of the era"`

	StrictNonce     *bool   `toml:"strict_nonce" doc:"a transaction must have exactly its signer's next nonce, and a new account's nonces begin at the height"`
	MaxExpiryBlocks *uint64 `toml:"max_expiry_blocks" unit:"blocks" max:"1000000" doc:"most blocks from the next one to the expiry of a transaction; 0: no limit"`
	FeeRao          *uint64 `toml:"fee_rao" unit:"rao" max:"1000000000" doc:"least price of a unit of work; 0: transactions cost nothing"`
	FeeRise         *uint64 `toml:"fee_rise" max:"65535" doc:"the price moves by at most one part in this many in a block; 0: never"`
	FeeRecycled     *bool   `toml:"fee_recycled" doc:"fees leave the issuance and can be minted again; false: they are burned"`
	MaxBlockWork    *uint64 `toml:"max_block_work" unit:"units" max:"1099511627776" doc:"most units of work in a block, where work has a price"`
	MaxBlockBytes   *uint64 `toml:"max_block_bytes" unit:"bytes" max:"1073741824" doc:"most bytes of transactions in a block, where work has a price"`

	Seats             *uint64 `toml:"seats" max:"1024" doc:"block producers among the scenario's validators; 0: blocks come from elsewhere"`
	MinSeatRao        *uint64 `toml:"min_seat_rao" unit:"rao" max:"21000000000000000" doc:"stake that a seat needs"`
	ChurnDen          *uint64 `toml:"churn_den" max:"65535" doc:"an epoch moves at most one part in this many of all voting power; 0: no limit"`
	JailWindow        *uint64 `toml:"jail_window" unit:"blocks" max:"65535" doc:"blocks over which a producer's presence is counted; 0: absence is not punished"`
	JailSigned        *uint64 `toml:"jail_signed" unit:"1/65535" max:"65535" doc:"share of the window's blocks that a producer must sign"`
	JailEpochs        *uint64 `toml:"jail_epochs" unit:"epochs" max:"65535" doc:"epochs before an absent producer may return"`
	SlashEquivocation *uint64 `toml:"slash_equivocation" unit:"1/65535" max:"65535" doc:"share of its stake that a producer loses for signing two blocks of one height"`
	UnbondEpochs      *uint64 `toml:"unbond_epochs" unit:"epochs" max:"65535" doc:"time until unstaked money is free; 0: at once"`
	WarmStake         *bool   `toml:"warm_stake" doc:"stake counts from the next epoch on"`

	ExistentialRao   *uint64 `toml:"existential_rao" unit:"rao" max:"1000000000000" doc:"least money of an account that nothing else keeps alive; 0: no minimum"`
	MinNominationRao *uint64 `toml:"min_nomination_rao" unit:"rao" max:"1000000000000" doc:"least stake of a nominator on a delegate; 0: no minimum"`
	ServeBlocks      *uint64 `toml:"serve_blocks" unit:"blocks" max:"1000000" doc:"blocks between two endpoints of a hotkey"`
	ResetBlocks      *uint64 `toml:"reset_blocks" unit:"blocks" max:"1000000" doc:"blocks between two resets of the bonds on a neuron"`
	TakeBlocks       *uint64 `toml:"take_blocks" unit:"blocks" max:"100000000" doc:"blocks between two raises of a delegate's take"`
	Consent          *bool   `toml:"consent" doc:"hotkeys and consensus keys sign their consent to belong to a coldkey"`
	SoundKeys        *bool   `toml:"sound_keys" doc:"keys in the ledger must be valid points of the curve"`
	HashEntropy      *bool   `toml:"hash_entropy" doc:"proofs of work seal the hashes of blocks"`
	SwapRao          *uint64 `toml:"swap_rao" unit:"rao" max:"1000000000000" doc:"money that a swap of a hotkey burns"`
	HotSwapBlocks    *uint64 `toml:"hot_swap_blocks" unit:"blocks" max:"1000000" doc:"blocks between two swaps of a hotkey; 0: hotkeys cannot be swapped"`

	VoteDelayBlocks  *uint64 `toml:"vote_delay_blocks" unit:"blocks" max:"1000000" doc:"blocks from a council's agreement to its effect; 0: no council, and the rules never change"`
	MoneyDelayBlocks *uint64 `toml:"money_delay_blocks" unit:"blocks" max:"1000000" doc:"the same for money, the council itself and upgrades"`
	ParamEpochs      *uint64 `toml:"param_epochs" unit:"epochs" max:"65535" doc:"epochs between two changes of one parameter by a council"`
}

// settings returns the preset, or without one the rules in p, with the table's overrides, for a network with
// parameters p.
func (h *Hard) settings(p chain.Params) chain.Hard {
	hard := p.Hard
	if h.Preset == "live" {
		hard = p.Live().Hard
	}
	keys, into := reflect.ValueOf(h).Elem(), reflect.ValueOf(&hard).Elem()
	for i := range keys.NumField() {
		if key := keys.Field(i); key.Kind() == reflect.Pointer && !key.IsNil() {
			at := into.FieldByName(keys.Type().Field(i).Name)
			at.Set(key.Elem().Convert(at.Type()))
		}
	}
	return hard
}

// InForce is a setting of the ledger with its value in force.
type InForce struct {
	Name, Value, Note string
}

// HardInForce lists every setting with the name of its key and its meaning.
func HardInForce(hard chain.Hard) []InForce {
	var list []InForce
	values := reflect.ValueOf(hard)
	keys := reflect.TypeFor[Hard]()
	for _, f := range settings.Fields(keys) {
		if value := values.FieldByName(keys.FieldByIndex(f.Index).Name); value.IsValid() {
			s := InForce{"hard." + f.Key, fmt.Sprint(value), f.Doc}
			if f.Unit != "" {
				s.Value += " " + f.Unit
			}
			list = append(list, s)
		}
	}
	return list
}
