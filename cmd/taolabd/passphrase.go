package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"taolab/cmd/internal/command"
)

// prompter gets secrets from people: from a file descriptor, or from the terminal without showing them.
type prompter struct {
	fd int // -1: the terminal
	in *bufio.Reader
}

// addPassphrase adds the flag that says from where a passphrase comes. It is never a flag itself: every user
// of the machine can read the command lines of all.
func addPassphrase(flags *pflag.FlagSet) *prompter {
	p := &prompter{fd: -1}
	flags.IntVar(&p.fd, "passphrase-fd", -1, "file `descriptor` from which the passphrase is read, a line each, as in 3<file; without it the terminal is asked")
	return p
}

const longestLine = 4096

// passphrase asks for the passphrase of something.
func (p *prompter) passphrase(of string) ([]byte, error) {
	return p.secret("passphrase of "+of, "passphrase")
}

// newPassphrase asks for a passphrase twice, or once where nobody types it.
func (p *prompter) newPassphrase(of string) ([]byte, error) {
	first, err := p.secret("new passphrase of "+of, "passphrase")
	if err != nil || p.fd >= 0 {
		return first, err
	}
	again, err := p.secret("the same again", "passphrase")
	if err == nil && !bytes.Equal(first, again) {
		err = command.Code(command.Usage, errors.New("the two passphrases differ; nothing was written"))
	}
	return first, err
}

// secret asks for a line that is not shown.
func (p *prompter) secret(question, what string) ([]byte, error) {
	if p.fd >= 0 {
		return p.line(what)
	}
	terminal := int(os.Stdin.Fd())
	if !term.IsTerminal(terminal) {
		return nil, command.Code(command.Usage, fmt.Errorf("no terminal to ask for the %s; give it through a file descriptor, as in --passphrase-fd 3 3<file", what))
	}
	fmt.Fprintf(os.Stderr, "%s: ", question)
	line, err := term.ReadPassword(terminal)
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return nil, command.Code(command.Failure, fmt.Errorf("the terminal gives no %s: %w", what, err))
	}
	return line, nil
}

// line is the next line of the file descriptor.
func (p *prompter) line(what string) ([]byte, error) {
	if p.in == nil {
		file := os.NewFile(uintptr(p.fd), "passphrase")
		if file == nil {
			return nil, command.Code(command.Usage, fmt.Errorf("--passphrase-fd %d: not a file descriptor", p.fd))
		}
		p.in = bufio.NewReaderSize(file, longestLine)
	}
	line, err := p.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, command.Code(command.Usage, fmt.Errorf("--passphrase-fd %d: a line of more than %d bytes; expected a %s", p.fd, longestLine, what))
	case err != nil && !errors.Is(err, io.EOF):
		return nil, command.Code(command.Usage, fmt.Errorf("--passphrase-fd %d: %w; expected an open file descriptor with a %s on a line", p.fd, err, what))
	case len(line) == 0:
		return nil, command.Code(command.Usage, fmt.Errorf("--passphrase-fd %d: it ended; expected a %s on a line", p.fd, what))
	}
	return bytes.Clone(bytes.TrimRight(line, "\r\n")), nil
}

// isTerminal reports whether people read what is written.
func isTerminal(w io.Writer) bool {
	file, is := w.(*os.File)
	return is && term.IsTerminal(int(file.Fd()))
}
