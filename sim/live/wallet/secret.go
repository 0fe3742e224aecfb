package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"filippo.io/age"
)

const (
	// DefaultWorkFactor makes a guess of a passphrase cost half a second and 256 MiB.
	DefaultWorkFactor = 18
	leastWorkFactor   = 10
	mostWorkFactor    = 20 // 1 GiB; a hostile file could ask for any
	leastPassphrase   = 8
	longestPassphrase = 1024
	longestSecret     = 4096
)

// Seal encrypts what is written to it by a passphrase. It is whole when it was closed.
func Seal(w io.Writer, passphrase []byte, workFactor int) (io.WriteCloser, error) {
	switch n := len(passphrase); {
	case n < leastPassphrase:
		return nil, fmt.Errorf("passphrase of %d characters; expected at least %d", n, leastPassphrase)
	case n > longestPassphrase:
		return nil, fmt.Errorf("passphrase of %d characters; expected at most %d", n, longestPassphrase)
	case workFactor < leastWorkFactor || workFactor > mostWorkFactor:
		return nil, fmt.Errorf("work factor %d; expected %d to %d", workFactor, leastWorkFactor, mostWorkFactor)
	}
	to, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return nil, err
	}
	to.SetWorkFactor(workFactor)
	return age.Encrypt(w, to)
}

// Open reads what Seal encrypted. Name is what errors call it.
func Open(name string, r io.Reader, passphrase []byte) (io.Reader, error) {
	by, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, fmt.Errorf("%s: the passphrase is empty", name)
	}
	by.SetMaxWorkFactor(mostWorkFactor)
	opened, err := age.Decrypt(r, by)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return nil, fmt.Errorf("%s: the passphrase does not open it; expected the one that it was made with", name)
	case err != nil:
		return nil, fmt.Errorf("%s: not a file that was sealed with a passphrase: %w; restore it from a backup, or a wallet from its recovery phrase", name, err)
	}
	return opened, nil
}

// seal encrypts a secret.
func seal(secret string, passphrase []byte, workFactor int) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := Seal(&sealed, passphrase, workFactor)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(w, secret)
	err = errors.Join(err, w.Close())
	return sealed.Bytes(), err
}

// unseal reads the file of a secret.
func unseal(path string, passphrase []byte) (string, error) {
	sealed, err := ReadSecret(path)
	if err != nil {
		return "", err
	}
	opened, err := Open(path, bytes.NewReader(sealed), passphrase)
	if err != nil {
		return "", err
	}
	secret, err := io.ReadAll(io.LimitReader(opened, longestSecret))
	if err != nil {
		return "", fmt.Errorf("%s: damaged: %w; restore it from a backup, or the wallet from its recovery phrase", path, err)
	}
	return string(secret), nil
}

// ReadSecret reads a file that holds a secret, and refuses one that others than its owner may read.
func ReadSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("%w; expected a file that its owner can read", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); mode.Perm()&0o077 != 0 || !mode.IsRegular() {
		return nil, fmt.Errorf("%s: mode %s, so others than its owner may read it; expected -rw-------; run chmod 600 on it", path, mode)
	}
	data, err := io.ReadAll(io.LimitReader(f, longestSecret+1))
	if err == nil && len(data) > longestSecret {
		err = fmt.Errorf("%s: more than %d bytes; expected a file of this keystore", path, longestSecret)
	}
	return data, err
}

// WriteSecret writes a new file that only its owner may read, and that is on the disk when it returns. It
// replaces nothing.
func WriteSecret(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: exists already; expected a new file: %w", path, fs.ErrExist)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil { // half a file is none
			err = errors.Join(err, os.Remove(path))
		}
	}()
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
