package pile

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of a corpus on disk.
const (
	maxShards       = 1 << 16
	surveyedPerUsed = 4 // text that the survey reads, as a multiple of the limit
)

// Shards is a corpus on disk: files of JSON lines, plain (.jsonl) or under zstd (.jsonl.zst), one
// document a line, read in the order of their names. Lines are read by package jsontext: names must
// match exactly and appear once, and a byte order mark is skipped. Bytes that are not UTF-8 are an error
// or read as U+FFFD, as the caller chooses; a zstd frame may announce a window of up to 2 GiB as long as
// its text refers back at most 128 MiB.
//
// Files of a folder whose names begin with "val" or "test" are held-out text. The other documents are
// divided by the SHA-256 of their text: a sixteenth is Score, and where no file is held out another
// sixteenth HeldOut. So copies of a document end up in the same split.
//
// A limit cuts the corpus: if there is more text, each subset keeps only its beginning, up to a size
// that is the same for all and fills the limit; small subsets stay whole. A document that exceeds the
// size is cut there. A sixteenth of the limit is for files of held-out text, if there are any. At most
// four times the limit is read, so that the head of a huge corpus can be used without the rest; subsets
// that begin later do not exist then.
type Shards struct {
	files   []shard
	wanted  []string
	names   []string
	groups  [2]group // training files, held-out files
	invalid InvalidUTF8
	digest  [32]byte
	heldOut bool // there are held-out files
}

// shard is a file.
type shard struct {
	path  string
	group int
}

// group is the state of reading the files of one kind.
type group struct {
	limit  int64            // bytes in all, 0 for no limit
	lines  int              // lines that the survey looked at, in all files
	caps   map[string]int64 // bytes by subset; no entry: unlimited
	bytes  map[string]int64 // bytes by subset that the survey saw
	looked int64

	replaced map[string]int64 // bytes by subset that were not UTF-8
}

// Open surveys a folder or a single file. It takes at most limit bytes of text, or all of it if limit is
// 0, from the named subsets, or from all if none are named. Errors name the file and the line.
func Open(path string, limit int64, subsets []string, invalid InvalidUTF8) (*Shards, error) {
	if limit < 0 {
		return nil, fmt.Errorf("pile: a limit of %d bytes; wanted 0 for all text, or more", limit)
	}
	files, err := findShards(path)
	if err != nil {
		return nil, err
	}
	s := &Shards{files: files, wanted: slices.Clone(subsets), invalid: invalid}
	training := 0
	for _, f := range files {
		training += 1 - f.group
	}
	if training == 0 {
		return nil, fmt.Errorf("pile: %s: only held-out shards (val*, test*); wanted one to train on, "+
			"like 00.jsonl.zst", path)
	}
	s.heldOut = training < len(files)
	s.groups[0].limit = limit
	if s.heldOut && limit > 0 {
		s.groups[1].limit = max(limit/16, 1)
		s.groups[0].limit = limit - s.groups[1].limit
	}
	if err := s.survey(); err != nil {
		return nil, err
	}
	if len(s.names) == 0 {
		return nil, fmt.Errorf("pile: %s: no text; wanted documents with a non-empty \"text\"%s",
			path, s.ofWanted())
	}
	for _, name := range subsets {
		if !slices.Contains(s.names, name) {
			return nil, fmt.Errorf("pile: %s: no text of subset %q; found %s",
				path, name, strings.Join(s.names, ", "))
		}
	}
	return s, nil
}

func (s *Shards) ofWanted() string {
	if len(s.wanted) == 0 {
		return ""
	}
	return " of subset " + strings.Join(s.wanted, " or ")
}

// findShards lists the files in the order of their names.
func findShards(path string) ([]shard, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("pile: corpus: %w; wanted a folder of .jsonl or .jsonl.zst files, "+
			"or one such file", err)
	}
	paths := []string{path}
	if info.IsDir() {
		entries, err := os.ReadDir(path) // in the order of names
		if err != nil {
			return nil, fmt.Errorf("pile: corpus: %w", err)
		}
		paths = nil
		for _, e := range entries {
			if !e.IsDir() && isShard(e.Name()) {
				paths = append(paths, filepath.Join(path, e.Name()))
			}
		}
	} else if !isShard(path) {
		return nil, fmt.Errorf("pile: %s: unknown ending; wanted .jsonl or .jsonl.zst", path)
	}
	if len(paths) == 0 || len(paths) > maxShards {
		return nil, fmt.Errorf("pile: %s: %d shards; wanted 1 to %d files ending in .jsonl or .jsonl.zst",
			path, len(paths), maxShards)
	}
	var files []shard
	for _, p := range paths {
		f := shard{path: p}
		if name := filepath.Base(p); strings.HasPrefix(name, "val") || strings.HasPrefix(name, "test") {
			f.group = 1
		}
		if !info.IsDir() {
			f.group = 0
		}
		files = append(files, f)
	}
	return files, nil
}

func isShard(name string) bool {
	return strings.HasSuffix(name, ".jsonl") || strings.HasSuffix(name, ".jsonl.zst")
}

// read visits the wanted documents of one group in order, with the number of the line in the group. It
// stops after lineLimit lines, if that is not 0, and when visit returns false. Errors name shard and
// line.
func (s *Shards) read(groupIndex, lineLimit int, visit func(r record, line int) bool) error {
	count := 0
	for _, f := range s.files {
		if f.group != groupIndex {
			continue
		}
		goOn := true
		err := f.each(s.invalid, func(r record) bool {
			count++
			if len(r.text) > 0 && (len(s.wanted) == 0 || slices.Contains(s.wanted, r.subset)) {
				goOn = visit(r, count)
			}
			goOn = goOn && count != lineLimit
			return goOn
		})
		if err != nil || !goOn {
			return err
		}
	}
	return nil
}

// each visits the documents of one file until visit returns false.
func (f shard) each(invalid InvalidUTF8, visit func(record) bool) error {
	file, err := os.Open(f.path)
	if err != nil {
		return fmt.Errorf("pile: shard: %w", err)
	}
	defer file.Close()
	text, err := unpack(file, f.path)
	if err != nil {
		return fmt.Errorf("pile: %s: %w", f.path, err)
	}
	defer text.close()
	lines, parser := newLines(text.in), lineParser{invalid: invalid}
	for {
		line, err := lines.next()
		if err = text.explain(err); err == io.EOF {
			return nil
		}
		var r record
		if err == nil {
			r, err = parser.parse(line)
		}
		if err != nil {
			return fmt.Errorf("pile: %s: line %d: %w", f.path, lines.number, err)
		}
		if !visit(r) {
			return nil
		}
	}
}

// survey finds the subsets, their sizes and the digest, and sets the caps.
func (s *Shards) survey() error {
	h := sha256.New()
	h.Write([]byte("taolab shards 1"))
	for i := range s.groups {
		g := &s.groups[i]
		g.bytes, g.replaced = make(map[string]int64), make(map[string]int64)
		var order []string
		err := s.read(i, 0, func(r record, line int) bool {
			if _, known := g.bytes[r.subset]; !known {
				order = append(order, r.subset)
			}
			g.bytes[r.subset] += int64(len(r.text))
			g.looked += int64(len(r.text))
			g.lines = line
			g.replaced[r.subset] += int64(r.invalid)
			hashStrings(h, []byte(r.subset), r.text)
			return len(order) <= maxSubsets && (g.limit == 0 || g.looked < surveyedPerUsed*g.limit)
		})
		if err != nil {
			return err
		}
		if len(order) > maxSubsets {
			return fmt.Errorf("pile: more than %d subsets; is \"pile_set_name\" a name per document?", maxSubsets)
		}
		g.level(order)
		hashStrings(h, fmt.Appendf(nil, "group %d: %d of %d bytes", i, g.limit, g.looked))
		for _, name := range order {
			if !slices.Contains(s.names, name) {
				s.names = append(s.names, name)
			}
		}
	}
	s.sortNames()
	for _, name := range s.wanted {
		hashStrings(h, []byte(name))
	}
	h.Sum(s.digest[:0])
	return nil
}

// hashStrings feeds strings to a digest, each preceded by its length.
func hashStrings(h hash.Hash, parts ...[]byte) {
	for _, part := range parts {
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
}

// sortNames puts the paper's subsets first, in its order, then the others by name.
func (s *Shards) sortNames() {
	slices.SortFunc(s.names, func(a, b string) int {
		i, k := paperIndex(a), paperIndex(b)
		if i >= 0 && k >= 0 {
			return i - k
		}
		if i < 0 && k < 0 {
			return strings.Compare(a, b)
		}
		return k - i // the one in the paper, whose index is not -1, comes first
	})
}

// level finds the size that subsets are cut to: the largest whose sum over the subsets stays within the
// limit.
func (g *group) level(names []string) {
	if g.limit == 0 || g.looked <= g.limit {
		return
	}
	slices.SortFunc(names, func(a, b string) int {
		if g.bytes[a] != g.bytes[b] {
			return int(min(max(g.bytes[a]-g.bytes[b], -1), 1))
		}
		return strings.Compare(a, b)
	})
	g.caps = make(map[string]int64)
	left := g.limit
	for i, name := range names { // the smallest first: the room it leaves goes to the larger ones
		g.caps[name] = min(g.bytes[name], left/int64(len(names)-i))
		left -= g.caps[name]
	}
}

// Subsets lists the subsets, those of the Pile's paper first. They have the paper's weights, normalised
// to sum to 1; a subset that is not in the paper gets the mean weight of its 22.
func (s *Shards) Subsets() []Subset { return weighted(s.names) }

// Digest is the SHA-256 of the surveyed text, in order, the limit and the wanted subsets. It does not
// depend on file names or compression.
func (s *Shards) Digest() ([32]byte, error) { return s.digest, nil }

// Replaced counts the bytes of a subset's surveyed lines that were not UTF-8 and read as U+FFFD.
func (s *Shards) Replaced(subset string) int64 {
	return s.groups[0].replaced[subset] + s.groups[1].replaced[subset]
}

// Documents yields training and Score text in the files' order, then held-out text.
func (s *Shards) Documents() iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for i := range s.groups {
			g := &s.groups[i]
			taken := make(map[string]int64)
			stopped := false
			var changed error
			err := s.read(i, g.lines, func(r record, _ int) bool {
				text := r.text
				if g.caps != nil {
					text = text[:min(int64(len(text)), g.caps[r.subset]-taken[r.subset])]
				}
				if len(text) == 0 {
					return true
				}
				taken[r.subset] += int64(len(text))
				subset := slices.Index(s.names, r.subset)
				if subset < 0 {
					changed = fmt.Errorf("pile: subset %q did not exist when the corpus was opened: "+
						"the files have changed, open them again", r.subset)
					return false
				}
				stopped = !yield(Document{subset, s.split(i, r.text), text}, nil)
				return !stopped
			})
			if stopped {
				return
			}
			if err = errors.Join(err, changed); err != nil {
				yield(Document{}, err)
				return
			}
		}
	}
}

// split assigns a text by its hash.
func (s *Shards) split(groupIndex int, text []byte) Split {
	if groupIndex == 1 {
		return HeldOut
	}
	digest := sha256.Sum256(text)
	switch sixteenth := digest[0] % 16; {
	case sixteenth == 0:
		return Score
	case sixteenth == 1 && !s.heldOut:
		return HeldOut
	}
	return Train
}
