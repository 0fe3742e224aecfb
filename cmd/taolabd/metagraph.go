package main

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/chain"
	"taolab/sim/chain/consensus"
	"taolab/sim/live/wallet"
)

// neuronRow is a neuron as people and programs read it. Scores are shares of 1.
type neuronRow struct {
	UID         int     `json:"uid"`
	StakeRao    uint64  `json:"stake_rao"`
	Rank        float64 `json:"rank"`
	Trust       float64 `json:"trust"`
	Consensus   float64 `json:"consensus"`
	Incentive   float64 `json:"incentive"`
	Dividends   float64 `json:"dividends"`
	EmissionRao uint64  `json:"emission_rao"`
	Updated     uint64  `json:"updated_blocks"` // since its last weights, or its registration
	Active      bool    `json:"active"`
	Axon        string  `json:"axon"` // empty: none
	Hotkey      string  `json:"hotkey"`
	Coldkey     string  `json:"coldkey"`
}

// rowOf is the neuron of a uid.
func rowOf(v chain.View, uid chain.UID) neuronRow {
	n := v.Neuron(uid)
	r := neuronRow{
		UID: int(uid), StakeRao: n.StakeRao, EmissionRao: n.EmissionRao, Updated: v.Height() - n.LastUpdate, Active: n.Active,
		Axon: axonOf(n), Hotkey: wallet.Address(n.Hotkey), Coldkey: wallet.Address(n.Coldkey),
	}
	if v.Params().Rule == consensus.Nakamoto {
		wide := func(x uint64) float64 { return float64(x) / (1 << 64) }
		r.Rank, r.Trust, r.Consensus = wide(n.Wide.Rank), wide(n.Wide.Trust), wide(n.Wide.Consensus)
		r.Incentive, r.Dividends = wide(n.Wide.Incentive), wide(n.Wide.Dividends)
		return r
	}
	share := func(x uint16) float64 { return float64(x) / 65535 }
	r.Rank, r.Trust, r.Consensus = share(n.Rank), share(max(n.Trust, n.ValidatorTrust)), share(n.Consensus)
	r.Incentive, r.Dividends = share(n.Incentive), share(n.Dividends)
	return r
}

// axonOf is where a neuron serves.
func axonOf(n chain.Neuron) string {
	if n.Port == 0 {
		return ""
	}
	return netip.AddrPortFrom(netip.AddrFrom16(n.IP).Unmap(), n.Port).String()
}

// neurons are all of a ledger.
func neurons(v chain.View) []neuronRow {
	rows := []neuronRow{}
	for uid := range v.N() {
		rows = append(rows, rowOf(v, chain.UID(uid)))
	}
	return rows
}

// orders are what rows can be sorted by, the largest first where it is a number.
var orders = map[string]func(a, b neuronRow) int{
	"uid":       func(a, b neuronRow) int { return a.UID - b.UID },
	"stake":     func(a, b neuronRow) int { return falling(a.StakeRao, b.StakeRao) },
	"rank":      func(a, b neuronRow) int { return falling(a.Rank, b.Rank) },
	"trust":     func(a, b neuronRow) int { return falling(a.Trust, b.Trust) },
	"consensus": func(a, b neuronRow) int { return falling(a.Consensus, b.Consensus) },
	"incentive": func(a, b neuronRow) int { return falling(a.Incentive, b.Incentive) },
	"dividends": func(a, b neuronRow) int { return falling(a.Dividends, b.Dividends) },
	"emission":  func(a, b neuronRow) int { return falling(a.EmissionRao, b.EmissionRao) },
	"updated":   func(a, b neuronRow) int { return falling(b.Updated, a.Updated) },
}

func falling[T uint64 | float64](a, b T) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// sortRows sorts rows as a flag says.
func sortRows(rows []neuronRow, by string) error {
	order, known := orders[by]
	if !known {
		var names []string
		for name := range orders { // order-free: sorted below
			names = append(names, name)
		}
		slices.Sort(names)
		return command.Code(command.Usage, fmt.Errorf("--sort-by %q: expected one of %s", by, strings.Join(names, ", ")))
	}
	slices.SortStableFunc(rows, order)
	return nil
}

// tally are the footers of a table of neurons.
type tally struct {
	stake, emission                              uint64
	rank, trust, consensus, incentive, dividends float64
}

func (t *tally) add(r neuronRow) {
	t.stake, t.emission = t.stake+r.StakeRao, t.emission+r.EmissionRao
	t.rank, t.trust, t.consensus = t.rank+r.Rank, t.trust+r.Trust, t.consensus+r.Consensus
	t.incentive, t.dividends = t.incentive+r.Incentive, t.dividends+r.Dividends
}

func score(x float64) string { return fmt.Sprintf("%.5f", x) }

func shownAxon(axon string) string {
	if axon == "" {
		return "none"
	}
	return axon
}

func active(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

func newMetagraph() *cobra.Command {
	var to reach
	var asJSON bool
	var sortBy string
	cmd := &cobra.Command{
		Use:   "metagraph",
		Short: "Show all neurons of the network",
		Long: `A row for each uid, as the ledger has it after the newest block: stake in TAO, the scores of the last epoch as
shares of 1, the emission of the last epoch in rao, blocks since its last weights, whether it counted as active,
and where it serves. Below them stand the sums. With --json amounts are in rao.`,
		Example: `  taolabd metagraph --sort-by incentive
  taolabd metagraph --json`,
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
			s, v, err := node.now(cmd.Context())
			if err != nil {
				return err
			}
			rows := neurons(v)
			if err := sortRows(rows, sortBy); err != nil {
				return err
			}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), struct {
					ChainID  string      `json:"chain_id"`
					Block    uint64      `json:"block"`
					Epochs   uint64      `json:"epochs"`
					PriceRao uint64      `json:"registration_rao"`
					Neurons  []neuronRow `json:"neurons"`
				}{s.ChainID, v.Height(), v.Epochs(), v.BurnRao(), rows})
			}
			return printMetagraph(cmd.OutOrStdout(), s, v, rows)
		},
	}
	addHome(cmd)
	to.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&sortBy, "sort-by", "uid", "`column` to sort by")
	return cmd
}

func printMetagraph(w io.Writer, s status, v chain.View, rows []neuronRow) error {
	t := columns("UID", "STAKE(τ)", "RANK", "TRUST", "CONSENSUS", "INCENTIVE", "DIVIDENDS", "EMISSION(ρ)", "UPDATED", "<ACTIVE", "<AXON", "<HOTKEY", "<COLDKEY")
	var sum tally
	for _, r := range rows {
		sum.add(r)
		t.row(r.UID, amount(r.StakeRao), score(r.Rank), score(r.Trust), score(r.Consensus), score(r.Incentive), score(r.Dividends),
			r.EmissionRao, r.Updated, active(r.Active), shownAxon(r.Axon), r.Hotkey, r.Coldkey)
	}
	t.row(len(rows), amount(sum.stake), score(sum.rank), score(sum.trust), score(sum.consensus), score(sum.incentive), score(sum.dividends),
		sum.emission, "", "", "", "", "")
	if err := t.write(w); err != nil {
		return err
	}
	next := "no epoch comes"
	if height, ok := v.EpochAfter(v.Height()); ok {
		next = fmt.Sprintf("the next epoch is at %d", height)
	}
	_, err := fmt.Fprintf(w, "\n%s, block %d, %d epochs so far, %s; a registration costs %s TAO; issuance %s TAO\n",
		s.ChainID, v.Height(), v.Epochs(), next, amount(v.BurnRao()), amount(v.Totals().Issuance))
	return command.Code(command.Failure, err)
}
