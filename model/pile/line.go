package pile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLineBytes bounds one line of a shard, which holds one document. The Pile's longest are books of a
// few megabytes.
const maxLineBytes = 64 << 20

// Unnamed is the subset of documents that do not say which one they belong to.
const Unnamed = "unnamed"

// maxNameBytes bounds the name of a subset.
const maxNameBytes = 256

// record is a line of a shard.
type record struct {
	text   string
	subset string
}

// parseLine reads {"text": "...", "meta": {"pile_set_name": "..."}}. Other fields are passed over, and
// a meta that names no subset is none.
func parseLine(line []byte) (record, error) {
	var fields struct {
		Text *string         `json:"text"`
		Meta json.RawMessage `json:"meta"`
	}
	if err := json.Unmarshal(line, &fields); err != nil {
		var syntax *json.SyntaxError
		var wrong *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			return record{}, fmt.Errorf("invalid JSON at byte %d of the line: %w", syntax.Offset, err)
		case errors.As(err, &wrong) && wrong.Field == "text":
			return record{}, fmt.Errorf("\"text\" is a JSON %s; wanted a string", wrong.Value)
		case errors.As(err, &wrong):
			return record{}, fmt.Errorf("a JSON %s; wanted an object like {\"text\": \"...\"}", wrong.Value)
		}
		return record{}, err
	}
	if fields.Text == nil {
		return record{}, errors.New("no \"text\"; wanted an object like {\"text\": \"...\"}")
	}
	r := record{text: *fields.Text, subset: Unnamed}
	var meta struct {
		Name string `json:"pile_set_name"`
	}
	if len(fields.Meta) > 0 && json.Unmarshal(fields.Meta, &meta) == nil && meta.Name != "" {
		r.subset = meta.Name
	}
	if len(r.subset) > maxNameBytes {
		return record{}, fmt.Errorf("\"pile_set_name\" has %d bytes; wanted %d at most",
			len(r.subset), maxNameBytes)
	}
	return r, nil
}

// lines reads lines of bounded length and counts them.
type lines struct {
	in     *bufio.Reader
	number int
	buffer []byte
}

func newLines(in io.Reader) *lines { return &lines{in: bufio.NewReaderSize(in, 1<<16)} }

// next is the next line that is not blank, without its end, valid until the call after; io.EOF after
// the last.
func (l *lines) next() ([]byte, error) {
	for {
		line, err := l.read()
		if len(bytes.TrimSpace(line)) > 0 || err != nil {
			return line, err
		}
	}
}

func (l *lines) read() ([]byte, error) {
	l.buffer = l.buffer[:0]
	l.number++
	for {
		part, err := l.in.ReadSlice('\n')
		l.buffer = append(l.buffer, part...)
		switch {
		case len(l.buffer) > maxLineBytes:
			return nil, fmt.Errorf("longer than %d MiB; wanted one document per line", maxLineBytes>>20)
		case err == io.EOF && len(l.buffer) > 0:
			return l.buffer, nil
		case err == nil:
			return l.buffer[:len(l.buffer)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
