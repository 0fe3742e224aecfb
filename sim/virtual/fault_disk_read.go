package virtual

import "taolab/sim/host"

var diskReadKind = FaultKind{
	Name: "disk_read", Doc: "a starting node reads its state slowly, or gets another node's file",
	Settings: []FaultSetting{share("the reads"), {"delay_s", 10, 0, 1e6, "time that a slow read takes"}},
	Modes:    []string{"slow", "misdirected"}, restores: true, fresh: true,
	effect: func(f *injection) effect { return diskRead{onDisk(f)} },
}

type diskRead struct{ onNodes }

// read is how long a read takes and whether it gets another node's file.
func (f diskRead) read() (takes host.Time, misdirected bool) {
	switch {
	case !f.happens():
		return 0, false
	case f.mode() == "slow":
		return f.span("delay_s"), false
	}
	return 0, true
}
