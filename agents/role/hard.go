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
}

// hardPresets are the settings that a ledger can begin with.
var hardPresets = map[string]chain.Hard{
	"": {},
	"live": {
		StrictNonce: true, MaxExpiryBlocks: 1024,
		FeeRao: 1000, FeeRise: 8, FeeRecycled: true, MaxBlockWork: 400_000, MaxBlockBytes: 1 << 20,
	},
}

// settings are the preset's with what the table overrides.
func (h *Hard) settings() chain.Hard {
	hard := hardPresets[h.Preset]
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
