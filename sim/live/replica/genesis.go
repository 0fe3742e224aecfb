package replica

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"taolab/sim/chain"
)

// Genesis is what all nodes of a network start from.
type Genesis struct {
	ChainID  string        // a name and eight hexadecimal digits of the genesis' hash
	Time     time.Time     // of the genesis
	Interval time.Duration // between two blocks
	state    []byte        // canonical bytes of the first state
}

const (
	genesisFormat   = "taolab-genesis/1"
	idDigits        = 8
	maxNameBytes    = 50 - 1 - idDigits // the engine's limit of 50 bytes for a chain's id
	maxGenesisBytes = 1 << 30
	leastInterval   = 10 * time.Millisecond
	mostInterval    = time.Hour
)

var networkName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// NewGenesis makes the genesis of a network of a name. The id of its chain takes the place of g.ChainID.
func NewGenesis(name string, g chain.Genesis, at time.Time, interval time.Duration) (Genesis, error) {
	if len(name) > maxNameBytes || !networkName.MatchString(name) {
		return Genesis{}, fmt.Errorf("name %q of a network: want 1 to %d lower-case letters, digits and hyphens, "+
			"a letter first", name, maxNameBytes)
	}
	if interval < leastInterval || interval > mostInterval {
		return Genesis{}, fmt.Errorf("%s between two blocks: want %s to %s", interval, leastInterval, mostInterval)
	}
	at = at.UTC().Round(0)
	g.ChainID = name
	nameless, err := encodedState(g)
	if err != nil {
		return Genesis{}, err
	}
	g.ChainID = chainID(name, at, interval, nameless)
	state, err := encodedState(g)
	if err != nil {
		return Genesis{}, err
	}
	made := Genesis{g.ChainID, at, interval, state}
	return made, made.check()
}

func encodedState(g chain.Genesis) ([]byte, error) {
	s, err := chain.New(g)
	if err != nil {
		return nil, err
	}
	return s.AppendBinary(nil)
}

// chainID names a chain after the hash of its genesis, whose state has the network's name for an id.
func chainID(name string, at time.Time, interval time.Duration, nameless []byte) string {
	h := sha256.New()
	io.WriteString(h, "taolab genesis\x00")
	var numbers [16]byte
	binary.LittleEndian.PutUint64(numbers[:8], uint64(at.UnixNano()))
	binary.LittleEndian.PutUint64(numbers[8:], uint64(interval))
	h.Write(numbers[:])
	h.Write(nameless)
	return name + "-" + hex.EncodeToString(h.Sum(nil))[:idDigits]
}

// State is the ledger of the genesis.
func (g Genesis) State() (*chain.State, error) {
	s := new(chain.State)
	if err := s.UnmarshalBinary(g.state); err != nil {
		return nil, fmt.Errorf("genesis of %q: %w", g.ChainID, err)
	}
	return s, nil
}

// check says why nobody could run the network, or that the id is another genesis'.
func (g Genesis) check() error {
	s, err := g.State()
	if err != nil {
		return err
	}
	power := uint64(0)
	for _, o := range s.View().Operators() {
		power += o.Power
	}
	if power == 0 {
		return fmt.Errorf("genesis of %q: nobody may make blocks: want an operator with a consensus key, stake of at "+
			"least Hard.MinSeatRao, and Hard.Seats above 0", g.ChainID)
	}
	cut := len(g.ChainID) - idDigits - 1
	if cut < 1 || s.ChainID() != g.ChainID {
		return fmt.Errorf("genesis of %q: its ledger has the chain id %q", g.ChainID, s.ChainID())
	}
	x := s.Export()
	x.ChainID = g.ChainID[:cut]
	nameless, err := chain.Import(x)
	if err != nil {
		return fmt.Errorf("genesis of %q: %w", g.ChainID, err)
	}
	b, err := nameless.AppendBinary(nil)
	if err != nil {
		return err
	}
	if want := chainID(x.ChainID, g.Time, g.Interval, b); g.ChainID != want {
		return fmt.Errorf("genesis of %q: its hash makes it %q: it was changed, or is another network's", g.ChainID, want)
	}
	return nil
}

// genesisFile is the genesis as JSON.
type genesisFile struct {
	Format   string    `json:"format"`
	ChainID  string    `json:"chain_id"`
	Time     time.Time `json:"time"`
	Interval string    `json:"block_interval"`
	State    []byte    `json:"state"`
}

// MarshalJSON writes what ReadGenesis reads.
func (g Genesis) MarshalJSON() ([]byte, error) {
	return json.MarshalIndent(genesisFile{genesisFormat, g.ChainID, g.Time, g.Interval.String(), g.state}, "", "  ")
}

// ReadGenesis reads the genesis of a network and checks it.
func ReadGenesis(data []byte) (Genesis, error) {
	if len(data) > maxGenesisBytes {
		return Genesis{}, fmt.Errorf("genesis of %d bytes, at most %d are read", len(data), maxGenesisBytes)
	}
	var f genesisFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Genesis{}, fmt.Errorf("genesis: not the JSON of one: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Genesis{}, fmt.Errorf("genesis: bytes after its end")
	}
	if f.Format != genesisFormat {
		return Genesis{}, fmt.Errorf("genesis: format %q, want %q", f.Format, genesisFormat)
	}
	interval, err := time.ParseDuration(f.Interval)
	if err != nil || interval < leastInterval || interval > mostInterval {
		return Genesis{}, fmt.Errorf("genesis: block_interval %q: want %s to %s", f.Interval, leastInterval, mostInterval)
	}
	g := Genesis{strings.Clone(f.ChainID), f.Time.UTC(), interval, f.State}
	return g, g.check()
}
