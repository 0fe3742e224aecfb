package checkpoint_test

import (
	"fmt"
	"os"
	"path/filepath"

	"taolab/model/checkpoint"
	"taolab/model/lm"
	"taolab/model/num"
)

// A model goes into a folder that transformers reads, and comes back.
func ExampleCheckpoint_Save() {
	folder, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	shape := lm.Config{Vocab: 16, Context: 8, Width: 8, Layers: 1, Heads: 2}
	model := lm.New(shape, num.NewStream(1, "example"))
	if err := (&checkpoint.Checkpoint{Model: model}).Save(folder); err != nil {
		fmt.Println(err)
		return
	}
	back, err := checkpoint.Load(folder)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the same:", back.Model.Digest() == model.Digest())
	// Output: the same: true
}

// The tensors of any safetensors file can be listed and read.
func ExampleFile_Read() {
	folder, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	shape := lm.Config{Vocab: 16, Context: 8, Width: 8, Layers: 1, Heads: 2}
	model := lm.New(shape, num.NewStream(1, "example"))
	if err := (&checkpoint.Checkpoint{Model: model}).Save(folder); err != nil {
		fmt.Println(err)
		return
	}
	err = checkpoint.WithFile(filepath.Join(folder, checkpoint.WeightsFile), func(f *checkpoint.File) error {
		t := f.Tensors[0]
		fmt.Println(t.Name, t.Format, t.Shape)
		return f.Read(t, func(_ int, x []float32) error {
			fmt.Println(len(x), "numbers, the first is", x[0])
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// transformer.h.0.attn.c_attn.bias F32 [24]
	// 24 numbers, the first is 0
	// <nil>
}
