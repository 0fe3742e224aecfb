package main

import (
	"archive/tar"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taolab/sim/live/wallet"
)

// TestAHostileBackupWritesNothing makes backups of files that no backup holds.
func TestAHostileBackupWritesNothing(t *testing.T) {
	passphrase := []byte("correct horse")
	for _, head := range []tar.Header{
		{Name: "../escaped.key", Size: 1},
		{Name: "/tmp/escaped.key", Size: 1},
		{Name: "keys/../../escaped.key", Size: 1},
		{Name: "wallets/../wallet.json", Size: 1},
		{Name: "ledger/signed.json", Size: 1},
		{Name: "keys/peer.key", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		{Name: `wallets/a\..\b/coldkey.age`, Size: 1},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "backup")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := wallet.Seal(f, passphrase, 10)
		if err != nil {
			t.Fatal(err)
		}
		archive := tar.NewWriter(sealed)
		if err := archive.WriteHeader(&head); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write(make([]byte, head.Size)); err != nil {
			t.Fatal(err)
		}
		for _, close := range []func() error{archive.Close, sealed.Close, f.Close} {
			if err := close(); err != nil {
				t.Fatal(err)
			}
		}
		_, err = restore(home(filepath.Join(dir, "in", "node")), path, passphrase)
		if err == nil || !strings.Contains(err.Error(), "not what a backup holds") {
			t.Errorf("%s: %v", head.Name, err)
		}
		if left, err := os.ReadDir(filepath.Join(dir, "in")); err != nil || len(left) > 0 {
			t.Errorf("%s left %v, %v", head.Name, left, err)
		}
	}
}
