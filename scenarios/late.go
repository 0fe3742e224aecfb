package scenarios

import "fmt"

// late warns of miners with models that may answer too late for a group of validators: a question waits for the
// visit to its text that the miner is on, and who is always late earns nothing and learns nothing of what pays.
func (f *File) late(key string, v *ValidatorGroup) (list []string) {
	if f.Economy() {
		return nil
	}
	for i := range f.Miners {
		m := &f.Miners[i]
		acts := m.Acts()
		if !acts.Model || !acts.Answers {
			continue
		}
		shape := m.Shape(f.Corpus.Vocab)
		slowest := min(m.HardwareMFLOPS.From, m.HardwareMFLOPS.To)
		seconds := func(flop int64) float64 { return float64(flop) / float64(slowest*1e6) }
		answer, visit := seconds(shape.ForwardFLOP(v.Rows, v.Tokens, true)), 0.0
		if acts.Trains && max(m.Duty.From, m.Duty.To) > 0 {
			visit = seconds(int64(m.Steps) * shape.TrainFLOP(m.Rows, m.Context))
		}
		if answer+visit > v.TimeoutS {
			list = append(list, fmt.Sprintf("%s: miners[%d] (%s) may take %.3g s to answer %d rows, %.3g s of them to end a visit to its text, and "+
				"%g s are waited for it; raise hardware_mflops or timeout_s, or lower rows", key, i, m.Name, answer+visit, v.Rows, visit, v.TimeoutS))
		}
	}
	return list
}
