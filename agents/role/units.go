package role

import (
	"fmt"
	"strings"

	"taolab/sim/chain"
	"taolab/sim/host"
)

// Rao converts TAO to the ledger's integer unit, rounding to nearest.
func Rao(tao float64) uint64 { return uint64(float64(tao*chain.RaoPerTAO) + 0.5) }

// Seconds converts seconds to the hosts' unit of time.
func Seconds(s float64) host.Time { return host.Time(float64(s * 1e9)) }

func set[T, V any](p *T, value *V, convert func(V) T) {
	if value != nil {
		*p = convert(*value)
	}
}

func same[T any](x T) T { return x }

func count16(n uint64) uint16 { return uint16(n) } // at most 65535 by the tags

// share16 converts a share to units of 1/65535, rounding to nearest, but never to zero.
func share16(x float64) uint16 {
	share := uint16(float64(x*65535) + 0.5)
	if x > 0 {
		return max(share, 1)
	}
	return share
}

// Report receives a fault of a key.
type Report func(key, fault, want, hint string)

// Share formats a share in 1/65535.
func Share(x uint16) string { return fmt.Sprintf("%.4f", float64(x)/65535) }

// TAO formats an amount exactly.
func TAO(rao uint64) string {
	text := fmt.Sprintf("%d.%09d", rao/chain.RaoPerTAO, rao%chain.RaoPerTAO)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + " TAO"
}
