package virtual

import (
	"taolab/model/num"
	"taolab/sim/host"
)

// Waves are when faults come several at once, after long quiet stretches.
type Waves struct {
	Quiet    host.Time // mean of a quiet stretch, half of which is certain; 0: no waves
	Storm    host.Time // within which the faults of a wave begin
	Together int       // faults of a wave, no two from one template
	Until    host.Time // all faults are over by then
	Seed     uint64
}

// Schedule draws faults from templates, of which the length counts and the begin does not.
func (v Waves) Schedule(templates []Fault) []Fault {
	if v.Quiet <= 0 || len(templates) == 0 {
		return nil
	}
	longest := host.Time(0)
	for _, f := range templates {
		longest = max(longest, f.To-f.From)
	}
	draw := num.NewStream(v.Seed, "waves")
	var list []Fault
	for t := host.Time(0); ; t += v.Storm + longest {
		t += v.Quiet/2 + host.Time(float64(draw.Exponential()*float64(v.Quiet/2)))
		if t > v.Until-v.Storm-longest || len(list)+v.Together > maxFaults {
			return list
		}
		order := draw.Perm(len(templates))
		for _, i := range order[:min(v.Together, len(order))] {
			f := templates[i]
			length := f.To - f.From
			f.From = t + host.Time(float64(draw.Float64()*float64(v.Storm)))
			f.To = f.From + length
			list = append(list, f)
		}
	}
}
