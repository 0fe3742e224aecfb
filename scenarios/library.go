package scenarios

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"taolab/agents/settings"
)

//go:embed library
var library embed.FS

// Names lists the scenarios that come with the program, sorted; one in a folder of the library has the
// folder's name in front, as in scale/4096.
func Names() []string {
	var names []string
	err := fs.WalkDir(library, "library", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name := strings.TrimPrefix(path, "library/")
			names = append(names, strings.TrimSuffix(name, ".toml"))
		}
		return err
	})
	if err != nil {
		panic("scenarios: the embedded library cannot be read: " + err.Error())
	}
	return names
}

// Text is the TOML of a scenario that comes with the program.
func Text(name string) (string, error) {
	data, err := library.ReadFile("library/" + name + ".toml")
	if err != nil {
		return "", &settings.Error{
			Where: name, Fault: "no such scenario", Want: "a path that ends in .toml, or one of " + strings.Join(Names(), ", "),
			Hint: settings.Meant(name, Names()),
		}
	}
	return string(data), nil
}

// File is a scenario that was read: decoded, with its text and origin.
type File struct {
	*Scenario
	Origin string // the path or name that it was read by
	Dir    string // base of relative paths in it
	Text   string
	Sets   []string // overrides, as key=value

	metagraph *metagraph // from which the ledger continues; nil: it begins with the scenario
}

// maxFileBytes bounds a scenario file.
const maxFileBytes = 1 << 20

// Load reads a scenario by its name in the library or by the path of a file.
func Load(name string, sets []string) (*File, error) {
	file := &File{Origin: name, Sets: sets, Dir: "."}
	if strings.HasSuffix(name, ".toml") {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, &settings.Error{Where: name, Fault: "cannot be read: " + err.Error(), Want: "a scenario file",
				Hint: "taolab scenario new writes one"}
		case !info.Mode().IsRegular(): // a device may never end
			return nil, misnamed(name, nil)
		case info.Size() > maxFileBytes:
			return nil, &settings.Error{Where: name, Fault: fmt.Sprintf("%d bytes long", info.Size()), Want: fmt.Sprintf("at most %d", maxFileBytes)}
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, &settings.Error{Where: name, Fault: "cannot be read: " + err.Error(), Want: "a scenario file"}
		}
		file.Text, file.Dir = string(data), filepath.Dir(name)
	} else {
		text, err := Text(name)
		if err != nil {
			return nil, misnamed(name, err)
		}
		file.Text = text
	}
	scenario, err := Decode(name, file.Text, sets)
	if err != nil {
		return nil, err
	}
	if err := file.complete(scenario); err != nil {
		return nil, err
	}
	return file, nil
}

// complete sets the file's scenario to a decoded one, and resolves its name, paths and metagraph.
func (f *File) complete(sc *Scenario) error {
	f.Scenario = sc
	if sc.Name == "" {
		sc.Name = strings.TrimSuffix(filepath.Base(f.Origin), ".toml")
	}
	for _, step := range []func() error{f.fixPaths, f.adoptCheckpoints, f.readMetagraph, f.inheritMetagraph, f.checkMetagraph} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// fixPaths makes the paths in the scenario absolute, so that a run can be repeated from another folder.
func (f *File) fixPaths() (err error) {
	paths := []*string{&f.Chain.Metagraph, &f.Corpus.Tokenizer}
	for i := range f.Corpus.Append {
		paths = append(paths, &f.Corpus.Append[i].Path)
	}
	for i := range f.Miners {
		paths = append(paths, &f.Miners[i].Checkpoint)
	}
	for i := range f.Validators {
		paths = append(paths, &f.Validators[i].RowsFile)
	}
	for i := range f.Prices {
		paths = append(paths, &f.Prices[i].File)
	}
	for _, path := range paths {
		if *path == "" || filepath.IsAbs(*path) {
			continue
		}
		if *path, err = filepath.Abs(filepath.Join(f.Dir, *path)); err != nil {
			return err
		}
	}
	return nil
}

// adoptCheckpoints copies the shapes of miners' checkpoints into their settings.
func (f *File) adoptCheckpoints() error {
	for i := range f.Miners {
		if err := f.Miners[i].Adopt(); err != nil {
			return f.located(fmt.Sprintf("miners[%d]", i), err)
		}
	}
	return nil
}

// misnamed explains why an existing path is not a scenario; for a missing one it returns err.
func misnamed(path string, err error) error {
	info, unseen := os.Stat(path)
	switch {
	case unseen != nil:
		return err
	case info.IsDir():
		return &settings.Error{Where: path, Fault: "a folder",
			Want: "a scenario file, which ends in .toml, or a name that taolab scenario list prints",
			Hint: "taolab check takes folders"}
	case !info.Mode().IsRegular():
		return &settings.Error{Where: path, Fault: "not a regular file", Want: "a scenario file, which ends in .toml",
			Hint: "taolab scenario new writes one"}
	}
	return &settings.Error{Where: path, Fault: "the name does not end in .toml",
		Want: "a scenario file, which ends in .toml", Hint: "rename the file if it is one"}
}

// setting is the last override that sets a key; empty: none.
func (f *File) setting(key string) string {
	for _, set := range slices.Backward(f.Sets) {
		if name, _, _ := settings.CutKey(set); name == key {
			return set
		}
	}
	return ""
}

// where is the place of a key: the option that sets it, the line, or the file.
func (f *File) where(key string) string {
	if set := f.setting(key); set != "" {
		return "--set " + set
	}
	if line := f.Line(key); line > 0 {
		return fmt.Sprintf("%s:%d", f.Origin, line)
	}
	return f.Origin
}
