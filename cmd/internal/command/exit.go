// Package command is what both programs have on their command lines: exit codes, errors that say what was
// expected, input from a file or from standard input, signals that end a program in order, and the page of the
// reference that a program writes about itself.
//
// It promises the same words in both. It knows the verbs of neither.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	OK          = 0
	Failure     = 1
	Usage       = 2
	Invalid     = 3 // a file is not what its format demands
	Expectation = 4
	Digest      = 5
	Interrupted = 130
)

// coded is an error with the exit code that it ends in.
type coded struct {
	code int
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

// Code gives an error the exit code that it ends in; nil stays nil.
func Code(n int, err error) error {
	if err == nil {
		return nil
	}
	return &coded{n, err}
}

// CodeOf is the exit code that an error ends in; one that nobody gave a code is of the command-line parser.
func CodeOf(err error) int {
	var c *coded
	switch {
	case err == nil:
		return OK
	case errors.As(err, &c):
		return c.code
	}
	return Usage
}

// Execute runs one command line of a program and returns its exit code.
func Execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", root.Name(), err)
	}
	return CodeOf(err)
}
