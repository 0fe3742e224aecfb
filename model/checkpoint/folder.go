package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"taolab/model/lm"
	"taolab/model/token"
)

// The files of a checkpoint.
const (
	ConfigFile    = "config.json"
	WeightsFile   = "model.safetensors"
	TokenizerFile = "tokenizer.json"
)

// Limits on the files in JSON. GPT-2's own tokenizer takes 1.4 MB.
const (
	maxConfigBytes    = 1 << 20
	maxTokenizerBytes = 64 << 20
)

// Checkpoint is what a folder holds: a model, and the tokenizer of its text or nil.
type Checkpoint struct {
	Model     *lm.Model
	Tokenizer *token.Tokenizer
}

// Load reads a folder that [Checkpoint.Save] or transformers' save_pretrained wrote.
func Load(folder string) (*Checkpoint, error) {
	data, err := ReadFile(filepath.Join(folder, ConfigFile), maxConfigBytes)
	if err != nil {
		return nil, fmt.Errorf("%w; expected a folder with %s and %s", err, ConfigFile, WeightsFile)
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

// check demands that the model has a row for every token.
func (c *Checkpoint) check(folder string) error {
	if c.Tokenizer != nil && c.Tokenizer.Vocab() > c.Model.Config.Vocab {
		return fmt.Errorf("%s: the tokenizer has %d tokens and the model %d; "+
			"expected a tokenizer of this model", folder, c.Tokenizer.Vocab(), c.Model.Config.Vocab)
	}
	return nil
}

func loadModel(folder string, config lm.Config) (m *lm.Model, err error) {
	path := filepath.Join(folder, WeightsFile)
	err = WithFile(path, func(f *File) error {
		m, err = f.ReadModel(config)
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	for _, other := range []string{WeightsFile + ".index.json", "pytorch_model.bin"} {
		if _, missing := os.Stat(filepath.Join(folder, other)); missing == nil {
			err = fmt.Errorf("%w; found %s, which is not read: let transformers save the model anew, "+
				"as one file, with save_pretrained(folder, safe_serialization=True, max_shard_size=\"100GB\")",
				err, other)
		}
	}
	return nil, err
}

// WithFile opens a safetensors file for as long as read takes. Errors begin with its path.
func WithFile(path string, read func(*File) error) error {
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
		return fmt.Errorf("%s: no regular file", path)
	}
	f, err := Open(file, info.Size())
	if err == nil {
		err = read(f)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Save writes the three files into a folder, which it makes where there is none. Each takes the place
// of one that is there; the weights come last.
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
			err = WriteFile(filepath.Join(folder, TokenizerFile), data)
		}
		if err != nil {
			return err
		}
	}
	data, err := AppendConfig(nil, c.Model.Config, endOfText)
	if err == nil {
		err = WriteFile(filepath.Join(folder, ConfigFile), data)
	}
	if err != nil {
		return err
	}
	path := filepath.Join(folder, WeightsFile)
	return replace(path, func(w io.Writer) error { return WriteModel(w, c.Model) })
}

// ReadFile reads a regular file of at most so many bytes.
func ReadFile(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s: expected a file of at most %d bytes", path, most)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most))
}

// WriteFile puts a file in its place whole, or leaves what was there.
func WriteFile(path string, data []byte) error {
	return replace(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// replace writes beside the place and renames when all is on disk.
func replace(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
