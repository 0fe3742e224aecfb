package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/chain"
	"taolab/sim/live/replica"
	"taolab/sim/live/wallet"
)

// A finding is one thing that doctor looked at.
type finding struct {
	About string `json:"about"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`
	Do    string `json:"do,omitempty"`
}

const (
	leastDisk    = 1 << 30
	slowSync     = 100 * time.Millisecond
	leastFiles   = 1024
	mostDrift    = 5 * time.Second
	dialPatience = 3 * time.Second
	askPatience  = 10 * time.Second
)

func newDoctor() *cobra.Command {
	var to reach
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for reasons why a node would not run, and say what to do",
		Long: `Look at the folder, its keys and settings, the disk, the clock, ports and peers, and at whether the consensus key
signs somewhere else: two nodes with one key would be slashed. The last needs another node to ask: --node, or the
api of a node that runs. Exit code 4 means that something has to be fixed.`,
		Example: `  taolabd doctor
  taolabd doctor --node http://203.0.113.7:26680`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			list := examine(cmd.Context(), at, to.node)
			if asJSON {
				err = command.WriteJSON(cmd.OutOrStdout(), list)
			} else {
				err = printFindings(cmd, list)
			}
			if err != nil {
				return err
			}
			bad := 0
			for _, f := range list {
				if !f.OK {
					bad++
				}
			}
			if bad > 0 {
				return command.Code(exitUnfit, fmt.Errorf("%d of %d things have to be fixed", bad, len(list)))
			}
			return nil
		},
	}
	addHome(cmd)
	to.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printFindings(cmd *cobra.Command, list []finding) error {
	for _, f := range list {
		verdict := "ok  "
		if !f.OK {
			verdict = "FIX "
		}
		line := fmt.Sprintf("%s  %-10s %s", verdict, f.About, f.Found)
		if !f.OK {
			line += "; " + f.Do
		}
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
			return command.Code(command.Failure, err)
		}
	}
	return nil
}

// examination collects findings.
type examination struct{ list []finding }

func (e *examination) say(about string, err error, fine, do string) bool {
	f := finding{About: about, OK: err == nil, Found: fine}
	if err != nil {
		f.Found, f.Do = err.Error(), do
	}
	e.list = append(e.list, f)
	return err == nil
}

// examine looks at all that a node needs.
func examine(ctx context.Context, at home, node string) []finding {
	var e examination
	info, err := os.Stat(string(at))
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s has mode %s", at, info.Mode().Perm())
	}
	if !e.say("folder", err, string(at), "make it with taolabd init or join, and chmod 700 it") && errors.Is(err, fs.ErrNotExist) {
		return e.list
	}
	e.say("disk", diskFit(string(at)), "there is room, and writes reach it soon", "free or add disk, or move the folder to a faster one")
	e.say("files", filesFit(), "enough may be open", "raise the limit with ulimit -n 4096")
	for _, name := range nodeKeys {
		_, err := at.key(name)
		e.say("key", err, name+" is there, and for its owner only", "restore it from a backup, or make the folder again")
	}
	e.say("wallets", walletsFit(at), "their files are for their owner only", "chmod 600 the file that is named")
	genesis, err := at.readGenesis()
	if !e.say("genesis", err, genesis.ChainID, "get genesis.json again from who began the network") {
		return e.list
	}
	s, err := at.readSettings()
	if !e.say("settings", err, at.settings(), "correct the line that is named") {
		return e.list
	}
	running, notRunning := at.running()
	if notRunning == nil {
		conn, err := net.DialTimeout("tcp", running.API, dialPatience)
		if err == nil {
			conn.Close()
		}
		answers := e.say("node", err, "runs, process "+fmt.Sprint(running.PID), "it did not end in order; start it again")
		if answers && node == "" {
			node = "http://" + running.API
		}
	} else {
		for _, address := range s.ports() {
			e.say("port", portFree(address), address+" is free", "end the program that has it, or set another in node.toml")
		}
	}
	for _, peer := range s.Node.Peers {
		e.say("peer", peerAnswers(peer), peer+" answers", "ask its operator, and look at firewalls on both sides")
	}
	e.clock(ctx, genesis, node)
	e.say("consensus", at.elsewhere(ctx, s, genesis.ChainID, node), "no other node is seen to sign with this node's consensus key",
		"find the other node that has this key and stop it; never run two")
	return e.list
}

// diskFit says what is wrong with the disk.
func diskFit(dir string) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if free := uint64(stat.Bavail) * uint64(stat.Bsize); free < leastDisk {
		return fmt.Errorf("%d MB are free; a node wants 1024", free>>20)
	}
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	begin := time.Now()
	for range 3 {
		if _, err := f.WriteString("doctor"); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
	}
	if took := time.Since(begin) / 3; took > slowSync {
		return fmt.Errorf("a write takes %s to reach the disk; a node wants %s at most", took.Round(time.Millisecond), slowSync)
	}
	return nil
}

func filesFit() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur < leastFiles {
		return fmt.Errorf("%d files may be open; a node wants %d", limit.Cur, leastFiles)
	}
	return nil
}

// walletsFit says which secret others may read.
func walletsFit(at home) error {
	files, err := filepath.Glob(at.in("wallets", "*", "*.age"))
	for _, path := range files {
		if _, fault := wallet.ReadSecret(path); fault != nil {
			err = errors.Join(err, fault)
		}
	}
	_, fault := at.keystore(0).List()
	return errors.Join(err, fault)
}

// ports are the addresses that a node takes.
func (s *nodeSettings) ports() (all []string) {
	for _, a := range []string{s.Node.Listen, s.Node.API, s.Node.RPC, s.Node.Metrics} {
		if a != "" {
			all = append(all, a)
		}
	}
	for _, a := range s.tables() {
		if a.Listen != "" {
			all = append(all, a.Listen)
		}
	}
	for _, a := range s.Applications {
		if a.Page != "" {
			all = append(all, a.Page)
		}
	}
	return all
}

func portFree(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

func peerAnswers(peer string) error {
	_, at, _ := strings.Cut(peer, "@")
	conn, err := net.DialTimeout("tcp", at, dialPatience)
	if err != nil {
		return fmt.Errorf("%s: %w", peer, err)
	}
	return conn.Close()
}

// clock compares this machine's clock with the time of a block that is new, and with the genesis.
func (e *examination) clock(ctx context.Context, genesis replica.Genesis, node string) {
	now := time.Now()
	if now.Before(genesis.Time.Add(-mostDrift)) {
		e.say("clock", fmt.Errorf("it shows %s, and the genesis is of %s", now.UTC().Format(time.DateTime), genesis.Time.Format(time.DateTime)),
			"", "set the clock, with an NTP client such as chrony")
		return
	}
	if node == "" {
		e.say("clock", nil, "it is after the genesis; a node to compare it with is named with --node", "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	s, err := (&client{node}).status(ctx)
	if err != nil {
		e.say("clock", err, "", "name a node that answers with --node")
		return
	}
	if !s.CatchingUp {
		if ahead := time.Until(s.Time); ahead > mostDrift {
			err = fmt.Errorf("it is %s behind the newest block", ahead.Round(time.Second))
		}
	}
	e.say("clock", err, "it agrees with the newest block", "set the clock, with an NTP client such as chrony")
}

// elsewhere says that the consensus key of this folder signed at a greater height than the folder knows of: another
// node has it too. The nodes that are asked are those of urls; one that does not answer says nothing.
func (h home) elsewhere(ctx context.Context, s *nodeSettings, chainID string, urls ...string) error {
	private, err := h.consensusKey()
	if err != nil {
		return err
	}
	last, _, err := replica.LastSigned(h.ledger())
	if err != nil {
		return err
	}
	release, err := command.LockFolder(string(h))
	if err != nil {
		return nil // it runs, and what it signs is its own
	}
	release()
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	for _, url := range append(urls, s.Node.Witnesses...) {
		if url == "" {
			continue
		}
		status, v, err := (&client{url}).now(ctx)
		if err != nil || status.ChainID != chainID {
			continue
		}
		if n := signedSince(v, wallet.Public(private), last); n > 0 {
			return fmt.Errorf("the consensus key of %s signed %d of the blocks up to %d, and this folder knows of none after %d: "+
				"another node has the key, and two that sign would be slashed", h, n, v.Height(), last)
		}
	}
	return nil
}

// slackBlocks are the newest blocks about which a node that stopped in order may not know its own votes.
const slackBlocks = 3

// signedSince is how many blocks after a height a consensus key must have signed, as the ledger counts votes.
func signedSince(v chain.View, key chain.Key, last uint64) int {
	window := uint64(v.Params().Hard.JailWindow)
	for _, o := range v.Operators() {
		from := max(last, o.Since)
		if o.ConsensusKey != key || o.Power == 0 || v.Height() <= from {
			continue
		}
		since := min(v.Height()-from, window)
		if missed := uint64(o.Missed); missed+slackBlocks < since {
			return int(since - missed - slackBlocks)
		}
	}
	return 0
}
