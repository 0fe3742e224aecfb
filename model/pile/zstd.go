package pile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"

	"github.com/klauspost/compress/zstd"

	"taolab/model/jsontext"
)

// Windows of zstd frames. A frame refers back to text up to its window, which its header announces; a
// compressor that writes into a pipe announces its largest window, however short the text is.
const (
	maxWindowBytes    = 128 << 20 // kept: what zstd --long=27 uses
	maxAnnouncedBytes = 2 << 30   // what zstd --long=31 announces
)

// unpacked reads the text of a shard.
type unpacked struct {
	in     io.Reader
	path   string
	frames *frames // nil: the file is plain
	zstd   *zstd.Decoder
}

// unpack begins to read a file. It refuses one that is not of the format that its name promises, and
// names the format found.
func unpack(file io.Reader, path string) (*unpacked, error) {
	in := bufio.NewReaderSize(file, 1<<16)
	head, _ := in.Peek(64) // an error here comes again when the file is read
	packed := strings.HasSuffix(path, ".zst")
	if err := nature(head, path, packed); err != nil {
		return nil, err
	}
	if !packed {
		return &unpacked{in: in, path: path}, nil
	}
	t := &unpacked{path: path, frames: &frames{in: in, path: path}}
	// One decoder without goroutines of its own.
	var err error
	t.zstd, err = zstd.NewReader(t.frames, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindowBytes))
	if err != nil {
		return nil, t.explain(err)
	}
	t.in = t.zstd
	return t, nil
}

func (t *unpacked) close() {
	if t.zstd != nil {
		t.zstd.Close()
	}
}

// nature refuses a file whose beginning is that of another format.
func nature(head []byte, path string, packed bool) error {
	if len(head) == 0 {
		return nil
	}
	what := jsontext.Describe(head)
	switch {
	case packed == isFrame(head):
		if !packed && what != "" {
			return fmt.Errorf("the file is %s", what)
		}
		return nil
	case !packed:
		return fmt.Errorf("the file is compressed with zstd; rename it to %s.zst", path)
	case what != "":
		return fmt.Errorf("the file is not zstd but %s", what)
	case strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(string(head), jsontext.Mark), " \t\r\n"), "{"):
		return fmt.Errorf("the file is not zstd but plain text; rename it to %s", strings.TrimSuffix(path, ".zst"))
	}
	return fmt.Errorf("the file is not zstd: it begins with the bytes % x; wanted a zstd frame, 28 b5 2f fd: fetch it again",
		head[:min(len(head), 4)])
}

// explain turns an error of the decoder into a description of the file's fault.
func (t *unpacked) explain(err error) error {
	if t.frames == nil || err == nil {
		return err
	}
	f := t.frames
	switch {
	case f.fault != nil:
		return f.fault
	case err == io.EOF || errors.Is(err, errLongLine):
		return err
	case errors.Is(err, zstd.ErrCRCMismatch):
		return fmt.Errorf("the checksum of the zstd frame at byte %d does not fit its text: the file is damaged, fetch it again",
			f.start)
	case f.window > maxWindowBytes:
		return f.tooLong()
	}
	return fmt.Errorf("the zstd frame at byte %d is damaged; fetch the file again", f.start)
}

// frames passes a zstd file to the decoder, frame by frame. It replaces a window that is longer than
// the longest kept one by that one. A frame that refers back no farther, as a short one must, still
// decodes; the decoder reports any other.
type frames struct {
	in   *bufio.Reader
	path string

	ready []byte // to hand out
	left  int64  // bytes of the block to hand out after it
	at    int64  // bytes read
	next  func() error
	fault error // why the file cannot be read

	start    int64  // of the frame
	window   uint64 // that the frame announced
	checksum bool   // the frame ends in one
}

const frameMagic = 0xfd2fb528

// isFrame reports whether data begins like a zstd file. Skippable frames count.
func isFrame(data []byte) bool {
	if len(data) < 4 {
		return false
	}
	magic := binary.LittleEndian.Uint32(data)
	return magic == frameMagic || magic&^0xf == 0x184d2a50
}

// Read returns bytes up to the next place where a change may be needed.
func (f *frames) Read(p []byte) (n int, err error) {
	for len(f.ready) == 0 && f.left == 0 {
		if f.next == nil {
			f.next = f.frame
		}
		if err := f.next(); err != nil {
			return 0, f.cut(err)
		}
	}
	if n = copy(p, f.ready); n > 0 {
		f.ready = f.ready[n:]
		return n, nil
	}
	n, err = f.in.Read(p[:min(int64(len(p)), f.left)])
	f.at += int64(n)
	f.left -= int64(n)
	return n, f.cut(whole(err))
}

// cut notes that the file ends within a frame, which the decoder does not always notice.
func (f *frames) cut(err error) error {
	if err == io.ErrUnexpectedEOF {
		f.fault = errors.New("the file ends within a zstd frame; wanted a whole file, fetch it again")
	}
	return err
}

// take reads n bytes, queues them for the decoder, and returns them.
func (f *frames) take(n int) ([]byte, error) {
	first := len(f.ready)
	f.ready = append(f.ready, make([]byte, n)...)
	read, err := io.ReadFull(f.in, f.ready[first:])
	f.at += int64(read)
	if first > 0 {
		err = whole(err)
	}
	return f.ready[first:], err
}

// frame reads the beginning of a frame, or the end of the file.
func (f *frames) frame() error {
	f.ready, f.start, f.window = nil, f.at, 0
	magic, err := f.take(4)
	switch {
	case err != nil:
		return err
	case !isFrame(magic):
		f.fault = fmt.Errorf("byte %d of the file: % x; wanted the beginning of another zstd frame or the end of the file: "+
			"cut off what follows", f.start, magic)
		return f.fault
	case binary.LittleEndian.Uint32(magic) != frameMagic:
		size, err := f.take(4)
		f.left = int64(binary.LittleEndian.Uint32(size))
		return err
	}
	return f.header()
}

// header reads a frame's header: a descriptor, then the fields that it announces.
func (f *frames) header() error {
	d, err := f.take(1)
	if err != nil {
		return err
	}
	flags := d[0]
	single := flags&(1<<5) != 0
	f.checksum = flags&(1<<2) != 0
	f.next = f.block
	if !single {
		w, err := f.take(1)
		if err != nil {
			return err
		}
		base := uint64(1) << (10 + w[0]>>3)
		f.window = base + base/8*uint64(w[0]&7)
	}
	id, err := f.take([4]int{0, 1, 2, 4}[flags&3])
	if err != nil {
		return err
	}
	sizeBytes := [4]int{0, 2, 4, 8}[flags>>6]
	if single {
		sizeBytes = [4]int{1, 2, 4, 8}[flags>>6]
	}
	size, err := f.take(sizeBytes)
	if err != nil {
		return err
	}
	if single { // the text is its own window
		f.window = binary.LittleEndian.Uint64(append(append([]byte(nil), size...), make([]byte, 8)...))
	}
	for _, b := range id {
		if b != 0 {
			f.fault = fmt.Errorf("the zstd frame at byte %d was made with a dictionary, which is not part of the file; rewrite "+
				"it with: zstd -d -D DICTIONARY -c %s | zstd -o NEW.jsonl.zst", f.start, f.path)
			return f.fault
		}
	}
	if f.window > maxAnnouncedBytes {
		f.fault = f.tooLong()
		return f.fault
	}
	if f.window > maxWindowBytes {
		f.shorten(single)
	}
	return nil
}

// shorten makes the header in f.ready announce the longest window that is kept, adding the field to a
// frame that is its own window.
func (f *frames) shorten(single bool) {
	const descriptor = 4
	log := byte(bits.TrailingZeros(maxWindowBytes)-10) << 3
	if !single {
		f.ready[descriptor+1] = log
		return
	}
	f.ready[descriptor] &^= 1 << 5
	f.ready = append(f.ready[:descriptor+1], append([]byte{log}, f.ready[descriptor+1:]...)...)
}

// block reads the three bytes before a block.
func (f *frames) block() error {
	f.ready = nil
	b, err := f.take(3)
	if err != nil {
		return whole(err)
	}
	header := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	f.left = int64(header >> 3)
	if header>>1&3 == 1 { // one byte, many times
		f.left = 1
	}
	if header&1 == 1 {
		f.next = f.end
	}
	return nil
}

// end reads what follows the last block.
func (f *frames) end() error {
	f.next, f.ready = f.frame, nil
	if !f.checksum {
		return nil
	}
	_, err := f.take(4)
	return whole(err)
}

// whole turns an end of file inside a frame into an unexpected one.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (f *frames) tooLong() error {
	log := bits.Len64(f.window - 1)
	return fmt.Errorf("the zstd frame at byte %d needs a window of %d bytes (--long=%d), and %d are kept (--long=27); rewrite "+
		"it with: zstd -d --long=%d -c %s | zstd --long=27 -o NEW.jsonl.zst", f.start, f.window, log, maxWindowBytes, log, f.path)
}
