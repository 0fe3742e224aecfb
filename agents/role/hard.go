package role

import (
	"fmt"
	"reflect"

	"taolab/agents/settings"
	"taolab/sim/chain"
)

// Hard is the table [chain.hard]: what a ledger for strangers adds to its era's. Each key but the preset sets
// the field of chain.Hard that has its field's name.
type Hard struct {
	Preset string `toml:"preset" one:",live" doc:"settings to begin with: live is the ledger for strangers that use it together; empty: none, the ledger of the era"`

	StrictNonce     *bool   `toml:"strict_nonce" doc:"a transaction has the very nonce of its signer, and a new account's begins with the height"`
	MaxExpiryBlocks *uint64 `toml:"max_expiry_blocks" unit:"blocks" max:"1000000" doc:"a transaction expires at most so many blocks after the next one; 0: any time"`
	FeeRao          *uint64 `toml:"fee_rao" unit:"rao" max:"1000000000" doc:"least price of a unit of work; 0: transactions cost nothing"`
	FeeRise         *uint64 `toml:"fee_rise" max:"65535" doc:"the price moves by at most one such part in a block; 0: never"`
	FeeRecycled     *bool   `toml:"fee_recycled" doc:"fees leave the issuance and are minted again; false: they are burned"`
	MaxBlockWork    *uint64 `toml:"max_block_work" unit:"units" max:"1099511627776" doc:"units of work in a block where work costs anything"`
	MaxBlockBytes   *uint64 `toml:"max_block_bytes" unit:"bytes" max:"1073741824" doc:"bytes of transactions in a block where work costs anything"`

	Seats             *uint64 `toml:"seats" max:"1024" doc:"validators that make the network's own blocks, of those of the scenario; 0: blocks come from elsewhere"`
	MinSeatRao        *uint64 `toml:"min_seat_rao" unit:"rao" max:"21000000000000000" doc:"stake that a seat needs"`
	ChurnDen          *uint64 `toml:"churn_den" max:"65535" doc:"an epoch moves at most one such part of all power; 0: any"`
	JailWindow        *uint64 `toml:"jail_window" unit:"blocks" max:"65535" doc:"blocks in which a seat has to be there; 0: nobody is jailed for being away"`
	JailSigned        *uint64 `toml:"jail_signed" unit:"1/65535" max:"65535" doc:"share of them"`
	JailEpochs        *uint64 `toml:"jail_epochs" unit:"epochs" max:"65535" doc:"epochs before who was away may come back"`
	SlashEquivocation *uint64 `toml:"slash_equivocation" unit:"1/65535" max:"65535" doc:"share of its stake that who signs twice loses"`
	UnbondEpochs      *uint64 `toml:"unbond_epochs" unit:"epochs" max:"65535" doc:"time that stake takes to leave a hotkey; 0: it leaves at once"`
	WarmStake         *bool   `toml:"warm_stake" doc:"stake counts from the next epoch on"`

	ExistentialRao   *uint64 `toml:"existential_rao" unit:"rao" max:"1000000000000" doc:"money that an account holds which nothing else needs; 0: any"`
	MinNominationRao *uint64 `toml:"min_nomination_rao" unit:"rao" max:"1000000000000" doc:"stake that a nominator has on a delegate; 0: any"`
	ServeBlocks      *uint64 `toml:"serve_blocks" unit:"blocks" max:"1000000" doc:"blocks between two of a hotkey's endpoints"`
	ResetBlocks      *uint64 `toml:"reset_blocks" unit:"blocks" max:"1000000" doc:"blocks between two resets of the bonds in a neuron"`
	TakeBlocks       *uint64 `toml:"take_blocks" unit:"blocks" max:"100000000" doc:"blocks between two raises of a delegate's take"`
	Consent          *bool   `toml:"consent" doc:"hotkeys and consensus keys agree by signatures to whom they belong"`
	SoundKeys        *bool   `toml:"sound_keys" doc:"keys that enter the ledger are points that somebody may sign for"`
	HashEntropy      *bool   `toml:"hash_entropy" doc:"proofs of work seal the hashes of blocks"`
	SwapRao          *uint64 `toml:"swap_rao" unit:"rao" max:"1000000000000" doc:"money that a change of a hotkey burns"`
	HotSwapBlocks    *uint64 `toml:"hot_swap_blocks" unit:"blocks" max:"1000000" doc:"blocks between two changes of a hotkey; 0: hotkeys never change"`

	VoteDelayBlocks  *uint64 `toml:"vote_delay_blocks" unit:"blocks" max:"1000000" doc:"blocks that what a council agreed on waits; 0: no council, and the rules never change"`
	MoneyDelayBlocks *uint64 `toml:"money_delay_blocks" unit:"blocks" max:"1000000" doc:"the same about money, the council itself and upgrades"`
	ParamEpochs      *uint64 `toml:"param_epochs" unit:"epochs" max:"65535" doc:"epochs between two changes of one parameter by a council"`
}

// settings are the preset's with what the table overrides, for a network with these parameters; without a preset they begin with what those have.
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

// InForce is a setting of the ledger as it is in force.
type InForce struct {
	Name, Value, Note string
}

// HardInForce tells every one of the settings, under the name of its key and with its meaning.
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
