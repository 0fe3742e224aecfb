package conformance

import (
	"fmt"
	"reflect"
	"slices"

	"taolab/sim/chain"
)

// AppendMetagraph appends a state as ReadMetagraph reads it, with nothing left to fill. Stake on its way
// out counts as free money of its coldkey, and money that nobody has only as issued. Nonces, commits,
// proposals and the running counts of registrations are not a metagraph's.
func AppendMetagraph(b []byte, s *chain.State) []byte {
	x := s.Export()
	era, uids := nearestEra(&x.Params)
	b = fmt.Appendf(b, "{\n  \"format\": %q", MetagraphFormat)
	add := func(name string, v any) {
		b = appendPlain(fmt.Appendf(b, ",\n  %q: ", name), reflect.ValueOf(v), "  ")
	}
	add("chain_id", x.ChainID)
	add("block", x.Height)
	add("era", era)
	if uids > 0 {
		add("uids", uids)
	}
	add("params", x.Params)
	b = append(b, ",\n  \"neurons\": ["...)
	stakes, owned := stakesOf(&x)
	for i := range x.Neurons {
		b = appendNeuron(append(b, comma(i)+"\n    "...), &x.Neurons[i], owned[x.Neurons[i].Hotkey])
	}
	b = append(b, "\n  ]"...)
	add("delegates", delegatesOf(&x))
	add("nominations", stakes)
	add("balances", balancesOf(&x))
	add("operators", operatorsOf(&x))
	add("council", x.Council)
	add("threshold", x.Threshold)
	add("owner", x.Owner)
	add("governor", x.Governor)
	add("last_epoch", x.LastEpoch)
	add("epochs", x.Epochs)
	add("burn_price_rao", x.BurnPriceRao)
	add("issuance_rao", x.Money.Issuance)
	add("pending_rao", x.Money.Pending)
	return append(b, "\n}\n"...)
}

// nearestEra is the era, at its own size (0) or scaled to the network's, from which the fewest parameters
// differ.
func nearestEra(p *chain.Params) (name string, uids uint16) {
	least := 0
	for _, era := range chain.Eras() {
		base, err := chain.Era(era)
		if err != nil {
			panic(err) // Eras names it
		}
		for _, size := range []uint16{0, p.MaxUIDs} {
			from := base
			if size > 0 {
				from = base.Scaled(int(size))
			}
			if n := differing(&from, p); name == "" || n < least {
				name, uids, least = era, size, n
			}
		}
	}
	return name, uids
}

// differing is the number of fields in which two sets of parameters differ.
func differing(a, b *chain.Params) (n int) {
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range x.NumField() {
		if !x.Field(i).Equal(y.Field(i)) {
			n++
		}
	}
	return n
}

// appendNeuron appends a neuron with its owner's stake.
func appendNeuron(b []byte, n *chain.SnapshotNeuron, own chain.GenesisStake) []byte {
	b = append(b, '{')
	members := []any{
		"hotkey", n.Hotkey, "stake_rao", own.StakeRao, "coldkey", own.Coldkey, "registered_at", n.RegisteredAt,
		"last_update", n.LastUpdate, "permit", n.Permit, "active", n.Active, "axon", n.Axon, "ip", n.IP, "port", n.Port,
		"weights", n.Weights, "bonds", n.Bonds,
	}
	for i := 0; i < len(members); i += 2 {
		b = appendPlain(fmt.Appendf(b, "%s\n      %q: ", comma(i), members[i]), reflect.ValueOf(members[i+1]), "      ")
	}
	return append(b, "\n    }"...)
}

// stakesOf are the stakes besides those of the neurons' owners, each hotkey's owner before its nominators,
// and the owners' stakes of all hotkeys.
func stakesOf(x *chain.Snapshot) (stakes []chain.GenesisStake, owned map[chain.Key]chain.GenesisStake) {
	seated := map[chain.Key]bool{}
	for _, n := range x.Neurons {
		seated[n.Hotkey] = true
	}
	owned, stakes = map[chain.Key]chain.GenesisStake{}, []chain.GenesisStake{}
	for _, a := range x.Accounts {
		if a.Owner == (chain.Key{}) {
			continue
		}
		own := chain.GenesisStake{Hotkey: a.Key, Coldkey: a.Owner, StakeRao: a.StakeRao}
		for _, n := range a.Nominations {
			own.StakeRao -= n.StakeRao
		}
		if owned[a.Key] = own; !seated[a.Key] {
			stakes = append(stakes, own)
		}
		for _, n := range a.Nominations {
			stakes = append(stakes, chain.GenesisStake{Hotkey: a.Key, Coldkey: n.Coldkey, StakeRao: n.StakeRao})
		}
	}
	return stakes, owned
}

func delegatesOf(x *chain.Snapshot) []chain.GenesisDelegate {
	delegates := []chain.GenesisDelegate{}
	for _, a := range x.Accounts {
		if a.Delegate {
			delegates = append(delegates, chain.GenesisDelegate{Hotkey: a.Key, Take: a.Take})
		}
	}
	return delegates
}

func balancesOf(x *chain.Snapshot) []chain.Balance {
	balances := []chain.Balance{}
	for _, a := range x.Accounts {
		rao := a.FreeRao
		for _, u := range a.Unbonding {
			rao += u.Rao
		}
		if rao > 0 {
			balances = append(balances, chain.Balance{Coldkey: a.Key, FreeRao: rao})
		}
	}
	return balances
}

// operatorsOf are those that serve, or will from the next epoch's end on.
func operatorsOf(x *chain.Snapshot) []chain.GenesisOperator {
	operators := []chain.GenesisOperator{}
	for _, o := range x.Operators {
		k := o.ConsensusKey
		if o.Pending {
			k = o.Next
		}
		if k != (chain.Key{}) && !slices.Contains(x.Tombs, k) {
			operators = append(operators, chain.GenesisOperator{Hotkey: o.Hotkey, ConsensusKey: k})
		}
	}
	return operators
}
