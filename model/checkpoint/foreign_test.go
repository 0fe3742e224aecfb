package checkpoint

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/token"
)

// sharded writes a model as transformers does when it is too large for one file: tensors dealt out to
// parts, and an index. change sees the files before they are written.
func sharded(t *testing.T, folder string, m *lm.Model, parts []part, count int, change func(files map[string][]byte)) {
	t.Helper()
	config, err := AppendConfig(nil, m.Config, -1)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{ConfigFile: config}
	var entries []string
	for i := range count {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, count)
		var dealt []part
		for k := i; k < len(parts); k += count {
			dealt = append(dealt, parts[k])
			entries = append(entries, fmt.Sprintf("%q: %q", parts[k].name, name))
		}
		files[name] = build(dealt)
	}
	files[IndexFile] = []byte(`{"metadata": {"total_size": 1}, "weight_map": {` + strings.Join(entries, ", ") + "}}")
	if change != nil {
		change(files)
	}
	for name, data := range files { // order-free: each is a file of its own
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAModelInSeveralFilesIsRead(t *testing.T) {
	m := smallModel()
	for _, count := range []int{1, 2, 5} {
		folder := t.TempDir()
		sharded(t, folder, m, parts(m, "F32", encode32), count, nil)
		back, err := Load(folder)
		if err != nil {
			t.Fatal(err)
		}
		if back.Model.Digest() != m.Digest() {
			t.Errorf("%d files: another model came back", count)
		}
		if paths, err := WeightFiles(folder); err != nil || len(paths) != count || !slices.IsSorted(paths) {
			t.Errorf("%d files: %v, %v", count, paths, err)
		}
		// One file next to an index is the model, as for transformers.
		if err := (&Checkpoint{Model: lm.New(small, num.NewStream(9, "other"))}).Save(folder); err != nil {
			t.Fatal(err)
		}
		if back, err = Load(folder); err != nil || back.Model.Digest() == m.Digest() {
			t.Errorf("the one file is not read: %v", err)
		}
	}
}

func TestAModelInSeveralFilesThatDoNotFitIsRefused(t *testing.T) {
	m := smallModel()
	const second = "model-00002-of-00002.safetensors"
	replace := func(old, new string) func(map[string][]byte) {
		return func(files map[string][]byte) {
			files[IndexFile] = bytes.Replace(files[IndexFile], []byte(old), []byte(new), 1)
		}
	}
	for _, c := range []struct {
		name, want string
		change     func(files map[string][]byte)
	}{
		{"a part is missing", "lists " + second + ", which cannot be read", func(files map[string][]byte) { delete(files, second) }},
		{"a part is a pointer", second + ": safetensors: found a pointer of Git LFS", func(files map[string][]byte) {
			files[second] = []byte("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345678\n")
		}},
		{"a tensor is elsewhere", `no tensor "wte.weight", which model.safetensors.index.json places here`,
			replace(`"wte.weight": "model-00001`, `"wte.weight": "model-00002`)},
		{"a tensor twice", `tensors "wte.weight" and "wte.weight" are one`, func(files map[string][]byte) {
			files[second] = build(parts(m, "F32", encode32))
		}},
		{"a path", `weight_map.wte.weight: found "../x.safetensors"; expected the name of a .safetensors file next to the index`,
			replace(`"wte.weight": "model-00001-of-00002.safetensors"`, `"wte.weight": "../x.safetensors"`)},
		{"another kind of file", `expected the name of a .safetensors file`, replace(`00001-of-00002.safetensors`, `00001.bin`)},
		{"a name twice", "the key appears twice", replace(`"wpe.weight"`, `"wte.weight"`)},
		{"no map", "found null; expected a weight_map", func(files map[string][]byte) {
			files[IndexFile] = []byte(`{"weight_map": null}`)
		}},
		{"nothing", "no tensor; expected those of a model", func(files map[string][]byte) {
			files[IndexFile] = []byte(`{"weight_map": {}}`)
		}},
		{"no JSON", IndexFile + ": line 1, column 1: found \"x\"; expected a value", func(files map[string][]byte) { files[IndexFile] = []byte("x") }},
	} {
		folder := t.TempDir()
		sharded(t, folder, m, parts(m, "F32", encode32), 2, c.change)
		if _, err := Load(folder); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), folder) {
			t.Errorf("%s: %v; want ... %s ...", c.name, err, c.want)
		}
	}
}

// A special token that was added without a row of the embedding, as [PAD] often is, reads no text.
func TestASpecialTokenNeedsNoRow(t *testing.T) {
	tokenizer, err := token.Train([][]byte{[]byte("one two one two")}, 258)
	if err != nil {
		t.Fatal(err)
	}
	data, err := tokenizer.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	const special = "\"special\": true\n    }"
	data = bytes.Replace(data, []byte(special), []byte(special+`, {"id": 258, "content": "[PAD]", "special": true}`), 1)
	model := lm.New(lm.Config{Vocab: 258, Context: 8, Width: 8, Layers: 1, Heads: 2}, num.NewStream(1, "a"))
	folder := t.TempDir()
	if err := (&Checkpoint{Model: model}).Save(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, TokenizerFile), data, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	if c.Tokenizer.Vocab() != 259 {
		t.Errorf("%d tokens", c.Tokenizer.Vocab())
	}
	if err := c.Save(folder); err != nil {
		t.Fatal(err)
	}
	if back, err := Load(folder); err != nil || back.Tokenizer.Digest() != c.Tokenizer.Digest() {
		t.Errorf("another tokenizer came back: %v", err)
	}
}

func TestAFileThatIsNoSafetensorsIsCalledWhatItIs(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", `safetensors: found a pointer of Git LFS, not the file itself; run "git lfs pull"`},
		{"<!DOCTYPE html><html>404</html>", "safetensors: found a web page"},
		{"PK\x03\x04\x00\x00\x00\x00\x00\x00\x00\x00", "safetensors: found a zip file"},
		{"hello world", "safetensors: a header of 8031924123371070824 bytes is announced"},
		{"abc", "safetensors: 3 bytes; expected at least the 8"},
	} {
		if _, err := open([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q: %v; want ... %s ...", c.data, err, c.want)
		}
	}
}

// Headers up to the format's 100 MB are read, in memory that is a small multiple of their size.
func TestALargeHeaderIsReadInLittleMemory(t *testing.T) {
	var header bytes.Buffer
	header.WriteString(`{"__metadata__":{"notes":"` + strings.Repeat("x", 17<<20) + `"}`)
	const tensors = 100_000
	for i := range tensors {
		fmt.Fprintf(&header, `,"t%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, i)
	}
	header.WriteString("}")
	data := file(header.String(), nil)
	header.Reset()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := open(data)
	runtime.ReadMemStats(&after)
	if err != nil || len(f.Tensors) != tensors {
		t.Fatalf("%d tensors, %v", len(f.Tensors), err)
	}
	tensorBytes := len(data) - 17<<20
	most := uint64(34<<20 + memoryPerHeaderByte*tensorBytes)
	if took := after.TotalAlloc - before.TotalAlloc; took > most {
		t.Errorf("%d bytes for a header of %d, %d of them of tensors; want %d at most", took, len(data), tensorBytes, most)
	} else {
		t.Logf("%d bytes for a header of %d, %d of them of tensors", took, len(data), tensorBytes)
	}
	if _, err := open(file("{}"+strings.Repeat(" ", maxHeaderBytes-1), nil)); err == nil || !strings.Contains(err.Error(), "100000000 are allowed") {
		t.Error(err)
	}
}

// memoryPerHeaderByte is what doc.go promises.
const memoryPerHeaderByte = 30
