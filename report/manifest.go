package report

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"taolab/sim/trace"
)

// ManifestFile is the manifest's name in a run's folder.
const ManifestFile = "run.json"

// ScenarioFile is the name, in a run's folder, of the scenario as it was read.
const ScenarioFile = "scenario.toml"

// ManifestFormat is the version of the manifest's layout and of the tables' columns. ReadManifest
// takes it and the first release's, and refuses any other.
const ManifestFormat = 2

const firstFormat = 1 // of the first release: see first_release.go

// maxManifestBytes bounds what ReadManifest takes into memory: 65,536 nodes fit several times over.
const maxManifestBytes = 256 << 20

// Kinds of nodes.
const (
	KindMiner       = "miner"
	KindValidator   = "validator"
	KindApplication = "application"
	KindHolder      = "holder"
)

// Honest is the behaviour that others are compared with.
const Honest = "honest"

// Manifest says how a run was made and what it left behind. It is written before anything happens
// and again every time the tables are synced, so that what it tells is what the tables hold.
type Manifest struct {
	Format       int             `json:"format"`                  // ManifestFormat; filled in by WriteManifest
	Finished     bool            `json:"finished"`                // the run came to its last block, and its tables are whole files
	Interrupted  bool            `json:"interrupted"`             // the user ended it before; its tables are whole files
	Fault        string          `json:"fault,omitempty"`         // what ended it before
	Name         string          `json:"name"`                    // of the scenario
	Scenario     json.RawMessage `json:"scenario,omitempty"`      // resolved: every value, defaults included
	ScenarioTOML string          `json:"scenario_toml,omitempty"` // the scenario as it was read
	Seed         uint64          `json:"seed"`
	CorpusPath   string          `json:"corpus_path,omitempty"`   // absolute path of the shards; empty for synthetic text
	CorpusDigest string          `json:"corpus_digest,omitempty"` // hex, of every document that the run could read
	Contents     []Content       `json:"contents,omitempty"`      // what the run started from; the run digest begins with them
	Versions     Versions        `json:"versions"`
	Started      time.Time       `json:"started"`        // wall time; no part of any digest
	Ended        time.Time       `json:"ended,omitzero"` // absent until then
	WallSeconds  float64         `json:"wall_seconds"`
	VirtualNs    int64           `json:"virtual_ns"`              // simulated time, at the end or so far
	Blocks       uint64          `json:"blocks"`                  // height, at the end or so far
	GenesisBlock uint64          `json:"genesis_block,omitempty"` // height of the state that the run began with
	Events       uint64          `json:"events"`                  // events handled
	FLOP         uint64          `json:"flop"`                    // arithmetic of all compute jobs
	Cost         Cost            `json:"cost,omitzero"`
	RunDigest    string          `json:"run_digest,omitempty"` // hex of 32 bytes: ledger digests and event log; absent before the first event
	LedgerDigest string          `json:"ledger_digest,omitempty"`
	Recorded     []trace.Table   `json:"recorded,omitempty"` // tables that the run was asked for
	Tables       []TableInfo     `json:"tables"`             // those of them with rows, as Writer.Tables lists them
	Nodes        []Node          `json:"nodes"`
	Anchors      Anchors         `json:"anchors"`
	InForce      json.RawMessage `json:"in_force,omitempty"` // every rule and parameter that the run used
	Warnings     []string        `json:"warnings"`
	Resumed      []uint64        `json:"resumed,omitempty"` // blocks at which a run that had ended early went on
	Parent       *Parent         `json:"parent,omitempty"`  // the run that this one was forked from
}

// Parent is the run that another one was forked from, and where.
type Parent struct {
	Folder       string   `json:"folder"`         // as it was named
	Name         string   `json:"name"`           // of its scenario
	RunDigest    string   `json:"run_digest"`     // hex, as its run.json had it
	Block        uint64   `json:"block"`          // after which the two part
	Events       uint64   `json:"events"`         // that they have in common
	CommonDigest string   `json:"common_digest"`  // hex, the run digest there
	Sets         []string `json:"sets,omitempty"` // what is different from there on, as key=value
}

// Whole reports whether the run ended in order: its manifest then lists every row that it left.
func (m *Manifest) Whole() bool { return m.Finished || m.Interrupted || m.Fault != "" }

// Begun reports whether the manifest tells of anything that happened.
func (m *Manifest) Begun() bool { return m.Blocks > 0 || m.Events > 0 }

// Ending says in words why the run stopped early; it is empty for a finished one.
func (m *Manifest) Ending() string {
	switch {
	case m.Finished:
		return ""
	case m.Interrupted:
		return "the run was interrupted"
	case m.Fault != "":
		return "the run failed: " + m.Fault
	}
	return "the run was killed, or still goes on"
}

// Cost is the machine time and memory that the run took, besides wall time; no part of any digest.
type Cost struct {
	Threads         int     `json:"threads"`                    // that computed, the event loop's among them
	Tokens          int64   `json:"tokens"`                     // that compute jobs read
	JobSeconds      float64 `json:"job_seconds"`                // of all threads, in compute jobs
	LoopSeconds     float64 `json:"loop_seconds"`               // of the event loop, at work outside jobs
	WaitSeconds     float64 `json:"wait_seconds"`               // of the event loop, idle until another thread had done a job, a hash or rows, or rows were whole on disk
	SnapshotSeconds float64 `json:"snapshot_seconds,omitempty"` // of the event loop, writing snapshots
	PeakFLOPS       float64 `json:"peak_flops"`                 // multiply-adds of one thread in registers, FLOP/s, measured after the run
	HeapBytes       uint64  `json:"heap_bytes"`                 // of agents and ledger, at the end of the run
	SystemBytes     uint64  `json:"system_bytes"`               // most memory that the program had of the system
}

// Versions says what program ran, and on what.
type Versions struct {
	Module string `json:"module"` // taolab's version, with the commit where known
	Go     string `json:"go"`
	GOOS   string `json:"goos"`
	GOARCH string `json:"goarch"`
	ISA    string `json:"isa"` // instruction set of the kernels; changes no bit
}

// Content is something that was made before the run, or taken from the cache: a tokenizer, the
// corpus' tokens, a base model.
type Content struct {
	Name   string `json:"name"`
	Digest string `json:"digest"` // hex, of its bytes
}

// TableInfo describes one written table.
type TableInfo struct {
	Table  trace.Table `json:"table"`
	Rows   uint64      `json:"rows"`
	Digest string      `json:"digest"` // hex, over the canonical rows in the order of recording
	Bytes  int64       `json:"bytes"`  // length of the file, or of the parts together
}

// Node is one participant. Index is its place in the list, by which rows name it.
type Node struct {
	Index         int      `json:"index"`
	Name          string   `json:"name"`
	Group         string   `json:"group"`     // of the scenario; folders of the first release have none
	Kind          string   `json:"kind"`      // KindMiner, KindValidator, KindApplication or KindHolder
	Behaviour     string   `json:"behaviour"` // Honest, or what it does instead
	UID           uint16   `json:"uid"`       // at the end of the run; null unless HasUID
	HasUID        bool     `json:"-"`
	Hotkey        string   `json:"hotkey"`            // hex, of its first identity
	Hotkeys       []string `json:"hotkeys,omitempty"` // of its other identities
	UIDs          []uint16 `json:"uids,omitempty"`    // that those have at the end of the run
	StakeRao      uint64   `json:"stake_rao"`         // at genesis
	Params        uint64   `json:"params"`            // of its model; 0 where it has none
	Width         int      `json:"width"`             // channels
	Layers        int      `json:"layers"`            // transformer blocks
	Data          []string `json:"data"`              // subsets that it trains or scores on; empty is all
	HardwareFLOPS float64  `json:"hardware_flops"`    // speed of its compute unit
	Duty          float64  `json:"duty"`              // share of its time that it trains
	Routing       string   `json:"routing"`           // how a validator chooses whom to ask
	Region        string   `json:"region"`
}

// Anchors are numbers that a run's losses are read against. Zero is "not measured".
type Anchors struct {
	BigramLoss       float64    `json:"bigram_loss"`       // held-out, nats/token
	Bases            []BaseLoss `json:"bases"`             // of the models that miners start from
	BytesPerToken    float64    `json:"bytes_per_token"`   // of the standard tokenizer on the scoring text
	EquivalentFactor float64    `json:"equivalent_factor"` // nats per GPT-2-equivalent token and nat per token
	FloorTouchShare  float64    `json:"floor_touch_share"` // of scores at or under the 1.69 floor, where queries are not recorded
}

// BaseLoss is the held-out loss of a base model.
type BaseLoss struct {
	Width  int     `json:"width"`
	Layers int     `json:"layers"`
	Params uint64  `json:"params"`
	Loss   float64 `json:"loss"` // nats/token
}

// Check returns an error if the manifest is not one that a run can have.
func (m *Manifest) Check() error {
	if m.Format != ManifestFormat && m.Format != firstFormat {
		return fmt.Errorf("format %d, expected %d or %d: written by a later version of taolab; read it with that one",
			m.Format, firstFormat, ManifestFormat)
	}
	if m.Finished && (m.Interrupted || m.Fault != "") {
		return errors.New("finished is true, and so is interrupted, or a fault is named; expected one ending")
	}
	if m.Name == "" {
		return errors.New("name is empty; expected the scenario's name")
	}
	if len(m.Scenario) > 0 && !json.Valid(m.Scenario) {
		return errors.New("scenario is not valid JSON")
	}
	for _, d := range []struct{ key, hex string }{
		{"run_digest", m.RunDigest}, {"ledger_digest", m.LedgerDigest},
	} {
		if err := checkDigest(d.hex); err != nil && (d.hex != "" || m.Begun() || m.Finished) {
			return fmt.Errorf("%s: %w", d.key, err)
		}
	}
	seen := make(map[trace.Table]bool)
	for i, t := range m.Tables {
		if _, ok := tableNamed(t.Table); !ok {
			return fmt.Errorf("tables[%d]: unknown table %q", i, t.Table)
		}
		if seen[t.Table] {
			return fmt.Errorf("tables[%d]: %q stands twice", i, t.Table)
		}
		seen[t.Table] = true
		if err := checkDigest(t.Digest); err != nil {
			return fmt.Errorf("tables[%d] (%s): digest: %w", i, t.Table, err)
		}
	}
	for i, name := range m.Recorded {
		if _, ok := tableNamed(name); !ok {
			return fmt.Errorf("recorded[%d]: unknown table %q", i, name)
		}
	}
	if err := checkDigest(m.CorpusDigest); m.CorpusDigest != "" && err != nil {
		return fmt.Errorf("corpus_digest: %w", err)
	}
	for i, c := range m.Contents {
		if err := checkDigest(c.Digest); err != nil {
			return fmt.Errorf("contents[%d] (%s): digest: %w", i, c.Name, err)
		}
	}
	holder := make(map[uint16]int)
	for i, n := range m.Nodes {
		if other, taken := holder[n.UID]; n.HasUID && taken {
			return fmt.Errorf("nodes[%d]: uid %d is nodes[%d]’s too", i, n.UID, other)
		} else if n.HasUID {
			holder[n.UID] = i
		}
		if n.Index != i {
			return fmt.Errorf("nodes[%d]: index %d, expected its place in the list", i, n.Index)
		}
		switch n.Kind {
		case KindMiner, KindValidator, KindApplication, KindHolder:
		default:
			return fmt.Errorf("nodes[%d]: kind %q, expected %s, %s, %s or %s",
				i, n.Kind, KindMiner, KindValidator, KindApplication, KindHolder)
		}
	}
	return nil
}

func checkDigest(s string) error {
	if b, err := hex.DecodeString(s); err != nil || len(b) != 32 {
		return fmt.Errorf("%q, expected 64 hexadecimal digits", s)
	}
	return nil
}

// WriteManifest writes run.json into dir, whole or not at all.
func WriteManifest(dir string, m Manifest) error {
	m.Format = ManifestFormat
	m.Tables, m.Nodes, m.Warnings = some(m.Tables), some(m.Nodes), some(m.Warnings)
	m.Anchors.Bases = some(m.Anchors.Bases)
	m.Nodes = slices.Clone(m.Nodes)
	for i := range m.Nodes {
		m.Nodes[i].Data = some(m.Nodes[i].Data)
	}
	path := filepath.Join(dir, ManifestFile)
	if err := m.Check(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return writeWhole(disk(dir), ManifestFile, append(text, '\n'))
}

// WriteScenario writes the scenario as it was read into dir, whole or not at all.
func WriteScenario(dir, text string) error { return writeWhole(disk(dir), ScenarioFile, []byte(text)) }

// some is the list itself, or an empty one, so that JSON has [] and never null.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// ReadManifest reads dir's run.json and refuses unknown keys, trailing text and impossible values.
func ReadManifest(dir string) (Manifest, error) {
	path := filepath.Join(dir, ManifestFile)
	f, err := os.Open(path)
	if err != nil {
		return Manifest{}, fmt.Errorf("%w; expected the folder of a run, such as taolab run writes below runs/", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxManifestBytes+1))
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", path, err)
	}
	m, err := parseManifest(text)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// jsonFault says of an error of the decoder where in the text it is and that it is about JSON.
func jsonFault(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the text ends before its JSON does")
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: not JSON: %w", syntax.Offset, err)
	case errors.As(err, &kind):
		return fmt.Errorf("byte %d: %s: found a JSON %s", kind.Offset, kind.Field, kind.Value)
	}
	return err
}

func parseManifest(text []byte) (Manifest, error) {
	if len(text) > maxManifestBytes {
		return Manifest{}, fmt.Errorf("longer than %d bytes", maxManifestBytes)
	}
	var m Manifest
	var version struct {
		Format int `json:"format"`
	}
	old := json.Unmarshal(text, &version) == nil && version.Format == firstFormat
	d := json.NewDecoder(bytes.NewReader(text))
	if !old { // whose keys are not all known any more
		d.DisallowUnknownFields()
	}
	if err := d.Decode(&m); err != nil {
		return Manifest{}, fmt.Errorf("%w; expected what taolab run writes: the file was changed or cut since; copy the folder again", jsonFault(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return Manifest{}, fmt.Errorf("text after the manifest, at byte %d", d.InputOffset())
	}
	if old {
		m.Finished = !m.Interrupted // there was no manifest before the end
	}
	return m, m.Check()
}
