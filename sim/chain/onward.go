package chain

// Onward is a genesis that goes on from the state under the same parameters: its money, stakes, neurons with
// their weights, bonds and ages, and the time since its last epoch. All that was on its way is settled: stake that
// unbonds is free, hidden weights are forgotten, and seats, council and proposals are left behind, since who
// holds their keys is not there any more.
func (s *State) Onward() Genesis {
	x := s.Export()
	g := Genesis{
		ChainID: x.ChainID, Params: x.Params, Owner: x.Owner, Height: x.Height, LastEpoch: x.LastEpoch, Epochs: x.Epochs,
		PendingRao: x.Money.Pending, BurnPriceRao: x.BurnPriceRao,
	}
	seated := map[Key]bool{}
	for _, n := range x.Neurons {
		seated[n.Hotkey] = true
		account := s.accounts.get(n.Hotkey)
		own := account.stakeRao
		for _, nomination := range account.nominations {
			own -= nomination.stakeRao
		}
		g.Neurons = append(g.Neurons, GenesisNeuron{Hotkey: n.Hotkey, Coldkey: account.owner, StakeRao: own})
		g.Records = append(g.Records, GenesisRecord{
			RegisteredAt: n.RegisteredAt, LastUpdate: n.LastUpdate, Permit: n.Permit, Active: n.Active,
			Weights: n.Weights, Bonds: n.Bonds, Axon: n.Axon, IP: n.IP, Port: n.Port,
		})
	}
	for _, a := range x.Accounts {
		free := a.FreeRao
		for _, u := range a.Unbonding {
			free += u.Rao
		}
		if free > 0 {
			g.Balances = append(g.Balances, Balance{Coldkey: a.Key, FreeRao: free})
		}
		if a.Delegate {
			g.Delegates = append(g.Delegates, GenesisDelegate{Hotkey: a.Key, Take: a.Take})
		}
		own := a.StakeRao
		for _, n := range a.Nominations {
			own -= n.StakeRao
		}
		needed := own > 0 || len(a.Nominations) > 0 || a.Delegate || a.Key == x.Owner
		if needed && !seated[a.Key] {
			g.Stakes = append(g.Stakes, GenesisStake{Hotkey: a.Key, Coldkey: a.Owner, StakeRao: own})
		}
		for _, n := range a.Nominations {
			g.Stakes = append(g.Stakes, GenesisStake{Hotkey: a.Key, Coldkey: n.Coldkey, StakeRao: n.StakeRao})
		}
	}
	g.IssuanceOffsetRao = x.Money.Issuance - g.MoneyRao() - g.PendingRao
	return g
}
