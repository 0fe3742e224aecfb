package decide

// Gain is what one more uid adds to an owner's income per epoch, that has so many uids with own of all that is
// earned: the new one would earn like those, and all others less. Where no seat is free, one of the others' uids
// gives way to it.
func Gain(own, all float64, uids, others int, full bool) float64 {
	if all <= 0 || uids < 1 {
		return 0
	}
	share := own / all
	more, gone := share/float64(uids), 0.0
	if full && others > 0 {
		gone = (1 - share) / float64(others)
	}
	total := 1 + more - gone
	if total <= 0 {
		return 0
	}
	return float64(all * ((share+more)/total - share))
}

// Loss is what an owner loses per epoch who gives up a uid that earns one of its own part of all: the rest of its
// uids then earn more.
func Loss(one, own, all float64) float64 {
	if all <= one {
		return one
	}
	return float64(one*(1-own/all)) / (1 - one/all)
}
