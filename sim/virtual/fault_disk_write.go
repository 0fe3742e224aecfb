package virtual

var diskWriteKind = FaultKind{
	Name: "disk_write", Doc: "saves of the target's states go wrong. torn: only a part is written; lost: nothing is, though the disk said so; rot: bits flip; full: the disk refuses",
	Settings: []FaultSetting{share("the saves"), {"bits", 8, 1, 4096, "bits that flip"}},
	Modes:    []string{"torn", "lost", "rot", "full"}, restores: true, fresh: true,
	effect: func(f *injection) effect { return diskWrite{onDisk(f)} },
}

type diskWrite struct{ onNodes }

// write is what becomes of a file that is written over another.
func (f diskWrite) write(w *World, n *node, file []byte) (written []byte, kept bool) {
	if !f.happens() || len(file) == 0 { // another fault has torn all of it
		return file, true
	}
	switch f.mode() {
	case "torn":
		return file[:f.draw.IntN(len(file))], true
	case "rot":
		for range int(f.number("bits")) {
			at := f.draw.IntN(8 * len(file))
			file[at/8] ^= 1 << (at % 8)
		}
		return file, true
	case "lost":
		w.fault(n.index, "disk", "a save was lost, though the disk said that it was written")
	case "full":
		w.fault(n.index, "disk", "the disk is full: the save before stays")
	}
	return nil, false
}
