package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/live/wallet"
)

// kept are what a backup holds, as patterns below the folder of a node. The ledger is everybody's and comes from
// the network again, and so does the record of what the consensus key signed: without it a node looks among
// the newest blocks for votes of its key before it signs any.
var kept = []string{"node.toml", "genesis.json", "keys/*.key", "wallets/*/wallet.json", "wallets/*/*.age", "agents/*.state"}

const (
	mostKept     = 4096    // files
	longestKept  = 1 << 32 // bytes of a file
	restoredMode = 0o700
)

func newBackup() *cobra.Command {
	var ask *prompter
	var workFactor int
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Keep keys, settings and what agents learned in one encrypted file",
		Long: `Write the keys and wallets of the node's folder, its settings and the saved states of its agents into a file that a
passphrase opens, with this program or with age and tar. The ledger is not in it: the network has it.

Stop the node first, or the states of its agents are those that were saved last. Never run two nodes with one
consensus key: after a restore the old one must not start again.`,
		Example: `  taolabd backup node.backup
  taolabd backup node.backup --passphrase-fd 3 3<passphrase.txt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			passphrase, err := ask.newPassphrase("the backup")
			if err != nil {
				return err
			}
			n, err := backup(at, args[0], passphrase, workFactor)
			if err != nil {
				return command.Code(command.Failure, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s holds %d files of %s\n", args[0], n, at)
			return command.Code(command.Failure, err)
		},
	}
	addHome(cmd)
	ask = addPassphrase(cmd.Flags())
	cmd.Flags().IntVar(&workFactor, "work-factor", wallet.DefaultWorkFactor, "cost of guessing the passphrase, as a power of two, 10 to 20")
	return cmd
}

// backup writes a file and returns how many files are in it. It replaces nothing.
func backup(at home, to string, passphrase []byte, workFactor int) (n int, err error) {
	var names []string
	for _, pattern := range kept {
		found, err := filepath.Glob(at.in(filepath.FromSlash(pattern)))
		if err != nil {
			return 0, err
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("%s: nothing is there to keep; expected the folder of a node", at)
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("%w; expected a new file", err)
	}
	defer func() {
		if err != nil { // half a backup is none
			err = errors.Join(err, os.Remove(to))
		}
	}()
	sealed, err := wallet.Seal(f, passphrase, workFactor)
	if err != nil {
		return 0, errors.Join(err, f.Close())
	}
	archive := tar.NewWriter(sealed)
	for _, name := range names {
		if err := archiveFile(archive, at, name); err != nil {
			return 0, errors.Join(err, f.Close())
		}
	}
	return len(names), errors.Join(archive.Close(), sealed.Close(), f.Sync(), f.Close())
}

func archiveFile(archive *tar.Writer, at home, name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	short, err := filepath.Rel(string(at), name)
	if err != nil {
		return err
	}
	head := &tar.Header{Name: filepath.ToSlash(short), Mode: 0o600, Size: int64(len(data)), Typeflag: tar.TypeReg, Format: tar.FormatPAX}
	if err := archive.WriteHeader(head); err != nil {
		return err
	}
	_, err = archive.Write(data)
	return err
}

func newRestore() *cobra.Command {
	var ask *prompter
	cmd := &cobra.Command{
		Use:     "restore FILE",
		Short:   "Make the folder of a node again from a backup",
		Long:    `Make the folder that a backup was made of. It must not exist: nothing is ever overwritten.`,
		Example: `  taolabd restore node.backup --home ~/.taolabd`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			if _, err := os.Stat(string(at)); err == nil {
				return command.Code(command.Usage, fmt.Errorf("%s: exists already; expected a new folder; name another with --home", at))
			}
			passphrase, err := ask.passphrase("the backup")
			if err != nil {
				return err
			}
			n, err := restore(at, args[0], passphrase)
			if err != nil {
				return command.Code(command.Failure, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s has %d files again; taolabd doctor looks whether all is well\n", at, n)
			return command.Code(command.Failure, err)
		},
	}
	addHome(cmd)
	ask = addPassphrase(cmd.Flags())
	return cmd
}

// restore makes the folder of a backup, whole or not at all.
func restore(at home, from string, passphrase []byte) (n int, err error) {
	f, err := os.Open(from)
	if err != nil {
		return 0, fmt.Errorf("%w; expected a backup", err)
	}
	defer f.Close()
	opened, err := wallet.Open(from, f, passphrase)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Dir(string(at)), restoredMode); err != nil {
		return 0, err
	}
	draft, err := os.MkdirTemp(filepath.Dir(string(at)), ".restore-")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(draft))
		}
	}()
	archive := tar.NewReader(opened)
	for ; n < mostKept; n++ {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return n, os.Rename(draft, string(at))
		}
		if err != nil {
			return 0, fmt.Errorf("%s: damaged: %w; use another backup", from, err)
		}
		if err := restoreFile(draft, head, archive); err != nil {
			return 0, fmt.Errorf("%s: %w", from, err)
		}
	}
	return 0, fmt.Errorf("%s: more than %d files; expected a backup of a node", from, mostKept)
}

// restoreFile writes a file of a backup: only what a backup holds, and only below the folder.
func restoreFile(draft string, head *tar.Header, data io.Reader) error {
	fits := false
	for _, pattern := range kept {
		match, err := path.Match(pattern, head.Name)
		fits = fits || err == nil && match
	}
	if !fits || !fs.ValidPath(head.Name) || strings.Contains(head.Name, `\`) || head.Typeflag != tar.TypeReg || head.Size > longestKept {
		return fmt.Errorf("%q of %d bytes is not what a backup holds; use another one", head.Name, head.Size)
	}
	name := filepath.Join(draft, filepath.FromSlash(head.Name))
	if err := os.MkdirAll(filepath.Dir(name), restoredMode); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, data, head.Size)
	return errors.Join(err, f.Sync(), f.Close())
}
