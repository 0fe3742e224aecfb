//go:build unix

package command

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// LockFolder makes sure that one program at a time writes a folder. The lock ends with the
// program, however that ends.
func LockFolder(dir string) (release func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		f.Close()
		return nil, fmt.Errorf("%s: another program is still busy in this folder; expected one that has ended; "+
			"wait for it, or end it with Ctrl-C", dir)
	case err != nil: // a disk that knows no locks: nobody else is kept away
		return func() { f.Close() }, nil
	}
	return func() { f.Close() }, nil
}
