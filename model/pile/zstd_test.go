package pile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// piped is a frame as a program writes it when it does not know the length, announcing a window of 2^log
// bytes.
func piped(t testing.TB, text string, log int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithSingleSegment(false), zstd.WithEncoderCRC(true))
	if err == nil {
		_, err = io.Copy(w, strings.NewReader(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	frame := b.Bytes()
	if frame[4]&(1<<5) != 0 {
		t.Fatalf("descriptor %#02x: the encoder made the text its own window", frame[4])
	}
	frame[5] = byte(log-10) << 3
	return frame
}

// distant is a frame whose last bytes are a copy of three bytes that stand back bytes before. Blanks and
// ends of lines fill the way there.
func distant(single bool, back int) []byte {
	const block = 128 << 10
	first := "\n\n\n" + `{"text": "from afar"}` + "\n"
	var blocks []byte
	add := func(last, kind, size int, data ...byte) {
		header := last | kind<<1 | size<<3
		blocks = append(append(blocks, byte(header), byte(header>>8), byte(header>>16)), data...)
	}
	add(0, 0, len(first), []byte(first)...)
	size := len(first)
	for size < back-block-1 {
		add(0, 1, block, ' ')
		add(0, 1, 1, '\n')
		size += block + 1
	}
	add(0, 1, back-size, ' ')
	// One sequence without literals: three bytes from back bytes before. Its tables have one symbol each,
	// so that the stream holds only the offset's bits, then a 1.
	code, value := 27, back+3
	if value>>code != 1 {
		panic("the offset has another code")
	}
	data := []byte{0 << 3, 1, 0x54, 0, byte(code), 0}
	data = binary.LittleEndian.AppendUint32(data, uint32(value))
	add(1, 2, len(data), data...)
	var frame []byte
	if single {
		frame = append(frame, 0x28, 0xb5, 0x2f, 0xfd, 2<<6|1<<5)
		frame = binary.LittleEndian.AppendUint32(frame, uint32(back+3))
	} else {
		frame = append(frame, 0x28, 0xb5, 0x2f, 0xfd, 0, (31-10)<<3)
	}
	return append(frame, blocks...)
}

func readShard(t testing.TB, name string, data []byte) ([]string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	var texts []string
	err := shard{path: path}.each(RefuseInvalid, func(r record) bool {
		texts = append(texts, string(r.text))
		return true
	})
	return texts, err
}

func TestLongWindowsAreReadAsLongAsTheirTextIsShort(t *testing.T) {
	text := shardLine(t, "Github", "one") + shardLine(t, "Github", "two")
	skipped := []byte{0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'}
	for _, log := range []int{10, 23, 27, 28, 31} {
		data := slices.Concat(skipped, piped(t, text, log), skipped, piped(t, shardLine(t, "New", "three"), 31))
		if got, err := readShard(t, "0.jsonl.zst", data); err != nil || !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Errorf("a window of 2^%d bytes: %q, %v", log, got, err)
		}
	}
	if _, err := readShard(t, "0.jsonl.zst", piped(t, text, 32)); err == nil ||
		!strings.Contains(err.Error(), "window of 4294967296 bytes (--long=32), and 134217728 are kept") {
		t.Error(err)
	}
}

func TestTextFromBeforeTheWindowThatIsKeptIsRefusedWithTheCommandThatMendsIt(t *testing.T) {
	for _, single := range []bool{false, true} {
		got, err := readShard(t, "0.jsonl.zst", distant(single, maxWindowBytes))
		if err != nil || !slices.Equal(got, []string{"from afar"}) {
			t.Errorf("single segment %v, from within the window: %q, %v", single, got, err)
		}
		_, err = readShard(t, "0.jsonl.zst", distant(single, maxWindowBytes+1))
		for _, want := range []string{"the zstd frame at byte 0 needs a window of ", "and 134217728 are kept (--long=27)",
			"zstd -d --long=", "0.jsonl.zst | zstd --long=27 -o NEW.jsonl.zst"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("single segment %v: %v; wanted %q", single, err, want)
			}
		}
	}
}

// Another program reads the tests' frames too.
func TestFramesOfLongWindowsAreThoseOfTheReferenceProgram(t *testing.T) {
	program, err := exec.LookPath("zstd")
	if err != nil {
		t.Skip("zstd is not installed: apt-get install zstd")
	}
	path := filepath.Join(t.TempDir(), "far.zst")
	if err := os.WriteFile(path, distant(false, maxWindowBytes+1), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-d", "--long=31", "-c", path).Output()
	if err != nil || len(out) != maxWindowBytes+4 || !strings.HasSuffix(string(out), " \n\n\n") {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	text := strings.Repeat(shardLine(t, "Github", "piped"), 100)
	for _, flag := range []string{"--long=31", "--long=27", "-19", "--no-check"} {
		pack := exec.Command(program, "-q", "-c", flag)
		pack.Stdin = strings.NewReader(text)
		packed, err := pack.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readShard(t, "0.jsonl.zst", packed); err != nil || len(got) != 100 {
			t.Errorf("%s: %d documents, %v", flag, len(got), err)
		}
	}
}

func TestAFileThatIsNotWhatItsNameSaysIsCalledWhatItIs(t *testing.T) {
	line := shardLine(t, "Github", "fine")
	good := piped(t, line, 23)
	damaged := bytes.Clone(good)
	damaged[len(damaged)-2] ^= 1
	broken := compressed(t, randomText(50_000))
	broken[len(broken)/2] ^= 0x55
	dictionary := slices.Insert(bytes.Clone(good), 6, 7)
	dictionary[4] |= 1
	const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345678\n"
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"a.jsonl.zst", []byte(pointer), `the file is not zstd but a pointer of Git LFS, not the file itself; run "git lfs pull"`},
		{"a.jsonl", []byte(pointer), `the file is a pointer of Git LFS`},
		{"a.jsonl.zst", []byte("<!DOCTYPE html><html>404</html>"), "not zstd but a web page; the download failed"},
		{"a.jsonl", []byte("\n<html><title>404"), "the file is a web page; the download failed"},
		{"a.jsonl.zst", []byte(line), "not zstd but plain text; rename it to "},
		{"a.jsonl.zst", []byte("\ufeff" + line), "not zstd but plain text; rename it to "},
		{"a.jsonl", good, "compressed with zstd; rename it to "},
		{"a.jsonl.zst", []byte("\x1f\x8b\x08\x00"), `not zstd but a gzip file; unpack it with "gzip -d"`},
		{"a.jsonl", []byte("\xff\xfe{\x00\"\x00"), "the file is text in UTF-16; write it as UTF-8"},
		{"a.jsonl.zst", []byte("oh no"), "the file is not zstd: it begins with the bytes 6f 68 20 6e"},
		{"a.jsonl.zst", []byte("("), "the file is not zstd: it begins with the bytes 28"},
		{"a.jsonl.zst", good[:len(good)-2], "the file ends within a zstd frame; wanted a whole file"},
		{"a.jsonl.zst", good[:5], "line 1: the file ends within a zstd frame"},
		{"a.jsonl.zst", append(bytes.Clone(good), good[:3]...), "the file ends within a zstd frame"},
		{"a.jsonl.zst", append(bytes.Clone(good), "more"...), fmt.Sprintf("byte %d of the file: 6d 6f 72 65; wanted", len(good))},
		{"a.jsonl.zst", damaged, "the checksum of the zstd frame at byte 0 does not fit its text: the file is damaged, fetch it again"},
		{"a.jsonl.zst", broken, "damaged"},
		{"a.jsonl.zst", dictionary, "was made with a dictionary, which is not part of the file"},
	} {
		_, err := readShard(t, c.name, c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s beginning with %.20q: %v; wanted %q", c.name, c.data, err, c.want)
		}
		for _, library := range []string{"magic number", "CRC", "invalid character", "unexpected EOF"} {
			if err != nil && strings.Contains(err.Error(), library) {
				t.Errorf("%s beginning with %.20q: %v: these are the words of a library", c.name, c.data, err)
			}
		}
	}
	for _, empty := range []string{"a.jsonl", "a.jsonl.zst"} {
		if got, err := readShard(t, empty, nil); err != nil || got != nil {
			t.Errorf("%s without a byte: %q, %v", empty, got, err)
		}
	}
}

// FuzzFilesReadAsTheDecoderAloneReadsThem puts the decoder behind the frames and next to them: what it
// reads without them it reads with them, and nothing else.
func FuzzFilesReadAsTheDecoderAloneReadsThem(f *testing.F) {
	f.Add(piped(f, "text", 23))
	f.Add(append(piped(f, strings.Repeat("text", 100), 31), piped(f, "more", 20)...))
	f.Add(compressed(f, randomText(300)))
	f.Add([]byte{0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'})
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 8 << 3, 1 | 1<<1 | 7<<3, 0, 0, 'x'})
	alone, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<20))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read := &frames{in: bufio.NewReader(bytes.NewReader(data)), path: "x"}
		passed, fault := io.ReadAll(read)
		if fault == nil && len(passed) < len(data) {
			t.Fatalf("%d of %d bytes are handed on", len(passed), len(data))
		}
		if err := alone.Reset(bytes.NewReader(data)); err != nil {
			return
		}
		want, err := io.ReadAll(io.LimitReader(alone, 1<<20))
		if err != nil || len(want) == 1<<20 {
			return
		}
		if fault != nil && !errors.Is(fault, io.ErrUnexpectedEOF) && read.fault == nil {
			t.Fatalf("%x is read by the decoder; with frames %v", data, fault)
		}
		if fault != nil {
			return // stricter about what follows the last frame, and about its end
		}
		if err := alone.Reset(bytes.NewReader(passed)); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(alone); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%x: %q by the decoder, %q with frames (%v)", data, want, got, err)
		}
	})
}
