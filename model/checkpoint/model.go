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

// prefix stands before the names of a GPT2LMHeadModel, and not before those of a GPT2Model.
const prefix = "transformer."

// head is the output layer, which shares the token embedding's weights.
const head = "lm_head.weight"

// masks are the causal masks that older files store beside the weights.
var masks = regexp.MustCompile(`^h\.\d+\.attn\.(bias|masked_bias)$`)

// ReadModel reads the weights of a model of a shape. Names may have the prefix "transformer." or not;
// lm_head.weight may be there, if it is equal to the token embedding; masks are passed over. It refuses
// missing and unexpected tensors, other shapes, and weights that are no numbers or beyond
// [lm.WeightLimit].
func (f *File) ReadModel(c lm.Config) (*lm.Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	found, err := f.named()
	if err != nil {
		return nil, err
	}
	// At two bytes a number at least, this bounds what is allocated by the size of the file.
	numbers := 0
	for _, t := range f.Tensors {
		if t.Readable() {
			numbers += t.Len()
		}
	}
	if numbers < c.Params() {
		return nil, fmt.Errorf("safetensors: the tensors hold %d numbers; "+
			"a model of vocabulary %d, context %d, width %d and %d layers has %d", numbers, c.Vocab, c.Context, c.Width, c.Layers, c.Params())
	}
	m := &lm.Model{Config: c, Weights: make([]float32, c.Params())}
	tensors := m.Tensors()
	if err := match(found, tensors); err != nil {
		return nil, err
	}
	for _, to := range tensors {
		if err := f.fill(to.Data, found[to.Name]); err != nil {
			return nil, err
		}
	}
	if tied, ok := found[head]; ok {
		err = f.compare(tied, tensors[0].Data)
	}
	return m, err
}

// named finds the tensors by their names without prefix, masks left out.
func (f *File) named() (map[string]Tensor, error) {
	found := map[string]Tensor{}
	for _, t := range f.Tensors {
		name := strings.TrimPrefix(t.Name, prefix)
		if masks.MatchString(name) {
			continue
		}
		if other, ok := found[name]; ok {
			return nil, fmt.Errorf("safetensors: tensors %q and %q are one; expected names with %q or without",
				other.Name, t.Name, prefix)
		}
		found[name] = t
	}
	return found, nil
}

// match compares what is there with what a model has.
func match(found map[string]Tensor, wanted []lm.Tensor) error {
	var missing, unexpected []string
	known := map[string]bool{head: true}
	for _, w := range wanted {
		known[w.Name] = true
		t, ok := found[w.Name]
		switch {
		case !ok:
			missing = append(missing, w.Name)
		case !slices.Equal(t.Shape, w.Shape):
			return fmt.Errorf("safetensors: tensor %q has shape %v; expected %v%s", t.Name, t.Shape, w.Shape,
				turned(t.Shape, w.Shape))
		case !t.Readable():
			return fmt.Errorf("safetensors: tensor %q is %s; expected F32, F16 or BF16", t.Name, t.Format)
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
	return fmt.Errorf("safetensors: %s; expected those of a GPT2LMHeadModel of the shape in config.json",
		strings.Join(faults, "; "))
}

// turned is a hint for matrices in the layout of other models.
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

// compare demands that a stored head is the token embedding.
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
