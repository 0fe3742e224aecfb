package chain

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A record of a chain is what a replica leaves behind so that others can do again what it did:
//
//	"taolab blocks 1\n"
//	a frame with the bytes of the state before the first block
//	for each block a frame: the digest of the state after it, the block's bytes
//
// A frame is its length in four bytes and that many bytes. A record may end after any frame.
const (
	recordMagic    = "taolab blocks 1\n"
	maxRecordState = 1 << 31
	maxRecordBlock = 1 << 26
)

// RecordWriter writes a record.
type RecordWriter struct{ w io.Writer }

// NewRecordWriter begins a record before the first block after a state.
func NewRecordWriter(w io.Writer, s *State) (*RecordWriter, error) {
	state, err := s.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	if len(state) > maxRecordState {
		return nil, fmt.Errorf("record: state of %d bytes, at most %d fit", len(state), maxRecordState)
	}
	if _, err := io.WriteString(w, recordMagic); err != nil {
		return nil, err
	}
	r := &RecordWriter{w}
	return r, r.frame(state)
}

// Write adds the next block and the digest of the state after it.
func (r *RecordWriter) Write(b Block, after Digest) error {
	data, err := b.AppendBinary(after[:len(after):len(after)])
	if err != nil {
		return err
	}
	if len(data) > maxRecordBlock {
		return fmt.Errorf("record: block %d has %d bytes, at most %d fit", b.Height, len(data), maxRecordBlock)
	}
	return r.frame(data)
}

func (r *RecordWriter) frame(data []byte) error {
	if _, err := r.w.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(data)))); err != nil {
		return err
	}
	_, err := r.w.Write(data)
	return err
}

// Mismatch says that a replay came to another state than the record has.
type Mismatch struct {
	Height     uint64
	Have, Want Digest // of the replay, and of the record
}

// Error says where the two part.
func (m *Mismatch) Error() string {
	return fmt.Sprintf("block %d: the replay comes to the digest %s, the record has %s", m.Height, m.Have, m.Want)
}

// Replay does again what a record has, and calls each, if not nil, after every block with the state, which it
// must not change. It returns the last state. A digest that differs is a *Mismatch.
func Replay(r io.Reader, each func(*State, Block, Outcome) error) (*State, error) {
	in := bufio.NewReader(r)
	magic := make([]byte, len(recordMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != recordMagic {
		return nil, fmt.Errorf("record of blocks: it begins with %q, want %q: is it another file?", magic, recordMagic)
	}
	data, err := readFrame(in, nil, maxRecordState)
	if err != nil {
		return nil, torn("within its first state", err)
	}
	s := new(State)
	if err := s.UnmarshalBinary(data); err != nil {
		return nil, torn("within its first state", err)
	}
	for {
		data, err = readFrame(in, data, maxRecordBlock)
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil || len(data) < len(Digest{}) {
			return s, torn(fmt.Sprintf("after block %d", s.height), err)
		}
		b, err := DecodeBlock(data[len(Digest{}):])
		if err != nil {
			return s, torn(fmt.Sprintf("after block %d", s.height), err)
		}
		o, err := s.Run(b, nil)
		if err != nil {
			return s, fmt.Errorf("record of blocks: %w", err)
		}
		if want := Digest(data[:len(Digest{})]); o.Digest != want {
			return s, &Mismatch{b.Height, o.Digest, want}
		}
		if each != nil {
			if err := each(s, b, o); err != nil {
				return s, err
			}
		}
	}
}

// torn says where a record can no longer be read, and why; nil: a frame is too short.
func torn(where string, why error) error {
	if why == nil || errors.Is(why, io.EOF) {
		why = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("record of blocks: it is torn or damaged %s: %w: what stands before is good; copy or export it again for the rest", where, why)
}

// readFrame reads a frame into the memory of an old one; io.EOF if there is none. It makes room as bytes
// come, not as a length says.
func readFrame(in io.Reader, old []byte, most uint32) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > most {
		return nil, fmt.Errorf("a frame of %d bytes, at most %d are read", n, most)
	}
	const step = 1 << 20
	data := old[:0]
	for uint32(len(data)) < n {
		at := len(data)
		data = append(data, make([]byte, min(step, int(n)-at))...)
		if _, err := io.ReadFull(in, data[at:]); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
	}
	return data, nil
}
