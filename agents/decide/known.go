package decide

// Known are the places of the subsets that a mix has a share of.
func Known(mix []float64) []int {
	var known []int
	for s, share := range mix {
		if share > 0 {
			known = append(known, s)
		}
	}
	return known
}

// Welcome gives subsets that the mix has no share of the least that the rule allows, and 1 % where that is
// nothing: a share of 0 could never grow.
func (r MixRule) Welcome(mix []float64, subsets []int) {
	least := r.Floor
	if least == 0 {
		least = 0.01
	}
	for _, s := range subsets {
		for k := range mix {
			mix[k] = float64(mix[k] * (1 - least))
		}
		mix[s] = least
	}
}

// Among are the values at some places.
func Among(values []float64, places []int) []float64 {
	some := make([]float64, len(places))
	for i, s := range places {
		some[i] = values[s]
	}
	return some
}

// Back puts values back at their places.
func Back(values []float64, places []int, some []float64) {
	for i, s := range places {
		values[s] = some[i]
	}
}
