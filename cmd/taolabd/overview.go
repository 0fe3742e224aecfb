package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/chain"
	"taolab/sim/live/wallet"
)

// overviewRow is a hotkey of a wallet as people and programs read it. Without a uid it has only its stake.
type overviewRow struct {
	Wallet string `json:"wallet"`
	Name   string `json:"name"`
	HasUID bool   `json:"has_uid"`
	neuronRow
}

// walletMoney is a coldkey's money.
type walletMoney struct {
	Wallet       string `json:"wallet"`
	Coldkey      string `json:"coldkey"`
	FreeRao      uint64 `json:"free_rao"`
	UnbondingRao uint64 `json:"unbonding_rao"`
}

func newOverview() *cobra.Command {
	var to reach
	var asJSON, all bool
	var of, sortBy string
	cmd := &cobra.Command{
		Use:   "overview",
		Short: "Show what the hotkeys of your wallets have and earn",
		Long: `A row for each hotkey of the wallets in the node's folder that has a uid or stake, with the columns of
metagraph. The sums stand below, and the free money of each coldkey.`,
		Example: `  taolabd overview
  taolabd overview --wallet alice --sort-by emission`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			node, err := to.dial(at)
			if err != nil {
				return err
			}
			list, err := at.keystore(0).List()
			if err != nil {
				return command.Code(command.Failure, err)
			}
			if of != "" {
				one, err := at.keystore(0).Wallet(of)
				if err != nil {
					return command.Code(command.Failure, err)
				}
				list = []wallet.Wallet{one}
			}
			v, err := node.view(cmd.Context())
			if err != nil {
				return err
			}
			rows, money := overview(v, list, all)
			if err := sortOverview(rows, sortBy); err != nil {
				return err
			}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), struct {
					Block   uint64        `json:"block"`
					Hotkeys []overviewRow `json:"hotkeys"`
					Wallets []walletMoney `json:"wallets"`
				}{v.Height(), rows, money})
			}
			return printOverview(cmd.OutOrStdout(), v, rows, money)
		},
	}
	addHome(cmd)
	to.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&all, "all", false, "hotkeys with neither uid nor stake too")
	cmd.Flags().StringVar(&of, "wallet", "", "`name` of the only wallet to show")
	cmd.Flags().StringVar(&sortBy, "sort-by", "", "`column` to sort by; without it as the wallets have them")
	return cmd
}

// overview looks the hotkeys of wallets up in a ledger.
func overview(v chain.View, list []wallet.Wallet, all bool) (rows []overviewRow, money []walletMoney) {
	rows, money = []overviewRow{}, []walletMoney{}
	for _, w := range list {
		m := walletMoney{Wallet: w.Name, Coldkey: wallet.Address(w.Coldkey), FreeRao: v.FreeOf(w.Coldkey)}
		for _, u := range v.UnbondingOf(w.Coldkey) {
			m.UnbondingRao += u.Rao
		}
		money = append(money, m)
		for _, h := range w.Hotkeys {
			uid, has := v.UIDOf(h.Key)
			r := overviewRow{Wallet: w.Name, Name: h.Name, HasUID: has}
			r.StakeRao, r.Hotkey, r.Coldkey = v.StakeOf(h.Key), wallet.Address(h.Key), m.Coldkey
			if has {
				r.neuronRow = rowOf(v, uid)
			}
			if has || r.StakeRao > 0 || all {
				rows = append(rows, r)
			}
		}
	}
	return rows, money
}

// sortOverview sorts rows as a flag says.
func sortOverview(rows []overviewRow, by string) error {
	if by == "" {
		return nil
	}
	if err := sortRows(nil, by); err != nil {
		return err
	}
	slices.SortStableFunc(rows, func(a, b overviewRow) int { return orders[by](a.neuronRow, b.neuronRow) })
	return nil
}

func printOverview(w io.Writer, v chain.View, rows []overviewRow, money []walletMoney) error {
	t := columns("<COLDKEY", "<HOTKEY", "UID", "<ACTIVE", "STAKE(τ)", "RANK", "TRUST", "CONSENSUS", "INCENTIVE", "DIVIDENDS", "EMISSION(ρ)", "UPDATED", "<AXON", "<HOTKEY_SS58")
	var sum tally
	for _, r := range rows {
		sum.add(r.neuronRow)
		if !r.HasUID {
			t.row(r.Wallet, r.Name, "none", "", amount(r.StakeRao), "", "", "", "", "", "", "", "", r.Hotkey)
			continue
		}
		t.row(r.Wallet, r.Name, r.UID, active(r.Active), amount(r.StakeRao), score(r.Rank), score(r.Trust), score(r.Consensus), score(r.Incentive),
			score(r.Dividends), r.EmissionRao, r.Updated, shownAxon(r.Axon), r.Hotkey)
	}
	t.row("", "", len(rows), "", amount(sum.stake), score(sum.rank), score(sum.trust), score(sum.consensus), score(sum.incentive), score(sum.dividends),
		sum.emission, "", "", "")
	if err := t.write(w); err != nil {
		return err
	}
	for _, m := range money {
		leaving := ""
		if m.UnbondingRao > 0 {
			leaving = fmt.Sprintf(", and %s TAO on their way out of hotkeys", amount(m.UnbondingRao))
		}
		if _, err := fmt.Fprintf(w, "\nwallet %s has %s TAO free%s", m.Wallet, amount(m.FreeRao), leaving); err != nil {
			return command.Code(command.Failure, err)
		}
	}
	_, err := fmt.Fprintf(w, "\nblock %d\n", v.Height())
	return command.Code(command.Failure, err)
}
