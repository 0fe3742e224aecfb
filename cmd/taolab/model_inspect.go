package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"taolab/model/checkpoint"
)

// inspection is what inspect prints.
type inspection struct {
	Path       string            `json:"path"`
	SHA256     string            `json:"sha256"` // of the safetensors files, one after the other
	Bytes      int64             `json:"bytes"`  // of those files
	Metadata   map[string]string `json:"metadata"`
	Model      *inspectedModel   `json:"model"` // null for a single file
	Parameters int               `json:"parameters"`
	Tensors    []inspectedTensor `json:"tensors"`
}

type inspectedModel struct {
	Digest    string `json:"digest"`
	Vocab     int    `json:"vocab"`
	Context   int    `json:"context"`
	Width     int    `json:"width"`
	Layers    int    `json:"layers"`
	Heads     int    `json:"heads"`
	Weights   int    `json:"weights"`
	Tokenizer string `json:"tokenizer"` // digest; empty: none
	Tokens    int    `json:"tokens"`    // of the tokenizer
}

type inspectedTensor struct {
	Name    string   `json:"name"`
	Format  string   `json:"format"`
	Shape   []int    `json:"shape"`
	Numbers int      `json:"numbers"`
	Bytes   int64    `json:"bytes"`
	Norm    *float64 `json:"norm"`    // root of the sum of squares; null for formats that are not read
	Largest *float64 `json:"largest"` // magnitude
	Broken  int      `json:"broken"`  // numbers that are infinite or none
}

func newModelInspect() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect PATH",
		Short: "Show shape, digest and every tensor of a model",
		Long: `Show what is in a model's folder, or in any safetensors file: shapes, number formats, norms and largest
magnitudes of the tensors, and, of a folder, the shape and the digest of the model.`,
		Example: `  taolab model inspect models/small
  taolab model inspect gpt2/model.safetensors --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := inspect(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), i)
			}
			return i.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func inspect(path string) (i inspection, err error) {
	i.Path = filepath.Clean(path)
	files := []string{i.Path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if i.Model, err = inspectModel(i.Path); err != nil {
			return i, err
		}
		if files, err = checkpoint.WeightFiles(path); err != nil {
			return i, fileError(err)
		}
	}
	if i.SHA256, i.Bytes, err = hashFiles(files); err != nil {
		return i, code(exitFailure, err)
	}
	i.Metadata = map[string]string{}
	for _, file := range files {
		if err := checkpoint.WithFile(file, i.add); err != nil {
			return i, fileError(err)
		}
	}
	return i, nil
}

// inspectModel reads the model of a folder.
func inspectModel(folder string) (*inspectedModel, error) {
	c, err := loadCheckpoint(folder)
	if err != nil {
		files, other := checkpoint.WeightFiles(folder)
		nothing := func(*checkpoint.File) error { return nil }
		if other == nil && checkpoint.WithFile(files[0], nothing) == nil {
			err = fmt.Errorf("%w; taolab model inspect %s shows only the tensors", err, files[0])
		}
		return nil, err
	}
	m := c.Model.Config
	shown := &inspectedModel{
		Digest: fmt.Sprintf("%x", c.Model.Digest()), Vocab: m.Vocab, Context: m.Context, Width: m.Width,
		Layers: m.Layers, Heads: m.Heads, Weights: m.Params(),
	}
	if c.Tokenizer != nil {
		shown.Tokenizer, shown.Tokens = fmt.Sprintf("%x", c.Tokenizer.Digest()), c.Tokenizer.Vocab()
	}
	return shown, nil
}

// add looks at the tensors of a file.
func (i *inspection) add(f *checkpoint.File) error {
	maps.Copy(i.Metadata, f.Metadata)
	for _, t := range f.Tensors {
		one, err := inspectTensor(f, t)
		if err != nil {
			return err
		}
		i.Parameters += one.Numbers
		i.Tensors = append(i.Tensors, one)
	}
	return nil
}

func hashFiles(paths []string) (digest string, size int64, err error) {
	h := sha256.New()
	for _, path := range paths {
		n, err := copyFile(h, path)
		if err != nil {
			return "", 0, err
		}
		size += n
	}
	return fmt.Sprintf("%x", h.Sum(nil)), size, nil
}

func copyFile(to io.Writer, path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("%w; expected a .safetensors file or a folder with one", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() { // a device may never end
		return 0, fmt.Errorf("%s: not a regular file; expected a .safetensors file or a folder with one", path)
	}
	return io.Copy(to, f)
}

func inspectTensor(f *checkpoint.File, t checkpoint.Tensor) (inspectedTensor, error) {
	one := inspectedTensor{Name: t.Name, Format: t.Format, Shape: t.Shape, Numbers: t.Len(), Bytes: t.Bytes()}
	if !t.Readable() {
		return one, nil
	}
	square, largest := 0.0, 0.0
	err := f.Read(t, func(_ int, x []float32) error {
		for _, v := range x {
			v := math.Abs(float64(v))
			if !(v <= math.MaxFloat32) {
				one.Broken++
				continue
			}
			square += float64(v * v)
			largest = max(largest, v)
		}
		return nil
	})
	norm := math.Sqrt(square)
	one.Norm, one.Largest = &norm, &largest
	return one, err
}

func (i inspection) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "path\t%s\n", i.Path)
	if m := i.Model; m != nil {
		fmt.Fprintf(table, "digest\t%s\nwidth %d, layers %d, heads %d\tcontext %d, vocabulary %d, weights %d\n", m.Digest,
			m.Width, m.Layers, m.Heads, m.Context, m.Vocab, m.Weights)
		if m.Tokenizer != "" {
			fmt.Fprintf(table, "tokenizer\t%s, %d tokens\n", m.Tokenizer, m.Tokens)
		}
	}
	fmt.Fprintf(table, "sha256\t%s\nbytes\t%d\nnumbers\t%d in %d tensors\n", i.SHA256, i.Bytes, i.Parameters, len(i.Tensors))
	for _, name := range slices.Sorted(maps.Keys(i.Metadata)) {
		fmt.Fprintf(table, "metadata %s\t%s\n", name, i.Metadata[name])
	}
	if err := table.Flush(); err != nil {
		return code(exitFailure, err)
	}
	table = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\ntensor\tformat\tshape\tnumbers\tnorm\tlargest\tbroken\n")
	for _, t := range i.Tensors {
		norm, largest := "?", "?"
		if t.Norm != nil {
			norm, largest = fmt.Sprintf("%.6g", *t.Norm), fmt.Sprintf("%.6g", *t.Largest)
		}
		fmt.Fprintf(table, "%s\t%s\t%v\t%d\t%s\t%s\t%d\n", t.Name, t.Format, t.Shape, t.Numbers, norm, largest, t.Broken)
	}
	return code(exitFailure, table.Flush())
}
