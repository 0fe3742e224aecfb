package pile

// Count describes the content of one subset of a source.
type Count struct {
	Name         string
	Weight       float64 // percent
	Documents    int64
	Bytes        int64 // of text, in all splits
	TrainBytes   int64
	ScoreBytes   int64
	HeldOutBytes int64
	Replaced     int64 // bytes that were not UTF-8 and read as U+FFFD
}

// Inspect reads a whole source and counts its content by subset.
func Inspect(src Source) ([]Count, error) {
	subsets := src.Subsets()
	counts := make([]Count, len(subsets))
	shards, onDisk := src.(*Shards)
	for i, subset := range subsets {
		counts[i] = Count{Name: subset.Name, Weight: float64(100 * subset.Weight)}
		if onDisk {
			counts[i].Replaced = shards.Replaced(subset.Name)
		}
	}
	for document, err := range src.Documents() {
		if err != nil {
			return nil, err
		}
		c := &counts[document.Subset]
		n := int64(len(document.Text))
		c.Documents++
		c.Bytes += n
		switch document.Split {
		case Train:
			c.TrainBytes += n
		case Score:
			c.ScoreBytes += n
		case HeldOut:
			c.HeldOutBytes += n
		}
	}
	return counts, nil
}
