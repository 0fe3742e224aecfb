package attack

import (
	"encoding/binary"
	"math"
	"slices"

	"taolab/model/num"
	"taolab/sim/host"
)

var breaker = Behaviour{
	Kind: Miner, Name: "breaker", Doc: "trains, and spoils the bytes of its answers in a dozen ways",
	Model: true, Base: true, Trains: true, Answers: true, Mind: honest,
	Wrap: func(a host.Agent) host.Agent { return Breaker{a} },
}

// Breaker is an agent whose answers are meant to break their readers.
type Breaker struct{ host.Agent }

// Handle implements host.Agent.
func (b Breaker) Handle(env host.Env, event host.Event) { b.Agent.Handle(spoiling{env}, event) }

// spoiling is a host that spoils what an agent answers.
type spoiling struct{ host.Env }

// Reply implements host.Env.
func (s spoiling) Reply(call host.CallID, r host.Response) {
	stream := s.Rand("spoil")
	r.Body = spoiled(r.Body, stream.IntN(ways), stream)
	s.Env.Reply(call, r)
}

// As implements host.Env.
func (s spoiling) As(id host.Identity) host.Env { return spoiling{s.Env.As(id)} }

// ways is how many ways there are to spoil a body.
const ways = 12

// oversized is the length of a body that is meant to fill memories.
const oversized = 1 << 20

// spoiled is a body broken in one of the ways.
func spoiled(body []byte, way int, stream *num.Stream) []byte {
	n := len(body)
	bad := slices.Clone(body)
	switch way {
	case 0:
		return nil
	case 1:
		return bad[:n/2]
	case 2:
		return bad[:max(n, 1)-1]
	case 3:
		return append(bad, 0)
	case 4:
		return append(bad, bad...)
	case 5:
		return slices.Repeat([]byte{0xff}, n)
	case 6:
		return make([]byte, n)
	case 7:
		return make([]byte, oversized)
	case 8: // another kind of body, or version
		if n > 0 {
			bad[0] ^= 0xff
		}
	case 9: // counts beyond all memory
		for i := 1; i < min(n, 12); i++ {
			bad[i] = 0xff
		}
	case 10: // not a number
		if n >= 4 {
			binary.LittleEndian.PutUint32(bad[n-4:], math.Float32bits(float32(math.NaN())))
		}
	default:
		for i := range bad {
			bad[i] = byte(stream.IntN(256))
		}
	}
	return bad
}
