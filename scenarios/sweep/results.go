package sweep

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"

	"taolab/model/whole"
)

// The ways in which a run may end.
const (
	OK      = "ok"
	Failed  = "failed"  // it began and did not finish
	Refused = "refused" // its settings are invalid
)

// Outcome is the result of a run, which is the same on every machine.
type Outcome struct {
	Status    string             `json:"status"`
	Error     string             `json:"error,omitempty"`
	RunDigest string             `json:"run_digest,omitempty"`
	Metrics   map[string]float64 `json:"metrics,omitempty"`
}

// Cost is the time that a run took on its machine.
type Cost struct {
	WallSeconds float64 `json:"wall_seconds"`
	CPUSeconds  float64 `json:"cpu_seconds"`
	Host        string  `json:"host"`
	Worker      int     `json:"worker"`
}

// record is an entry of a log of results.
type record struct {
	Key     string          `json:"key"`
	Attempt int             `json:"attempt"` // a later one replaces earlier ones
	Outcome json.RawMessage `json:"outcome"`
	Cost    Cost            `json:"cost"`
}

const (
	resultsFolder  = "results"
	resultsHeading = "taolab sweep results 1\n"
	frameBytes     = 8 // length and CRC of an entry
	maxRecordBytes = 16 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// place is the position of a run's newest entry.
type place struct {
	path    int // index into index.paths
	at      int64
	bytes   int
	attempt int
	failed  bool
	outcome [sha256.Size]byte
}

// index holds the positions of runs' results, without their contents.
type index struct {
	paths  []string
	places map[Key]place
	Notes  []string // of logs that end within an entry
}

// readResults finds the results of all logs of the folders.
func readResults(dirs ...string) (*index, error) {
	x := &index{places: map[Key]place{}}
	for _, dir := range dirs {
		paths, err := filepath.Glob(filepath.Join(globEscaped(dir), resultsFolder, "*.log"))
		if err != nil {
			return nil, err
		}
		slices.Sort(paths)
		for _, path := range paths {
			if err := x.read(path); err != nil {
				return nil, err
			}
		}
	}
	return x, nil
}

// globEscaped escapes the pattern characters of a path.
func globEscaped(dir string) string {
	var b bytes.Buffer
	for _, r := range dir {
		if r == '*' || r == '?' || r == '[' || r == '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (x *index) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	file := len(x.paths)
	x.paths = append(x.paths, path)
	end, err := entries(f, func(at int64, payload []byte) error { return x.add(file, at, payload) })
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if info, err := f.Stat(); err == nil && info.Size() > end {
		x.Notes = append(x.Notes, fmt.Sprintf("%s: its last %d bytes are not a whole result and are left out", path, info.Size()-end))
	}
	return nil
}

// file is the index of a log among the paths.
func (x *index) file(path string) int {
	if i := slices.Index(x.paths, path); i >= 0 {
		return i
	}
	x.paths = append(x.paths, path)
	return len(x.paths) - 1
}

// add takes an entry. Two of one attempt at a run must be equal.
func (x *index) add(file int, at int64, payload []byte) error {
	var r record
	if err := json.Unmarshal(payload, &r); err != nil {
		return fmt.Errorf("the entry at byte %d is not a result: %w", at, err)
	}
	key, err := keyOf(r.Key)
	if err != nil {
		return err
	}
	var out Outcome
	if err := json.Unmarshal(r.Outcome, &out); err != nil {
		return fmt.Errorf("the entry at byte %d is not a result: %w", at, err)
	}
	next := place{file, at, len(payload), r.Attempt, out.Status != OK, sha256.Sum256(r.Outcome)}
	before, met := x.places[key]
	switch {
	case met && before.attempt == next.attempt && before.outcome != next.outcome:
		return fmt.Errorf("the run %s came to another result in %s; one program gives one result: "+
			"compare the machines with taolab check and taolab vectors", key, x.paths[before.path])
	case met && before.attempt >= next.attempt:
		return nil
	}
	x.places[key] = next
	return nil
}

// entries reads whole entries and returns the offset of their end.
func entries(r io.Reader, do func(at int64, payload []byte) error) (end int64, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	heading := make([]byte, len(resultsHeading))
	if _, err := io.ReadFull(in, heading); err != nil {
		return 0, nil // cut short at its creation
	}
	if string(heading) != resultsHeading {
		return 0, errors.New("not a log of results; expected one that taolab sweep wrote")
	}
	end = int64(len(heading))
	var frame [frameBytes]byte
	for {
		if _, err := io.ReadFull(in, frame[:]); err != nil {
			return end, nil
		}
		length := binary.LittleEndian.Uint32(frame[:4])
		if length > maxRecordBytes {
			return end, nil
		}
		payload := make([]byte, length)
		if _, err := io.ReadFull(in, payload); err != nil || crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(frame[4:]) {
			return end, nil
		}
		if err := do(end+frameBytes, payload); err != nil {
			return end, err
		}
		end += frameBytes + int64(length)
	}
}

// load reads the newest result of a run.
func (x *index) load(key Key) (*record, *Outcome, error) {
	p, met := x.places[key]
	if !met {
		return nil, nil, nil
	}
	f, err := os.Open(x.paths[p.path])
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	payload := make([]byte, p.bytes)
	if _, err := f.ReadAt(payload, p.at); err != nil {
		return nil, nil, fmt.Errorf("%s: it changed while it was read: %w", x.paths[p.path], err)
	}
	r, out := new(record), new(Outcome)
	if err := json.Unmarshal(payload, r); err != nil {
		return nil, nil, fmt.Errorf("%s: it changed while it was read: %w", x.paths[p.path], err)
	}
	return r, out, json.Unmarshal(r.Outcome, out)
}

// log is the file to which a process appends results.
type log struct {
	f   *os.File
	end int64
}

// openLog opens a log for appending after its last whole entry.
func openLog(path string) (*log, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	end, err := entries(f, func(int64, []byte) error { return nil })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	l := &log{f: f, end: end}
	err = f.Truncate(end)
	if err == nil && end == 0 {
		err = l.write([]byte(resultsHeading))
	}
	if err == nil {
		err = whole.SyncFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: cannot be written: %w", path, err), f.Close())
	}
	return l, nil
}

// entry encodes a record for a log.
func (r *record) entry() ([]byte, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if len(payload) > maxRecordBytes {
		return nil, fmt.Errorf("a result of %d bytes, at most %d are kept", len(payload), maxRecordBytes)
	}
	frame := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	frame = binary.LittleEndian.AppendUint32(frame, crc32.Checksum(payload, castagnoli))
	return append(frame, payload...), nil
}

// append adds an entry, whole and synced, and returns its payload with the offset; on an error it leaves
// the log as it was.
func (l *log) append(r record) (at int64, payload []byte, err error) {
	entry, err := r.entry()
	if err != nil {
		return 0, nil, err
	}
	at = l.end + frameBytes
	return at, entry[frameBytes:], l.write(entry)
}

func (l *log) write(b []byte) error {
	_, err := l.f.WriteAt(b, l.end)
	if err = errors.Join(err, l.f.Sync()); err != nil {
		return errors.Join(err, l.f.Truncate(l.end))
	}
	l.end += int64(len(b))
	return nil
}

func (l *log) close() error { return l.f.Close() }
