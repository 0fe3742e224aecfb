package checkpoint

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzEveryFileIsReadOrRefused opens files and reads all that can be read of them.
func FuzzEveryFileIsReadOrRefused(f *testing.F) {
	f.Add(build([]part{{"a", "F16", []int{2}, make([]byte, 4)}, {"b", "F32", []int{}, make([]byte, 4)}}))
	f.Add(file(`{"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[0,3],"data_offsets":[0,0]}}  `, nil))
	f.Add(file(`{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}`, nil))
	f.Add(file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]}}`, nil))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		opened, err := open(data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "safetensors: ") {
				t.Errorf("%v: does not say what it is about", err)
			}
			return
		}
		total := 0
		for _, tensor := range opened.Tensors {
			total += int(tensor.Bytes())
			read := 0
			err := opened.Read(tensor, func(first int, x []float32) error {
				if first != read {
					t.Errorf("a chunk begins at %d, after %d", first, read)
				}
				read += len(x)
				return nil
			})
			if tensor.Readable() != (err == nil) || err == nil && read != tensor.Len() {
				t.Errorf("%+v: %d numbers, %v", tensor, read, err)
			}
		}
		if total > len(data) {
			t.Errorf("%d bytes of tensors in %d", total, len(data))
		}
	})
}

// FuzzEveryModelThatIsReadIsWritten changes a byte of a model's file at a place: what is read then
// comes back when it is written.
func FuzzEveryModelThatIsReadIsWritten(f *testing.F) {
	var model bytes.Buffer
	if err := WriteModel(&model, smallModel()); err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(0), byte(0))
	f.Add(uint16(9), byte(1))
	f.Add(uint16(60), byte(32))
	f.Add(uint16(4003), byte(0xff))
	f.Fuzz(func(t *testing.T, at uint16, change byte) {
		data := bytes.Clone(model.Bytes())
		data[int(at)%len(data)] ^= change
		m, err := readModel(data)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := WriteModel(&b, m); err != nil {
			t.Fatal(err)
		}
		back, err := readModel(b.Bytes())
		if err != nil || back.Digest() != m.Digest() {
			t.Errorf("%v, or another model came back", err)
		}
	})
}

func FuzzEveryConfigurationIsReadOrRefused(f *testing.F) {
	f.Add([]byte(`{"vocab_size": 64, "n_positions": 32, "n_embd": 16, "n_layer": 1, "n_head": 2, "n_inner": null}`))
	f.Add([]byte(`{"vocab_size": 1e3}`))
	f.Add([]byte(`{"n_ctx": [{}], "n_ctx": 1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadConfig(data)
		if err != nil {
			return
		}
		text, err := AppendConfig(nil, c, 3)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ReadConfig(text); err != nil || back != c {
			t.Errorf("%v came back as %v, %v", c, back, err)
		}
	})
}

func FuzzEveryIndexIsReadOrRefused(f *testing.F) {
	f.Add([]byte(`{"metadata": {"total_size": 4}, "weight_map": {"wte.weight": "model-00001-of-00002.safetensors"}}`))
	f.Add([]byte(`{"weight_map": {"a": "../x.safetensors", "b": "/x.safetensors", "c": ".safetensors", "d": "x/y.safetensors"}}`))
	f.Add([]byte(`{"weight_map": {"a": 1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := parseIndex(data)
		if err != nil {
			return
		}
		if len(files) == 0 || len(files) > maxParts {
			t.Errorf("%d files", len(files))
		}
		for name, tensors := range files { // order-free: each is checked by itself
			if strings.ContainsAny(name, "/\\") || name == "." || name == ".." || len(tensors) == 0 {
				t.Errorf("%q holds %d tensors", name, len(tensors))
			}
		}
	})
}
