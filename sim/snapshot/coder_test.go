package snapshot

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

func TestACoderRefusesWhatDoesNotFit(t *testing.T) {
	big, two := uint64(300), 2
	for name, c := range map[string]struct{ write, read func(*Coder) }{
		"a number too large": {func(c *Coder) { Number(c, &big) }, func(c *Coder) { var n uint8; Number(c, &n) }},
		"no truth value":     {func(c *Coder) { Number(c, &two) }, func(c *Coder) { var f bool; c.Flag(&f) }},
		"a list too long":    {func(c *Coder) { Number(c, &big) }, func(c *Coder) { var l []int; List(c, &l, func(n *int) { Number(c, n) }) }},
		"a blob too long":    {func(c *Coder) { Number(c, &big) }, func(c *Coder) { var b []byte; c.Blob(&b) }},
		"bytes left over":    {func(c *Coder) { Number(c, &big) }, func(*Coder) {}},
	} {
		w := Append(nil)
		c.write(w)
		r := Read(w.Written())
		c.read(r)
		if r.End() == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func TestASnapshotOfAnotherVersionIsRefusedInWords(t *testing.T) {
	var b bytes.Buffer
	NewWriter(&b).Close()
	file := b.Bytes()
	file[len(magic)]--
	want := fmt.Sprintf("a snapshot of version %d, expected %d: go on with the release that wrote it", Version-1, Version)
	if err := Verify(bytes.NewReader(file)); err == nil || err.Error() != want {
		t.Errorf("%v, expected %s", err, want)
	}
}

func FuzzASnapshotThatIsTakenIsWhole(f *testing.F) {
	var b bytes.Buffer
	w := NewWriter(&b)
	w.Section([]byte("section"))
	w.Close()
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:30])
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := NewReader(bytes.NewReader(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		w := NewWriter(&again)
		for {
			b, err := r.Section()
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
			w.Section(b)
		}
		w.Close()
		if !bytes.HasPrefix(text, again.Bytes()) {
			t.Error("the sections of a snapshot that was taken are written otherwise")
		}
	})
}

// A blob that a function appends has the bytes of one that was made before, and is read alike.
func TestABlobMayBeWrittenInPlace(t *testing.T) {
	want, got := Append([]byte("head")), Append([]byte("head"))
	body := []byte("body")
	want.Blob(&body)
	got.BlobBy(nil, func(b []byte) []byte { return append(b, "body"...) })
	if string(got.Written()) != string(want.Written()) {
		t.Errorf("%q, expected %q", got.Written(), want.Written())
	}
	var back []byte
	c := Read(got.Written()[len("head"):])
	c.BlobBy(&back, nil)
	if err := c.End(); err != nil || string(back) != "body" {
		t.Errorf("%q, %v", back, err)
	}
}
