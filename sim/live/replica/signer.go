package replica

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/privval"
)

// signedFile says what the consensus key signed last, so that it signs nothing twice.
const signedFile = "signed.json"

// openSigner makes the signer of votes. known says whether there was a record of what the key signed.
func openSigner(key ed25519.PrivateKey, dir string) (signer *privval.FilePV, known bool, err error) {
	path := filepath.Join(dir, signedFile)
	signer = privval.NewFilePV(cmted25519.PrivKey(key), "", path)
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return signer, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("record of what the consensus key signed: %w", err)
	}
	if err := cmtjson.Unmarshal(data, &signer.LastSignState); err != nil {
		return nil, false, fmt.Errorf("%s, the record of what the consensus key signed, is damaged: %w; "+
			"restore it, or use a new consensus key: signing from memory could be signing twice", path, err)
	}
	return signer, true, nil
}
