package conformance

import "embed"

// File is a file to start from.
type File struct {
	Name string
	Text []byte
}

//go:embed sample
var samples embed.FS

// SampleVectors returns a small file of vectors of each format.
func SampleVectors() []File {
	return sampleFiles("emission.json", "epochs.json", "epochs_2025.json", "fixed.json", "graph.json",
		"nakamoto.json", "recorded.json", "registration.json")
}

// SampleTransition returns a genesis, a block on it, and a metagraph.
func SampleTransition() []File { return sampleFiles("genesis.json", "block.json", "metagraph.json") }

func sampleFiles(names ...string) []File {
	var files []File
	for _, name := range names {
		text, err := samples.ReadFile("sample/" + name)
		if err != nil {
			panic(err) // it is part of the program
		}
		files = append(files, File{name, text})
	}
	return files
}
