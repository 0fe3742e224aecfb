package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/live/wallet"
)

// home is the folder of a node.
type home string

// Where things are in it.
func (h home) wallets() string  { return h.in("wallets") }
func (h home) in(names ...string) string {
	return filepath.Join(append([]string{string(h)}, names...)...)
}

// addHome adds the flag that says where the node's folder is.
func addHome(cmd *cobra.Command) *string {
	return cmd.PersistentFlags().String("home", "", "`folder` of the node and its wallets (default $TAOLABD_HOME, else ~/.taolabd)")
}

// homeFolder is the folder of the node: as the flag says, or the environment, or the default.
func homeFolder(flag string) (home, error) {
	if flag != "" {
		return home(flag), nil
	}
	if dir := os.Getenv("TAOLABD_HOME"); dir != "" {
		return home(dir), nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", command.Code(command.Usage, errors.New("no home folder of the user is known; name the node's with --home"))
	}
	return home(filepath.Join(user, ".taolabd")), nil
}

// keystore is where the wallets are.
func (h home) keystore(workFactor int) wallet.Keystore {
	return wallet.Keystore{Dir: h.wallets(), WorkFactor: workFactor}
}
