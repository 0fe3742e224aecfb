package command

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// StandardInput is the name by which people call it.
const StandardInput = "-"

// ReadInput reads a file of most bytes and one more at most, or standard input. Expected is what should be there,
// as in a file in JSON.
func ReadInput(cmd *cobra.Command, name, expected string, most int64) ([]byte, error) {
	in := cmd.InOrStdin()
	if name != StandardInput {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("%w; expected %s, or - for standard input", err, expected)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w; expected %s", InputName(name), err, expected)
	}
	return data, nil
}

// InputName is how errors call an input.
func InputName(name string) string {
	if name == StandardInput {
		return "standard input"
	}
	return name
}

// OnceOnly refuses to read standard input twice.
func OnceOnly(names ...string) error {
	count := 0
	for _, name := range names {
		if name == StandardInput {
			count++
		}
	}
	if count > 1 {
		return Code(Usage, fmt.Errorf("standard input, -, stands %d times; it can be read once", count))
	}
	return nil
}
