package virtual

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"taolab/model/num"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Fault is one thing that goes wrong on purpose, in [From, To). It draws from a stream of its own, which
// its kind, begin, targets and seed name, so that another fault moves none of its numbers. One without
// effect (no time, share 0, factor 1) leaves the run digest as it is.
type Fault struct {
	Kind     string // name of a FaultKind
	From, To host.Time
	Target   Target // the nodes that it hits
	// Peer narrows a fault of messages to those between the target and these nodes, Direction to those
	// that the target sends ("out") or gets ("in"); "" means both.
	Peer      Target
	Direction string
	Numbers   map[string]float64 // settings of the kind, by name; the rest have their defaults
	Mode      string             // one of the kind's modes; "" means the first
	Seed      uint64
}

// FaultKind is a sort of fault.
type FaultKind struct {
	Name     string
	Doc      string
	Settings []FaultSetting
	Modes    []string // the first is the default
	Messages bool     // it hits messages: Peer and Direction have a meaning

	restores bool // targets come back from a saved state, so they save
	renames  bool // targets come back under another hotkey
	fresh    bool // targets get a fresh agent
	maxLag   func(*injection, host.Time) host.Time
	effect   func(*injection) effect
}

// FaultSetting is a number that a kind reads.
type FaultSetting struct {
	Name              string // its unit stands last
	Default, Min, Max float64
	Doc               string
}

// effect is what an active fault does. Everything else about it is one of the interfaces below and in
// the files of the kinds.
type effect interface {
	// attach enters the fault where the world looks for it; detach takes it out again.
	attach(w *World)
	detach(w *World)
}

type (
	// beginner and ender act at the begin and the end, once each.
	beginner interface{ begin(w *World) }
	ender    interface{ end(w *World) }
	// ticker acts at times that it asked for with World.tick.
	ticker interface{ tick(w *World, n *node) }
)

// injection is a fault of the config and what it does while it is active.
type injection struct {
	*Fault
	index   uint64
	kind    *FaultKind
	draw    *num.Stream // of the active fault
	effect  effect      // nil while it is not active
	members set
	peers   set
}

// number is a setting of the fault.
func (f *injection) number(name string) float64 {
	if x, set := f.Numbers[name]; set {
		return x
	}
	for _, s := range f.kind.Settings {
		if s.Name == name {
			return s.Default
		}
	}
	panic("virtual: faults of kind " + f.kind.Name + " have no setting " + name)
}

// span is a setting whose name ends in its unit, s or ms.
func (f *injection) span(name string) host.Time {
	unit := float64(host.Second)
	if strings.HasSuffix(name, "_ms") {
		unit = float64(host.Millisecond)
	}
	return host.Time(float64(f.number(name) * unit))
}

// happens draws whether the fault hits the next message, job, save or transaction.
func (f *injection) happens() bool { return f.draw.Float64() < f.number("share") }

// mode is the fault's mode.
func (f *injection) mode() string {
	if f.Mode == "" && len(f.kind.Modes) > 0 {
		return f.kind.Modes[0]
	}
	return f.Mode
}

// String says what the fault is, in the words of the config.
func (f Fault) String() string {
	s := f.Kind
	if f.Mode != "" {
		s += " (" + f.Mode + ")"
	}
	s += " of " + f.Target.String()
	if f.Peer != (Target{}) {
		s += " with " + f.Peer.String()
	}
	if f.Direction != "" {
		s += ", " + f.Direction
	}
	return s
}

// stream is the fault's own stream for a purpose.
func (f *injection) stream(seed uint64, purpose string) *num.Stream {
	return num.NewStream(seed, fmt.Sprintf("fault\x00%s\x00%d\x00%d\x00%s", f.Fault, f.From, f.Seed, purpose))
}

// kindOf is the kind of a name; nil where there is none.
func kindOf(name string) *FaultKind {
	for i := range faultKinds {
		if faultKinds[i].Name == name {
			return &faultKinds[i]
		}
	}
	return nil
}

// validate says what is wrong with a fault in a network.
func (f Fault) validate(c *Config) error {
	err := f.validateKind(c)
	if c.QuietTail > 0 && c.Blocks <= uint64(maxTime/c.BlockNs) {
		if end := host.Time(c.Blocks)*c.BlockNs - c.QuietTail; f.To > end {
			err = errors.Join(err, fmt.Errorf("it lasts to %d ns, the quiet tail begins at %d", f.To, end))
		}
	}
	return err
}

// validateKind says what is wrong with a fault wherever in a run it lies.
func (f Fault) validateKind(c *Config) error {
	kind := kindOf(f.Kind)
	if kind == nil {
		return fmt.Errorf("no kind %q", f.Kind)
	}
	var errs []error
	wrong := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(f.From >= 0 && f.From <= f.To && f.To <= maxTime, "from %d to %d ns is not an interval", f.From, f.To)
	wrong(kind.Messages || f.Peer == (Target{}) && f.Direction == "", "a peer and a direction are for faults of messages")
	wrong(f.Direction == "" || f.Direction == "in" || f.Direction == "out", `direction %q is not "in" or "out"`, f.Direction)
	wrong(f.Mode == "" || contains(kind.Modes, f.Mode), "mode %q is not one of %v", f.Mode, kind.Modes)
	errs = append(errs, f.Target.validate(c), f.Peer.validate(c))
	known := 0
	for _, s := range kind.Settings {
		x, set := f.Numbers[s.Name]
		if set {
			known++
			wrong(x >= s.Min && x <= s.Max, "%s %g is not in %g to %g", s.Name, x, s.Min, s.Max)
		}
	}
	wrong(known == len(f.Numbers), "it has settings that faults of this kind do not read: %v", f.Numbers)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	in := &injection{Fault: &f, kind: kind}
	if kind.maxLag != nil {
		lag := kind.maxLag(in, c.BlockNs)
		wrong(lag/c.BlockNs < maxDelayBlocks, "blocks are seen up to %d ns late, %d blocks are allowed", lag, maxDelayBlocks)
	}
	if kind.fresh {
		members := f.Target.resolve(c, nil)
		for i := range c.Nodes {
			wrong(c.Nodes[i].Fresh != nil || !members.has(int32(i)), "node %d (%s) needs Fresh", i, c.Nodes[i].Name)
		}
	}
	return errors.Join(errs...)
}

func contains(words []string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

// theNetwork stands for no node in a fault's row, and for the block producer on a link.
const theNetwork = -1

// fault records something that went wrong. Callers that build the detail check records.Faults.
func (w *World) fault(node int32, kind, detail string) {
	if w.records.Faults {
		row := trace.Fault{TimeNs: int64(w.now), Kind: kind, Detail: detail}
		if node != theNetwork {
			row.Node = trace.Some(uint32(node))
		}
		w.record(row)
	}
}

// share, and what many kinds read besides.
func share(of string) FaultSetting {
	return FaultSetting{"share", 1, 0, 1, "share of " + of + " that it hits"}
}

// tailModes are the shapes of a random time.
var tailModes = []string{"exponential", "pareto"}

// maxTail bounds a random time, as a multiple of its mean.
const maxTail = 40

// tail draws a random time with a mean, maxTime at most; the Pareto tail falls with the square.
func (f *injection) tail(s *num.Stream, mean host.Time) host.Time {
	x := 0.0
	if f.mode() == "pareto" {
		x = 0.5 / math.Sqrt(1-s.Float64())
	} else {
		x = s.Exponential()
	}
	return host.Time(min(float64(min(x, maxTail)*float64(mean)), float64(maxTime)))
}
