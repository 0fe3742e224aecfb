package pile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"taolab/model/jsontext"
)

// maxLineBytes bounds one line of a shard, which holds one document. The Pile's longest are books of a
// few megabytes.
const maxLineBytes = 64 << 20

var errLongLine = fmt.Errorf("longer than %d MiB; wanted one document per line", maxLineBytes>>20)

// Unnamed is the subset of documents that name none.
const Unnamed = "unnamed"

// maxNameBytes bounds the name of a subset.
const maxNameBytes = 256

// maxLineDepth bounds how deep the other members of a line may be nested.
const maxLineDepth = 512

// InvalidUTF8 selects the treatment of bytes that are not UTF-8.
type InvalidUTF8 uint8

const (
	RefuseInvalid  InvalidUTF8 = iota // they are an error
	ReplaceInvalid                    // each reads as U+FFFD and is counted
)

// record is a line of a shard. Its text is valid until the next line is read.
type record struct {
	text    []byte
	subset  string
	invalid int // bytes that were replaced
}

// lineParser reads lines one after the other.
type lineParser struct {
	invalid InvalidUTF8
	line    jsontext.Text
	valid   []byte // the line with what is not UTF-8 replaced
	text    []byte
}

// parse reads {"text": "...", "meta": {"pile_set_name": "..."}}. Other members are ignored, and a meta
// without a subset counts as missing.
func (p *lineParser) parse(line []byte) (record, error) {
	r := record{subset: Unnamed}
	if at := jsontext.InvalidUTF8(line); at >= 0 {
		if p.invalid == RefuseInvalid {
			return r, fmt.Errorf("byte %d of the line is not UTF-8 (%#02x); write the file as UTF-8, or set "+
				"corpus.invalid_utf8 = \"replace\" (--invalid-utf8 replace) to read such bytes as U+FFFD", at+1, line[at])
		}
		p.valid, r.invalid = appendValid(p.valid[:0], line)
		line = p.valid
	}
	if err := p.line.Parse(line, maxLineDepth); err != nil {
		return r, lineError(err)
	}
	if kind := p.line.Kind(0); kind != '{' {
		return r, fmt.Errorf("a JSON %s; wanted an object like {\"text\": \"...\"}", kindNames[kind])
	}
	text := p.member(0, "text")
	switch {
	case text < 0 || p.line.Kind(text) == 'n':
		return r, errors.New("no \"text\"; wanted an object like {\"text\": \"...\"}")
	case p.line.Kind(text) != '"':
		return r, fmt.Errorf("\"text\" is a JSON %s; wanted a string", kindNames[p.line.Kind(text)])
	}
	p.text = p.line.AppendString(p.text[:0], text)
	r.text = p.text
	if meta := p.member(0, "meta"); meta >= 0 && p.line.Kind(meta) == '{' {
		if name := p.member(meta, "pile_set_name"); name >= 0 && p.line.String(name) != "" {
			r.subset = p.line.String(name)
		}
	}
	if len(r.subset) > maxNameBytes {
		return r, fmt.Errorf("\"pile_set_name\" has %d bytes; wanted %d at most", len(r.subset), maxNameBytes)
	}
	return r, nil
}

var kindNames = map[byte]string{
	'{': "object", '[': "array", '"': "string", '0': "number", 't': "boolean", 'f': "boolean", 'n': "null",
}

// member is the place of a member of an object, -1 if it has none of that name.
func (p *lineParser) member(object int, name string) int {
	nodes := p.line.Nodes
	for k := object + 1; k < int(nodes[object].Next); k = int(nodes[k+1].Next) {
		if p.line.String(k) == name {
			return k + 1
		}
	}
	return -1
}

// lineError gives the byte within the line; the caller adds the line's number.
func lineError(err error) error {
	var at *jsontext.Error
	if !errors.As(err, &at) {
		return err
	}
	fault := at.Fault
	if at.Path != "" {
		fault = at.Path + ": " + fault
	}
	return fmt.Errorf("invalid JSON at byte %d of the line: %s", at.Offset+1, fault)
}

// appendValid appends a line with each byte that is not UTF-8 replaced by U+FFFD, and counts the
// replacements.
func appendValid(dst, line []byte) ([]byte, int) {
	count := 0
	for {
		at := jsontext.InvalidUTF8(line)
		if at < 0 {
			return append(dst, line...), count
		}
		dst = append(append(dst, line[:at]...), "\uFFFD"...)
		line = line[at+1:]
		count++
	}
}

// lines reads lines of bounded length and counts them.
type lines struct {
	in     *bufio.Reader
	number int
	buffer []byte
}

func newLines(in io.Reader) *lines { return &lines{in: bufio.NewReaderSize(in, 1<<16)} }

// next is the next line that is not blank, without its line end and byte order mark, valid until the
// next call; io.EOF after the last.
func (l *lines) next() ([]byte, error) {
	for {
		line, err := l.read()
		line = bytes.TrimPrefix(line, []byte(jsontext.Mark))
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
			return nil, errLongLine
		case err == io.EOF && len(l.buffer) > 0:
			return l.buffer, nil
		case err == nil:
			return l.buffer[:len(l.buffer)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
