package checkpoint

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"

	"taolab/model/lm"
)

// prefix begins the tensor names of a GPT2LMHeadModel; a GPT2Model's lack it.
const prefix = "transformer."

// head is the output layer, which shares the token embedding's weights.
const head = "lm_head.weight"

// embedding is the matrix that turns tokens into vectors.
const embedding = "wte.weight"

// masks are the causal masks that older files store next to the weights.
var masks = regexp.MustCompile(`^h\.\d+\.attn\.(bias|masked_bias)$`)

// wrappers are classes of PyTorch that prefix the names of the model inside.
var wrappers = []struct{ prefix, cure string }{
	{"_orig_mod.", "the model was saved while compiled; save model._orig_mod instead"},
	{"module.", "the model was saved inside DataParallel; save model.module instead"},
}

// located is a tensor and the file that holds it.
type located struct {
	Tensor
	in *File
}

// ReadModel reads the weights of a model from this one file, as [ReadModel] does.
func (f *File) ReadModel(c lm.Config) (*lm.Model, error) { return ReadModel(c, f) }

// ReadModel reads the weights of a model of shape c, which may be spread over several files. The
// prefix "transformer." is optional; lm_head.weight may stand in for the token embedding, or repeat it
// exactly; masks are ignored. ReadModel refuses missing and unexpected tensors, other shapes, and
// weights that are NaN or beyond [lm.WeightLimit].
func ReadModel(c lm.Config, files ...*File) (*lm.Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	found, err := named(files)
	if err != nil {
		return nil, err
	}
	if err := match(found, c); err != nil {
		return nil, err
	}
	// The files hold every weight in two bytes or more, so their size bounds the allocation.
	m := &lm.Model{Config: c, Weights: make([]float32, c.Params())}
	tensors := m.Tensors()
	for _, to := range tensors {
		t := found[to.Name]
		if err := t.in.fill(to.Data, t.Tensor); err != nil {
			return nil, err
		}
	}
	if tied, ok := found[head]; ok {
		err = tied.in.compare(tied.Tensor, tensors[0].Data)
	}
	return m, err
}

// named indexes the tensors, masks excepted, by their names without prefix.
func named(files []*File) (map[string]located, error) {
	found := map[string]located{}
	for _, f := range files {
		for _, t := range f.Tensors {
			for _, w := range wrappers {
				if strings.HasPrefix(t.Name, w.prefix) {
					return nil, fmt.Errorf("safetensors: tensor %q: %s, or take %q off all names", t.Name, w.cure, w.prefix)
				}
			}
			name := strings.TrimPrefix(t.Name, prefix)
			if masks.MatchString(name) {
				continue
			}
			if other, ok := found[name]; ok {
				return nil, fmt.Errorf("safetensors: tensors %q and %q are one; expected each once, with %q or without",
					other.Name, t.Name, prefix)
			}
			found[name] = located{t, f}
		}
	}
	if _, ok := found[embedding]; !ok { // the head is the same matrix
		if tied, ok := found[head]; ok {
			found[embedding] = tied
		}
	}
	return found, nil
}

// match compares the tensors found with those that the model needs.
func match(found map[string]located, c lm.Config) error {
	var missing, unexpected []string
	known := map[string]bool{head: true}
	for _, w := range c.Tensors() {
		known[w.Name] = true
		t, ok := found[w.Name]
		switch {
		case !ok:
			missing = append(missing, w.Name)
		case !t.Readable():
			return unreadable(t.Tensor)
		case !slices.Equal(t.Shape, w.Shape):
			return fmt.Errorf("safetensors: tensor %q has shape %v; expected %v by config.json%s", t.Name, t.Shape, w.Shape,
				turned(t.Shape, w.Shape))
		}
	}
	for name, t := range found { // order-free: sorted below
		if !known[name] {
			unexpected = append(unexpected, t.Name)
		}
	}
	slices.Sort(unexpected)
	if len(missing)+len(unexpected) == 0 {
		return nil
	}
	var faults []string
	if len(missing) > 0 {
		faults = append(faults, "missing tensors: "+some(missing))
	}
	if len(unexpected) > 0 {
		faults = append(faults, "unexpected tensors: "+some(unexpected))
	}
	return fmt.Errorf("safetensors: %s; expected those of a GPT2LMHeadModel of the %d layers in config.json: save the "+
		"whole model with save_pretrained(folder)", strings.Join(faults, "; "), c.Layers)
}

// turned returns a hint for matrices in the transposed layout of other models.
func turned(have, want []int) string {
	if len(have) == 2 && len(want) == 2 && have[0] == want[1] && have[1] == want[0] {
		return "; GPT-2's linear layers store [in, out], so transpose it"
	}
	return ""
}

// some lists the first names of many.
func some(names []string) string {
	const most = 6
	text := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}

// fill reads a tensor's numbers into dst.
func (f *File) fill(dst []float32, t Tensor) error {
	return f.Read(t, func(first int, x []float32) error {
		for i, v := range x {
			if !(v >= -lm.WeightLimit && v <= lm.WeightLimit) {
				return fmt.Errorf("safetensors: tensor %q at %v is %v; a weight must lie in %v..%v",
					t.Name, t.place(first+i), v, -lm.WeightLimit, lm.WeightLimit)
			}
		}
		copy(dst[first:], x)
		return nil
	})
}

// compare requires a stored head to equal the token embedding.
func (f *File) compare(t Tensor, wte []float32) error {
	if t.Len() != len(wte) {
		return fmt.Errorf("safetensors: tensor %q has shape %v; expected that of wte.weight", t.Name, t.Shape)
	}
	return f.Read(t, func(first int, x []float32) error {
		for i, v := range x {
			if want := wte[first+i]; v != want {
				return fmt.Errorf("safetensors: tensor %q at %v is %v, and %v in wte.weight; "+
					"only models whose head is the token embedding can be read", t.Name, t.place(first+i), v, want)
			}
		}
		return nil
	})
}

// WriteModel writes a model as a GPT2LMHeadModel without its tied head: F32, names with their prefix,
// in alphabetical order as the safetensors library has it, metadata {"format": "pt"}.
func WriteModel(w io.Writer, m *lm.Model) error {
	tensors := m.Tensors()
	for i := range tensors {
		tensors[i].Name = prefix + tensors[i].Name
	}
	slices.SortFunc(tensors, func(a, b lm.Tensor) int { return strings.Compare(a.Name, b.Name) })
	out := bufio.NewWriterSize(w, 1<<16)
	header := header(tensors)
	out.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) // the first error is Flush's
	out.Write(header)
	var b [4]byte
	for _, t := range tensors {
		for _, v := range t.Data {
			binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
			out.Write(b[:])
		}
	}
	return out.Flush()
}

// header describes tensors that follow one another, with blanks to a multiple of eight bytes.
func header(tensors []lm.Tensor) []byte {
	var b bytes.Buffer
	b.WriteString(`{"__metadata__":{"format":"pt"}`)
	at := 0
	for _, t := range tensors {
		shape := strings.ReplaceAll(fmt.Sprint(t.Shape), " ", ",")
		end := at + 4*len(t.Data)
		fmt.Fprintf(&b, `,%q:{"dtype":"F32","shape":%s,"data_offsets":[%d,%d]}`, t.Name, shape, at, end)
		at = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	return b.Bytes()
}
