package main

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/live"
)

// forger is a miner whose answers are changed on their way out.
type forger struct {
	host.Agent
	answers atomic.Int64
}

// Handle is documented at host.Agent.
func (f *forger) Handle(env host.Env, e host.Event) { f.Agent.Handle(forging{env, f}, e) }

type forging struct {
	host.Env
	forger *forger
}

// Reply is documented at host.Env.
func (f forging) Reply(id host.CallID, r host.Response) {
	if r.Code == host.Success {
		r.Body = forged(slices.Clone(r.Body), int(f.forger.answers.Add(1)))
	}
	f.Env.Reply(id, r)
}

// forged makes of an answer one that is too short, too long, of other bytes, or of numbers that are none.
func forged(b []byte, way int) []byte {
	floats := func(bits uint32) []byte {
		for i := len(b) % 4; i < len(b); i += 4 {
			b[i], b[i+1], b[i+2], b[i+3] = byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24)
		}
		return b
	}
	switch way % 7 {
	case 0:
		return nil
	case 1:
		return b[:len(b)/2]
	case 2:
		return append(b, b...)
	case 3:
		return floats(math.Float32bits(float32(math.NaN())))
	case 4:
		return floats(math.Float32bits(float32(math.Inf(1))))
	case 5:
		return floats(math.Float32bits(-1))
	}
	for i := range b {
		b[i] ^= byte(31 * i)
	}
	return b
}

// A miner that forges its answers over the wire harms nobody: the validator goes on, pays the honest one and
// nothing to the forger.
func TestForgedAnswersEarnNothingAndStopNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a network for some seconds")
	}
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	at := home(t.TempDir())
	f := devFlags{miners: 2, validators: 1, block: 300 * time.Millisecond, tempo: 10}
	if err := f.make(at); err != nil {
		t.Fatal(err)
	}
	at.edit(t, "steps = 300", "steps = 20")
	p := &process{home: at, open: openKnown, log: silent()}
	var err error
	if p.genesis, err = at.readGenesis(); err != nil {
		t.Fatal(err)
	}
	if p.settings, err = at.readSettings(); err != nil {
		t.Fatal(err)
	}
	hotkeys, err := p.hotkeys()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	material, err := p.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	nodes, _, err := p.cast(material, hotkeys)
	if err != nil {
		t.Fatal(err)
	}
	liar := &forger{Agent: nodes[1].Agent}
	nodes[1].Agent = liar
	world, err := live.New(live.Config{Ledger: live.Replicated(p.node), Genesis: p.genesis.Time, Seed: seedOf(nodes), Nodes: nodes, Log: silent()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- world.Run(ctx) }()
	const validator, honest, dishonest = chain.UID(0), chain.UID(1), chain.UID(2)
	until(t, 2*time.Minute, func() bool {
		select {
		case err := <-ended:
			t.Fatalf("the world ended: %v", err)
		default:
		}
		return p.node.View().Incentive(honest) > 0 && liar.answers.Load() >= 14 // each way twice
	})
	v := p.node.View()
	t.Logf("%d forged answers; the validator's weights are %v", liar.answers.Load(), v.Weights(validator))
	if v.Incentive(dishonest) > 0 {
		t.Errorf("the forger has an incentive of %v, the honest miner %v", v.Incentive(dishonest), v.Incentive(honest))
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := p.node.Stop(); err != nil {
		t.Error(err)
	}
}
