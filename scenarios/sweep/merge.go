package sweep

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Merge joins the results in folders of one design in a new folder, where the sweep can
// continue.
func Merge(out string, dirs ...string) (*Table, error) {
	design, err := ReadDesign(dirs[0])
	if err != nil {
		return nil, err
	}
	text, err := design.text()
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs[1:] {
		other, err := ReadDesign(dir)
		if err != nil {
			return nil, err
		}
		if same, err := other.text(); err != nil || !bytes.Equal(same, text) {
			return nil, errors.Join(err, fmt.Errorf("%s and %s are of different sweeps%s; expected shards of one",
				dirs[0], dir, design.difference(dir)))
		}
	}
	table, err := Gather(design, dirs...)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(out, resultsFolder), 0o755), writeText(filepath.Join(out, DesignFile), text)); err != nil {
		return nil, err
	}
	return table, errors.Join(table.copyResults(filepath.Join(out, resultsFolder, "merged.log")), table.Write(out))
}

// copyResults writes a log of the newest result of each run.
func (t *Table) copyResults(path string) error {
	return writeWhole(path, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<20)
		out.WriteString(resultsHeading) // Flush returns its error
		err := t.records(func(r *record) error {
			entry, err := r.entry()
			if err != nil {
				return err
			}
			_, err = out.Write(entry)
			return err
		})
		return errors.Join(err, out.Flush())
	})
}
