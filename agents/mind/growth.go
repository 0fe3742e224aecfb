package mind

import (
	"slices"

	"taolab/model/pile"
	"taolab/sim/host"
)

// Growth is a mix that replaces another at a height, where text was appended to the corpus.
type Growth struct {
	FromBlock uint64
	Mix       *pile.Mix
}

// grown counts the growths that a node has seen; they are in the order of their heights.
func grown(later []Growth, env host.Env) int {
	n := 0
	for n < len(later) && later[n].FromBlock <= env.Chain().Height() {
		n++
	}
	return n
}

// mixAfter returns the mix after n growths.
func mixAfter(first *pile.Mix, later []Growth, n int) *pile.Mix {
	if n == 0 {
		return first
	}
	return later[n-1].Mix
}

// extending reports whether each mix reads the subsets of the one before it, followed by its further ones.
func extending(first *pile.Mix, later []Growth) bool {
	before := first.Reads()
	for i, g := range later {
		reads := g.Mix.Reads()
		if len(reads) < len(before) || !slices.Equal(reads[:len(before)], before) || i > 0 && g.FromBlock < later[i-1].FromBlock {
			return false
		}
		before = reads
	}
	return true
}
