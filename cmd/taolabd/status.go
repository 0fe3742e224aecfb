package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
)

func newStatus() *cobra.Command {
	var to reach
	var asJSON, peer bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how a node is doing",
		Example: `  taolabd status
  taolabd status --node http://127.0.0.1:26680 --json`,
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
			s, err := node.status(cmd.Context())
			if err != nil {
				return err
			}
			if peer {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), s.P2P)
				return command.Code(command.Failure, err)
			}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), s)
			}
			state := "follows the network"
			if s.CatchingUp {
				state = "catching up"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "chain      %s\nheight     %d\ntime       %s\ndigest     %s\nblock      %s\nstate      %s\npeers      %d\nwaiting    %d transactions\nreached at %s\n",
				s.ChainID, s.Height, s.Time.Format("2006-01-02 15:04:05 MST"), s.Digest, s.Block, state, s.Peers, s.Waiting, s.P2P)
			return command.Code(command.Failure, err)
		},
	}
	addHome(cmd)
	to.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&peer, "peer", false, "print only the address by which other nodes reach it, as join --peers takes it")
	return cmd
}
