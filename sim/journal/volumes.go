package journal

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Volume is a file of an agent's journal. Each start of the process begins a life, and a life has volumes, both
// numbered from 1.
type Volume struct {
	Agent        string
	Life, Number uint64
}

const extension = ".journal"

// String is the name of the volume's file.
func (v Volume) String() string {
	return fmt.Sprintf("%s-%d-%d%s", v.Agent, v.Life, v.Number, extension)
}

// Volumes are those of an agent in a folder, oldest first.
func Volumes(dir, agent string) ([]Volume, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("the journals of %s cannot be found: %w", agent, err)
	}
	var all []Volume
	for _, f := range files {
		if v, ok := parseVolume(f.Name()); ok && v.Agent == agent {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b Volume) int {
		return cmp.Or(cmp.Compare(a.Life, b.Life), cmp.Compare(a.Number, b.Number))
	})
	return all, nil
}

// parseVolume reads the name of a file.
func parseVolume(name string) (Volume, bool) {
	rest, is := strings.CutSuffix(name, extension)
	second := strings.LastIndexByte(rest, '-')
	first := strings.LastIndexByte(rest[:max(second, 0)], '-')
	if !is || first < 1 {
		return Volume{}, false
	}
	life, err := strconv.ParseUint(rest[first+1:second], 10, 64)
	number, also := strconv.ParseUint(rest[second+1:], 10, 64)
	v := Volume{rest[:first], life, number}
	return v, err == nil && also == nil && v.String() == name
}

// Prune removes the oldest volumes of an agent but for the newest few.
func Prune(dir, agent string, stay int) error {
	all, err := Volumes(dir, agent)
	if err != nil {
		return err
	}
	for _, v := range all[:max(len(all)-stay, 0)] {
		if err := os.Remove(filepath.Join(dir, v.String())); err != nil {
			return fmt.Errorf("an old volume of the journal of %s stays: %w", agent, err)
		}
	}
	return nil
}
