package virtual

import (
	"bytes"
	"crypto/sha256"

	"taolab/sim/host"
	"taolab/sim/snapshot"
)

// disk holds the two newest saves of a node: each the state behind a checksum over the node's name
// and the state, so that neither damage nor another node's file passes for it.
type disk struct{ newest, older []byte }

func encodeSave(name string, state []byte) []byte {
	sum := checksum(name, state)
	return append(sum[:], state...)
}

func checksum(name string, state []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(name))
	h.Write([]byte{0})
	h.Write(state)
	h.Sum(sum[:0])
	return sum
}

// decodeSave returns the state of a save, unless it is damaged or another's.
func decodeSave(name string, file []byte) (state []byte, ok bool) {
	if len(file) < sha256.Size {
		return nil, false
	}
	sum := checksum(name, file[sha256.Size:])
	return file[sha256.Size:], bytes.Equal(sum[:], file[:sha256.Size])
}

// saveState writes the state of a node to its disk.
func (w *World) saveState(n *node) {
	file := encodeSave(n.cfg.Name, w.state(n, nil))
	for _, f := range n.faults.disks {
		if d, writes := f.effect.(diskWrite); writes && file != nil {
			if file, writes = d.write(w, n, file); !writes {
				return
			}
		}
	}
	n.disk.older, n.disk.newest = n.disk.newest, file
}

// load reads the newest save that is whole; none is a reason to begin as a new node.
func (w *World) load(n *node, misdirected bool) (state []byte, ok bool) {
	newest := n.disk.newest
	if misdirected {
		newest = w.nodes[(int(n.index)+1)%len(w.nodes)].disk.newest
	}
	if state, ok = decodeSave(n.cfg.Name, newest); ok {
		return state, true
	}
	w.fault(n.index, "disk", "the newest save is damaged or another node's: its checksum is wrong")
	if state, ok = decodeSave(n.cfg.Name, n.disk.older); ok {
		w.fault(n.index, "disk", "the node starts from the save before")
	}
	return state, ok
}

// reading is how the node's disk reads now.
func (n *node) reading() (takes host.Time, misdirected bool) {
	for _, f := range n.faults.disks {
		if d, reads := f.effect.(diskRead); reads {
			t, other := d.read()
			takes, misdirected = takes+t, misdirected || other
		}
	}
	return takes, misdirected
}

// restart brings a node back, when its disk is done reading.
func (w *World) restart(n *node) {
	takes, misdirected := n.reading()
	n.misdirected = n.misdirected || misdirected
	if takes > 0 && !n.forgets && !n.slowRead {
		n.slowRead = true
		w.alarm(w.now+takes, alarmStart, n.index, 0)
		return
	}
	w.start(n)
}

// start begins a node's process with the last saved state, or with none.
func (w *World) start(n *node) {
	if n.down--; n.down > 0 {
		return
	}
	var state []byte
	restored := false
	if !n.forgets {
		state, restored = w.load(n, n.misdirected)
	}
	n.forgets, n.misdirected, n.slowRead = false, false, false
	if restored {
		w.fault(n.index, "restart", "the node started from its last saved state")
		if err := w.replace(n, state); err != nil {
			w.fail(err)
			return
		}
	} else {
		w.fault(n.index, "restart", "the node started as a new one")
		w.stale += w.producer.ledger.Forget(n.index)
		w.doing = deed{n, "making its agent"}
		n.agent, w.doing = n.cfg.Fresh(), deed{}
	}
	w.handle(n, host.Start{Restored: restored})
	if n.paused == 0 {
		w.release(n, 0)
	}
	w.serve(n)
}

// onDisk stands at a node's disk.
func onDisk(f *injection) onNodes {
	return onNodes{f, func(n *nodeFaults) *[]*injection { return &n.disks }}
}

func (d *disk) layout(c *snapshot.Coder) {
	c.Blob(&d.newest)
	c.Blob(&d.older)
}
