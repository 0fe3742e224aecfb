package replica

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	cmtconfig "github.com/cometbft/cometbft/config"
)

// engine is the engine's configuration. What has to be equal on all nodes follows from the genesis.
func (c *Config) engine() *cmtconfig.Config {
	e := cmtconfig.DefaultConfig()
	e.SetRoot(c.Dir)
	e.RPC.ListenAddress, e.RPC.GRPCListenAddress, e.RPC.PprofListenAddress = "", "", ""
	if c.RPC != "" {
		e.RPC.ListenAddress = "tcp://" + c.RPC
	}
	e.P2P.ListenAddress = "tcp://" + c.Listen
	e.P2P.PersistentPeers = strings.Join(c.Peers, ",")
	e.P2P.AddrBook = "peers.json"
	e.P2P.PexReactor = c.Discover
	e.P2P.AddrBookStrict = c.Discover
	e.P2P.AllowDuplicateIP = !c.Discover
	e.P2P.FlushThrottleTimeout = 10 * time.Millisecond
	e.P2P.SendRate, e.P2P.RecvRate = 64<<20, 64<<20
	e.P2P.MaxPacketMsgPayloadSize = 1 << 14
	e.Mempool.Size = poolTxs
	e.Mempool.CacheSize = 2 * poolTxs
	e.Mempool.MaxTxsBytes = maxEngineBlockBytes - maxEvidenceBytes - 1<<16 // so that a proposer sees all of it
	e.TxIndex.Indexer = "null"
	e.Storage.DiscardABCIResponses = false
	e.Consensus.WalPath = filepath.Join("log", "wal")
	c.pace(e.Consensus)
	if s := c.StateSync; s != nil {
		e.StateSync.Enable = true
		e.StateSync.RPCServers = s.Servers
		e.StateSync.TrustHeight = int64(s.Height)
		e.StateSync.TrustHash = hex.EncodeToString(s.Hash[:])
		e.StateSync.DiscoveryTime = 5 * time.Second // the engine's least
		e.StateSync.TrustPeriod = c.trustPeriod()
		e.StateSync.TempDir = c.Dir
	}
	return e
}

// choosePorts puts a free port in the place of each port 0: the engine tells its peers the address that it was
// given, and nobody which port it got.
func (c *Config) choosePorts() error {
	for _, address := range []*string{&c.Listen, &c.RPC} {
		host, port, err := net.SplitHostPort(*address)
		if err != nil || port != "0" {
			continue // none, or refused when the engine starts
		}
		l, err := net.Listen("tcp", *address)
		if err != nil {
			return fmt.Errorf("address %s: %w: set one of this machine", *address, err)
		}
		_, port, err = net.SplitHostPort(l.Addr().String())
		if err := errors.Join(err, l.Close()); err != nil {
			return fmt.Errorf("address %s: %w", *address, err)
		}
		*address = net.JoinHostPort(host, port)
	}
	return nil
}

// pace sets the times of the consensus for the network's interval. The pause after a block makes the
// interval: deciding takes up to 200 ms.
func (c *Config) pace(e *cmtconfig.ConsensusConfig) {
	interval := c.Genesis.Interval
	e.TimeoutCommit = interval - min(interval/5, 200*time.Millisecond)
	e.TimeoutPropose = min(max(interval, time.Second), 3*time.Second)
	e.TimeoutPrevote = min(max(interval/4, 300*time.Millisecond), time.Second)
	e.TimeoutPrecommit = e.TimeoutPrevote
	e.TimeoutProposeDelta, e.TimeoutPrevoteDelta, e.TimeoutPrecommitDelta = e.TimeoutPrevote, e.TimeoutPrevote, e.TimeoutPrevote
	e.PeerGossipSleepDuration = min(max(interval/100, 10*time.Millisecond), 100*time.Millisecond)
}

// trustPeriod is for how long validators of a block can be trusted: two thirds of the time that their stake
// takes to leave.
func (c *Config) trustPeriod() time.Duration {
	s, err := c.Genesis.State()
	if err != nil {
		return 0
	}
	p := s.View().Params()
	blocks := time.Duration(p.Hard.UnbondEpochs) * time.Duration(p.TempoBlocks)
	return max(blocks*c.Genesis.Interval*2/3, leastTrust)
}

// leastTrust is of networks for tests, whose stake leaves at once.
const leastTrust = time.Minute
