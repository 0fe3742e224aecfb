package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	_ "taolab/model/golden" // the flag -update
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/token"
)

// small is the smallest shape that has everything twice.
var small = lm.Config{Vocab: 12, Context: 8, Width: 8, Layers: 2, Heads: 2}

func smallModel() *lm.Model {
	m := lm.New(small, num.NewStream(1, "checkpoint"))
	for i := range m.Weights { // gains and biases too
		m.Weights[i] += float32(i%7) / 64
	}
	return m
}

// file builds a safetensors file of a header and data.
func file(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func open(data []byte) (*File, error) { return Open(bytes.NewReader(data), int64(len(data))) }

// TestTheScriptsHold reads headers and configurations. Members after "with" stand next to a shape's.
func TestTheScriptsHold(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			text := d.Input
			switch d.Cmd {
			case "open":
				return readHeader(t, d)
			case "with":
				text = `{"vocab_size": 64, "n_positions": 32, "n_embd": 16, "n_layer": 1, "n_head": 2, ` + text + "}"
			case "config":
			default:
				d.Fatalf(t, "unknown command %q", d.Cmd)
			}
			c, err := ReadConfig([]byte(text))
			if err != nil {
				return fmt.Sprintf("error: %v\n", err)
			}
			return fmt.Sprintf("vocab %d, context %d, width %d, layers %d, heads %d: %d weights\n",
				c.Vocab, c.Context, c.Width, c.Layers, c.Heads, c.Params())
		})
	})
}

func readHeader(t *testing.T, d *datadriven.TestData) string {
	var zeros, length int
	d.ScanArgs(t, "data", &zeros)
	b := file(d.Input, make([]byte, zeros))
	if d.MaybeScanArgs(t, "length", &length) {
		binary.LittleEndian.PutUint64(b, uint64(length))
	}
	f, err := open(b)
	if err != nil {
		return fmt.Sprintf("error: %v\n", err)
	}
	var text strings.Builder
	for _, tensor := range f.Tensors {
		fmt.Fprintf(&text, "%s %s %v %d bytes\n", tensor.Name, tensor.Format, tensor.Shape, tensor.Bytes())
	}
	for name, value := range f.Metadata { // order-free: one at most in the scripts
		fmt.Fprintf(&text, "%s: %s\n", name, value)
	}
	return text.String()
}

// part is a tensor of a file that a test builds.
type part struct {
	name, format string
	shape        []int
	data         []byte
}

// build writes parts in their order.
func build(parts []part) []byte {
	header, at := "{", 0
	var data []byte
	for i, p := range parts {
		if i > 0 {
			header += ","
		}
		shape := strings.ReplaceAll(fmt.Sprint(p.shape), " ", ",")
		header += fmt.Sprintf(`%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, p.name, p.format, shape,
			at, at+len(p.data))
		at += len(p.data)
		data = append(data, p.data...)
	}
	return file(header+"}", data)
}

// parts are the tensors of a model, each number written by encode.
func parts(m *lm.Model, format string, encode func(b []byte, v float32) []byte) []part {
	var list []part
	for _, t := range m.Tensors() {
		p := part{name: t.Name, format: format, shape: t.Shape}
		for _, v := range t.Data {
			p.data = encode(p.data, v)
		}
		list = append(list, p)
	}
	return list
}

func encode32(b []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
}

func encodeBrain(b []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(v)>>16))
}

// encodeHalf writes a multiple of 1/64 below 16, which all formats hold.
func encodeHalf(b []byte, v float32) []byte {
	for h := range 1 << 16 {
		if math.Float32bits(half(uint16(h))) == math.Float32bits(v) {
			return binary.LittleEndian.AppendUint16(b, uint16(h))
		}
	}
	panic(v)
}

func TestAModelComesBackWithTheSameBits(t *testing.T) {
	m := smallModel()
	m.Weights[3] = float32(math.Copysign(0, -1))
	m.Weights[4] = math.SmallestNonzeroFloat32
	var b bytes.Buffer
	if err := WriteModel(&b, m); err != nil {
		t.Fatal(err)
	}
	f, err := open(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	back, err := f.ReadModel(small)
	if err != nil {
		t.Fatal(err)
	}
	if back.Digest() != m.Digest() {
		t.Error("the digest differs")
	}
	if f.Metadata["format"] != "pt" || f.Tensors[0].start%8 != 0 {
		t.Errorf("metadata %v, numbers begin at byte %d", f.Metadata, f.Tensors[0].start)
	}
}

// TestTheSmallestFileIsAsDescribed compares the smallest model there can be with bytes put down from the
// description of the format.
func TestTheSmallestFileIsAsDescribed(t *testing.T) {
	m := lm.New(lm.Config{Vocab: 1, Context: 1, Width: 1, Layers: 1, Heads: 1}, num.NewStream(1, "x"))
	for i := range m.Weights {
		m.Weights[i] = float32(i)
	}
	var b bytes.Buffer
	if err := WriteModel(&b, m); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/one.hex")
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if rest, ok := strings.CutPrefix(line, "text "); ok {
			line = hex.EncodeToString([]byte(strings.TrimSuffix(rest, "\n")))
		}
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	want, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("have\n%q\nwant\n%q", b.Bytes(), want)
	}
}

func TestOtherNumbersNamesAndExtrasAreRead(t *testing.T) {
	m := smallModel()
	for i := range m.Weights {
		m.Weights[i] = float32(i%64-32) / 64
	}
	mask := make([]byte, small.Context*small.Context)
	for name, list := range map[string][]part{ // order-free: each is a test of its own
		"F32":  parts(m, "F32", encode32),
		"F16":  parts(m, "F16", encodeHalf),
		"BF16": parts(m, "BF16", encodeBrain),
		"masks": append(parts(m, "F32", encode32),
			part{"h.0.attn.bias", "BOOL", []int{1, 1, small.Context, small.Context}, mask},
			part{"h.1.attn.masked_bias", "F32", []int{}, encode32(nil, -1e4)}),
		"tied head": append(parts(m, "F32", encode32), part{"lm_head.weight", "BF16",
			[]int{small.Vocab, small.Width}, parts(m, "BF16", encodeBrain)[0].data}),
		"the head in place of the embedding": append(parts(m, "F32", encode32)[1:], part{"lm_head.weight", "F32",
			[]int{small.Vocab, small.Width}, parts(m, "F32", encode32)[0].data}),
	} {
		for _, with := range []string{"", prefix} {
			list := slices.Clone(list)
			for i := range list {
				if list[i].name != head {
					list[i].name = with + list[i].name
				}
			}
			back, err := readModel(build(list))
			if err != nil {
				t.Errorf("%s, prefix %q: %v", name, with, err)
			} else if back.Digest() != m.Digest() {
				t.Errorf("%s, prefix %q: the digest differs", name, with)
			}
		}
	}
}

func readModel(data []byte) (*lm.Model, error) {
	f, err := open(data)
	if err != nil {
		return nil, err
	}
	return f.ReadModel(small)
}

func TestTensorsThatDoNotFitAreNamed(t *testing.T) {
	of := func(list []part, name string) *part {
		return &list[slices.IndexFunc(list, func(p part) bool { return p.name == name })]
	}
	set := func(name string, i int, v float32) func([]part) []part {
		return func(list []part) []part {
			encode32(of(list, name).data[4*i:4*i:4*i+4], v)
			return list
		}
	}
	without := func(names ...string) func([]part) []part {
		return func(list []part) []part {
			return slices.DeleteFunc(list, func(p part) bool { return slices.Contains(names, p.name) })
		}
	}
	prefixed := func(prefix string) func([]part) []part {
		return func(list []part) []part {
			for i := range list {
				list[i].name = prefix + list[i].name
			}
			return list
		}
	}
	for _, c := range []struct {
		name, want string
		change     func([]part) []part
	}{
		{"missing", "missing tensors: ln_f.bias; expected those", func(list []part) []part {
			return append(without("ln_f.bias")(list), part{"h.0.attn.bias", "F32", []int{8}, make([]byte, 32)})
		}},
		{"missing and few", "missing tensors: ln_f.bias; expected those of a GPT2LMHeadModel of the 2 layers in config.json",
			without("ln_f.bias")},
		{"many missing", "missing tensors: wpe.weight, h.0.ln_1.weight, ", func(list []part) []part { return list[:1] }},
		{"doubles", `"wte.weight" is F64; expected F32, F16 or BF16: convert it`, func(list []part) []part {
			wte := of(list, "wte.weight")
			wte.format, wte.data = "F64", slices.Concat(wte.data, wte.data)
			return list
		}},
		{"doubles everywhere", ` is F64; expected F32, F16 or BF16: convert it`, func(list []part) []part {
			for i := range list {
				list[i].format, list[i].data = "F64", slices.Concat(list[i].data, list[i].data)
			}
			return list
		}},
		{"fewer tokens", `"wte.weight" has shape [11 8]; expected [12 8] by config.json`, func(list []part) []part {
			wte := of(list, "wte.weight")
			wte.shape, wte.data = []int{11, 8}, wte.data[:11*8*4]
			return list
		}},
		{"compiled", `tensor "_orig_mod.wte.weight": the model was saved while compiled; save model._orig_mod instead, or take "_orig_mod." off`,
			prefixed("_orig_mod.")},
		{"parallel", `tensor "module.wte.weight": the model was saved inside DataParallel`, prefixed("module.")},
		{"unexpected", `unexpected tensors: score.weight`, func(list []part) []part {
			return append(list, part{"score.weight", "F32", []int{1}, make([]byte, 4)})
		}},
		{"renamed", "missing tensors: ln_f.bias; unexpected tensors: ln_g.bias", func(list []part) []part {
			of(list, "ln_f.bias").name = "ln_g.bias"
			return list
		}},
		{"twice", `tensors "ln_f.bias" and "transformer.ln_f.bias" are one`, func(list []part) []part {
			return append(list, part{"transformer.ln_f.bias", "F32", []int{8}, make([]byte, 32)})
		}},
		{"turned", `"h.1.mlp.c_fc.weight" has shape [32 8]; expected [8 32] by config.json; GPT-2's linear layers store [in, out]`,
			func(list []part) []part {
				of(list, "h.1.mlp.c_fc.weight").shape = []int{32, 8}
				return list
			}},
		{"integers", `"ln_f.bias" is I32; expected F32, F16 or BF16`, func(list []part) []part {
			of(list, "ln_f.bias").format = "I32"
			return append(list, part{"h.0.attn.bias", "F32", []int{8}, make([]byte, 32)})
		}},
		{"NaN", `"wpe.weight" at [2 5] is NaN; a weight must lie in -4096..4096`, set("wpe.weight", 21, float32(math.NaN()))},
		{"infinity", `"ln_f.weight" at [7] is -Inf`, set("ln_f.weight", 7, float32(math.Inf(-1)))},
		{"beyond", `"h.0.ln_1.bias" at [0] is 4097`, set("h.0.ln_1.bias", 0, 4097)},
		{"untied head", `"lm_head.weight" at [0 1] is 7, and -0.0`, func(list []part) []part {
			data := slices.Clone(list[0].data)
			encode32(data[4:4:8], 7)
			return append(list, part{"lm_head.weight", "F32", []int{12, 8}, data})
		}},
		{"short head", `"lm_head.weight" has shape [1]; expected that of wte.weight`, func(list []part) []part {
			return append(list, part{"lm_head.weight", "F32", []int{1}, make([]byte, 4)})
		}},
	} {
		m := smallModel()
		m.Weights[1] = -0.0625
		_, err := readModel(build(c.change(parts(m, "F32", encode32))))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want ... %s ...", c.name, err, c.want)
		}
	}
}

// TestHalvesAreTheirValues goes through all 65,536, by the definition of the format.
func TestHalvesAreTheirValues(t *testing.T) {
	for h := range 1 << 16 {
		exponent, fraction := h>>10&31, float64(h&1023)
		want := math.Ldexp(fraction/1024, -14)
		switch {
		case exponent == 31 && fraction == 0:
			want = math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		case exponent > 0:
			want = math.Ldexp(1+float64(fraction/1024), exponent-15)
		}
		if h>>15 == 1 {
			want = -want
		}
		got := float64(half(uint16(h)))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != (h>>15 == 1) {
			t.Fatalf("half(%#04x) = %v, want %v", h, got, want)
		}
	}
}

func TestAFolderComesBack(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	tokenizer, err := token.Train([][]byte{[]byte("one two one two one two")}, 258)
	if err != nil {
		t.Fatal(err)
	}
	config := lm.Config{Vocab: 260, Context: 8, Width: 8, Layers: 1, Heads: 2}
	first := &Checkpoint{Model: lm.New(config, num.NewStream(1, "a"))}
	second := &Checkpoint{Model: lm.New(config, num.NewStream(1, "b")), Tokenizer: tokenizer}
	for _, c := range []*Checkpoint{first, second} {
		if err := c.Save(folder); err != nil {
			t.Fatal(err)
		}
		back, err := Load(folder)
		if err != nil {
			t.Fatal(err)
		}
		if back.Model.Digest() != c.Model.Digest() || back.Model.Config != config {
			t.Error("another model came back")
		}
		if (back.Tokenizer == nil) != (c.Tokenizer == nil) ||
			c.Tokenizer != nil && back.Tokenizer.Digest() != c.Tokenizer.Digest() {
			t.Error("another tokenizer came back")
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 3 {
		t.Errorf("%v, %d files", err, len(entries))
	}
}

func TestATokenizerLargerThanItsModelIsRefused(t *testing.T) {
	tokenizer, err := token.Train([][]byte{[]byte("one two one two")}, 258)
	if err != nil {
		t.Fatal(err)
	}
	c := &Checkpoint{Model: smallModel(), Tokenizer: tokenizer}
	if err := c.Save(t.TempDir()); err == nil || !strings.Contains(err.Error(), "258 tokens and the model 12") {
		t.Error(err)
	}
}

func TestAFolderOfAnotherKindSaysWhatToDo(t *testing.T) {
	folder := t.TempDir()
	if _, err := Load(folder); err == nil || !strings.Contains(err.Error(), "expected a folder with config.json") {
		t.Error(err)
	}
	config, err := AppendConfig(nil, small, -1)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ConfigFile, "pytorch_model.bin"} {
		if err := os.WriteFile(filepath.Join(folder, name), config, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Load(folder); err == nil || !strings.Contains(err.Error(), "found pytorch_model.bin") {
		t.Error(err)
	}
}
