package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"taolab/model/jsontext"
	"taolab/model/lm"
	"taolab/model/token"
	"taolab/model/whole"
)

// The files of a checkpoint.
const (
	ConfigFile    = "config.json"
	WeightsFile   = "model.safetensors"
	IndexFile     = WeightsFile + ".index.json" // of weights in several files
	TokenizerFile = "tokenizer.json"
)

// Limits on the files in JSON. GPT-2's own tokenizer takes 1.4 MB.
const (
	maxConfigBytes    = 1 << 20
	maxIndexBytes     = 64 << 20
	maxTokenizerBytes = 64 << 20
	maxParts          = 512 // files of one model
)

// Checkpoint is the content of a folder: a model, and its tokenizer or nil.
type Checkpoint struct {
	Model     *lm.Model
	Tokenizer *token.Tokenizer
}

// Load reads a folder that [Checkpoint.Save] or transformers' save_pretrained wrote.
func Load(folder string) (*Checkpoint, error) {
	data, err := ReadFile(filepath.Join(folder, ConfigFile), maxConfigBytes)
	if err != nil {
		return nil, fmt.Errorf("%w; expected a folder with %s and %s, such as taolab model train writes", err, ConfigFile, WeightsFile)
	}
	config, err := ReadConfig(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	c := new(Checkpoint)
	if c.Model, err = loadModel(folder, config); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, TokenizerFile)
	data, err = ReadFile(path, maxTokenizerBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if c.Tokenizer, err = token.Load(data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, c.check(folder)
}

// check requires that the model has an embedding for every token that a text may hold.
func (c *Checkpoint) check(folder string) error {
	if c.Tokenizer != nil && c.Tokenizer.Reach() > c.Model.Config.Vocab {
		return fmt.Errorf("%s: the tokenizer has %d tokens and the model %d; "+
			"expected a tokenizer of this model", folder, c.Tokenizer.Reach(), c.Model.Config.Vocab)
	}
	return nil
}

func loadModel(folder string, config lm.Config) (m *lm.Model, err error) {
	paths, err := WeightFiles(folder)
	if err != nil {
		return nil, err
	}
	err = withFiles(paths, nil, func(files []*File) error {
		if m, err = ReadModel(config, files...); err != nil && len(files) == 1 {
			return fmt.Errorf("%s: %w", paths[0], err)
		} else if err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
		return nil
	})
	return m, err
}

// WeightFiles finds the files of a folder's weights: model.safetensors, or those that an index lists.
func WeightFiles(folder string) ([]string, error) {
	path := filepath.Join(folder, WeightsFile)
	_, err := os.Stat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return []string{path}, nil // reading it finds what is wrong with it
	}
	index := filepath.Join(folder, IndexFile)
	if _, missing := os.Stat(index); missing == nil {
		return readIndex(folder, index)
	}
	for _, other := range []string{"pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack"} {
		if _, missing := os.Stat(filepath.Join(folder, other)); missing == nil {
			err = fmt.Errorf("%w; found %s, which is not read: let transformers save the model again, "+
				"with save_pretrained(folder, safe_serialization=True)", err, other)
		}
	}
	return nil, err
}

// readIndex lists the files that an index names, and checks that each holds its tensors.
func readIndex(folder, path string) ([]string, error) {
	data, err := ReadFile(path, maxIndexBytes)
	if err != nil {
		return nil, err
	}
	tensors, err := parseIndex(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var paths []string
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		file := filepath.Join(folder, name)
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("%s: lists %s, which cannot be read: %w; fetch all parts of the model", path, name, err)
		}
		err := WithFile(file, func(f *File) error {
			held := map[string]bool{}
			for _, t := range f.Tensors {
				held[t.Name] = true
			}
			for _, wanted := range tensors[name] {
				if !held[wanted] {
					return fmt.Errorf("no tensor %q, which %s places here; fetch the parts and the index together", wanted, IndexFile)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		paths = append(paths, file)
	}
	return paths, nil
}

// parseIndex maps each file of the same folder to the tensors that it should hold.
func parseIndex(data []byte) (map[string][]string, error) {
	root, err := jsontext.Read(data, maxConfigDepth)
	if err != nil {
		return nil, err
	}
	list := root.Member("weight_map")
	if list.Kind() != '{' {
		return nil, list.Expected("a weight_map of tensors to files")
	}
	tensors := map[string][]string{}
	for tensor, v := range list.Members() {
		file, err := v.Text()
		if err != nil {
			return nil, err
		}
		if strings.ContainsAny(file, `/\`) || !strings.HasSuffix(file, ".safetensors") {
			return nil, v.Expected("the name of a .safetensors file next to the index")
		}
		if tensors[file] = append(tensors[file], tensor); len(tensors) > maxParts {
			return nil, v.Errorf("more than %d files", maxParts)
		}
	}
	if len(tensors) == 0 {
		return nil, list.Errorf("no tensor; expected those of a model")
	}
	return tensors, nil
}

// withFiles opens all files while read runs.
func withFiles(paths []string, open []*File, read func([]*File) error) error {
	if len(paths) == 0 {
		return read(open)
	}
	return openFile(paths[0], func(f *File) error { return withFiles(paths[1:], append(open, f), read) })
}

// WithFile opens a safetensors file while read runs. Errors begin with its path.
func WithFile(path string, read func(*File) error) error {
	return openFile(path, func(f *File) error {
		if err := read(f); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
}

func openFile(path string, read func(*File) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file", path)
	}
	f, err := Open(file, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return read(f)
}

// Save writes the three files into a folder, which it creates if needed. Each replaces an existing
// file; the weights come last.
func (c *Checkpoint) Save(folder string) error {
	if err := c.check(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	endOfText := -1
	if c.Tokenizer != nil {
		endOfText = int(c.Tokenizer.EndOfText())
		data, err := c.Tokenizer.MarshalJSON()
		if err == nil {
			err = whole.Write(filepath.Join(folder, TokenizerFile), data)
		}
		if err != nil {
			return err
		}
	}
	data, err := AppendConfig(nil, c.Model.Config, endOfText)
	if err == nil {
		err = whole.Write(filepath.Join(folder, ConfigFile), data)
	}
	if err != nil {
		return err
	}
	path := filepath.Join(folder, WeightsFile)
	return whole.Replace(path, 0o644, func(w io.Writer) error { return WriteModel(w, c.Model) })
}

// ReadFile reads a regular file; it refuses one of more than most bytes.
func ReadFile(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file; expected one of at most %d bytes", path, most)
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s: %d bytes; expected %d at most", path, info.Size(), most)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most))
}
