package decide

import (
	"math"

	"taolab/model/num"
)

// MaxSealSeconds bounds the wait for a seal, however slow the hashing.
const MaxSealSeconds = 1e9

// SealSeconds draws the time until the next seal of somebody who makes so many hashes a second: a lottery
// without memory, so that nothing is lost when difficulty or block change and it is drawn again.
func SealSeconds(difficulty uint64, hashesPerS float64, stream *num.Stream) float64 {
	return math.Min(float64(stream.Exponential()*MeanSealSeconds(difficulty, hashesPerS)), MaxSealSeconds)
}

// MeanSealSeconds is its mean.
func MeanSealSeconds(difficulty uint64, hashesPerS float64) float64 {
	return float64(difficulty) / hashesPerS
}
