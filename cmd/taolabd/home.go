package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/live/replica"
	"taolab/sim/live/wallet"
)

// home is the folder of a node.
type home string

// Where things are in it.
func (h home) wallets() string  { return h.in("wallets") }
func (h home) settings() string { return h.in("node.toml") }
func (h home) genesis() string  { return h.in("genesis.json") }
func (h home) ledger() string   { return h.in("ledger") }
func (h home) agents() string   { return h.in("agents") }
func (h home) traces() string   { return h.in("traces") }
func (h home) keyFile(name string) string {
	return h.in("keys", name+".key")
}
func (h home) in(names ...string) string {
	return filepath.Join(append([]string{string(h)}, names...)...)
}

// addHome adds the flag that says where the node's folder is, for a verb and those below it.
func addHome(cmd *cobra.Command) {
	cmd.PersistentFlags().String("home", "", "`folder` of the node and its wallets; without it $TAOLABD_HOME, or else ~/.taolabd")
}

// homeOf is the folder of the node: as the flag says, or the environment, or the default.
func homeOf(cmd *cobra.Command) (home, error) {
	flag, err := cmd.Flags().GetString("home")
	if err != nil {
		return "", err
	}
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

// The keys of a node itself. They sign what a machine has to sign without asking, and own no money.
const (
	consensusKey = "consensus" // votes about blocks
	peerKey      = "peer"      // names the node to other nodes
)

var nodeKeys = []string{consensusKey, peerKey}

// makeKeys makes the keys of the node that are not there yet.
func (h home) makeKeys() error {
	if err := os.MkdirAll(h.in("keys"), 0o700); err != nil {
		return err
	}
	for _, name := range nodeKeys {
		_, err := os.Stat(h.keyFile(name))
		if err == nil {
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return fmt.Errorf("key %s: the system gives no random bytes: %w", name, err)
		}
		if err := wallet.WriteSecret(h.keyFile(name), []byte(hex.EncodeToString(private.Seed())+"\n")); err != nil {
			return err
		}
	}
	return nil
}

// key reads a key of the node.
func (h home) key(name string) (ed25519.PrivateKey, error) {
	path := h.keyFile(name)
	data, err := wallet.ReadSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; taolabd init or join makes the keys of a node", err)
	}
	if err != nil {
		return nil, err
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s: not a key; expected %d hexadecimal digits; restore it from a backup", path, 2*ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func (h home) consensusKey() (ed25519.PrivateKey, error) { return h.key(consensusKey) }

// readGenesis reads what the node's network starts from.
func (h home) readGenesis() (replica.Genesis, error) { return readGenesis(h.genesis()) }

func readGenesis(path string) (replica.Genesis, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return replica.Genesis{}, command.Code(command.Usage, fmt.Errorf("%s: no such file; taolabd init begins a network, taolabd join joins one", path))
	}
	if err != nil {
		return replica.Genesis{}, command.Code(command.Failure, err)
	}
	g, err := replica.ReadGenesis(data)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return g, command.Code(command.Invalid, err)
}

// running says how to reach the node that runs in a folder.
type running struct {
	PID  int    `json:"pid"`
	API  string `json:"api"`
	P2P  string `json:"p2p"`
	RPC  string `json:"rpc,omitempty"`
	Page string `json:"page,omitempty"`
}

func (h home) runningFile() string { return h.in("running.json") }

// announce writes how to reach the node.
func (h home) announce(r running) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	draft := h.runningFile() + ".new"
	return errors.Join(os.WriteFile(draft, append(data, '\n'), 0o600), os.Rename(draft, h.runningFile()))
}

// retract takes back what announce wrote, where it wrote anything.
func (h home) retract() error {
	if err := os.Remove(h.runningFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// running finds the node that runs in the folder.
func (h home) running() (r running, err error) {
	data, err := os.ReadFile(h.runningFile())
	if errors.Is(err, fs.ErrNotExist) {
		return r, command.Code(command.Failure, fmt.Errorf("no node runs in %s; start one with taolabd node, or name one with --node", h))
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, command.Code(command.Failure, fmt.Errorf("%s: %w; start the node again, or name one with --node", h.runningFile(), err))
	}
	return r, nil
}
