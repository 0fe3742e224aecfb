package wallet

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"taolab/sim/chain"
)

// Keystore is a folder of wallets, each a folder of its own: wallet.json says which keys there are, coldkey.age
// holds the recovery phrase, and NAME.hotkey.age the seed of a hotkey. A server needs only wallet.json and its
// hotkey's file.
type Keystore struct {
	Dir        string
	WorkFactor int // of what is written, as a power of two; 0: DefaultWorkFactor
}

// Wallet is what anybody may know of a wallet.
type Wallet struct {
	Name    string
	Coldkey chain.Key
	Hotkeys []Hotkey // in the order of their numbers
}

// Hotkey is a hotkey of a wallet.
type Hotkey struct {
	Name   string
	Number uint32 // in its path below the recovery phrase
	Key    chain.Key
}

// file is wallet.json.
type file struct {
	Coldkey string       `json:"coldkey"`
	Hotkeys []fileHotkey `json:"hotkeys"`
}

type fileHotkey struct {
	Name    string `json:"name"`
	Number  uint32 `json:"number"`
	Address string `json:"address"`
}

const (
	publicFile  = "wallet.json"
	coldkeyFile = "coldkey.age"
	hotkeyFile  = ".hotkey.age"
	folderMode  = 0o700
)

// name is what wallets and hotkeys may be called: a file's name everywhere.
var name = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

// CheckName refuses what no wallet or hotkey may be called.
func CheckName(s string) error {
	if !name.MatchString(s) {
		return fmt.Errorf("name %q; expected at most 32 of a to z, 0 to 9, - and _, a letter or digit first", short(s))
	}
	return nil
}

// Create makes a wallet of a phrase, with hotkeys of these names. It replaces nothing.
func (s Keystore) Create(wallet string, phrase Phrase, hotkeys []string, passphrase []byte) (made Wallet, err error) {
	if err := errors.Join(CheckName(wallet), checkHotkeys(hotkeys)); err != nil {
		return Wallet{}, err
	}
	if _, err := os.Stat(s.path(wallet)); err == nil {
		return Wallet{}, fmt.Errorf("%s: exists already; expected a new name; a wallet is never overwritten", s.path(wallet))
	}
	if err := os.MkdirAll(s.Dir, folderMode); err != nil {
		return Wallet{}, err
	}
	draft, err := os.MkdirTemp(s.Dir, "."+wallet+"-")
	if err != nil {
		return Wallet{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(draft))
		}
	}()
	made = Wallet{Name: wallet, Coldkey: Public(phrase.Coldkey())}
	if err := s.writeSealed(filepath.Join(draft, coldkeyFile), phrase.words, passphrase); err != nil {
		return Wallet{}, err
	}
	for i, name := range hotkeys {
		h, err := s.writeHotkey(draft, name, uint32(i), phrase, passphrase)
		if err != nil {
			return Wallet{}, err
		}
		made.Hotkeys = append(made.Hotkeys, h)
	}
	if err := WriteSecret(filepath.Join(draft, publicFile), made.encode()); err != nil {
		return Wallet{}, err
	}
	return made, errors.Join(syncFolder(draft), os.Rename(draft, s.path(wallet)), syncFolder(s.Dir))
}

// AddHotkey makes another hotkey of a wallet.
func (s Keystore) AddHotkey(wallet, hotkey string, passphrase []byte) (Hotkey, error) {
	w, err := s.Wallet(wallet)
	if err != nil {
		return Hotkey{}, err
	}
	var names []string
	next := uint32(0)
	for _, h := range w.Hotkeys {
		names, next = append(names, h.Name), max(next, h.Number+1)
	}
	if err := checkHotkeys(append(names, hotkey)); err != nil {
		return Hotkey{}, err
	}
	phrase, err := s.Phrase(wallet, passphrase)
	if err != nil {
		return Hotkey{}, err
	}
	h, err := s.writeHotkey(s.path(wallet), hotkey, next, phrase, passphrase)
	if errors.Is(err, fs.ErrExist) {
		err = s.takeHotkey(s.path(wallet), h, passphrase)
	}
	if err != nil {
		return Hotkey{}, err
	}
	w.Hotkeys = append(w.Hotkeys, h)
	draft, final := filepath.Join(s.path(wallet), "."+publicFile), filepath.Join(s.path(wallet), publicFile)
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Hotkey{}, err
	}
	return h, errors.Join(WriteSecret(draft, w.encode()), os.Rename(draft, final), syncFolder(s.path(wallet)))
}

// takeHotkey takes the file of a hotkey that a kill left before wallet.json named it.
func (s Keystore) takeHotkey(dir string, h Hotkey, passphrase []byte) error {
	path := filepath.Join(dir, h.Name+hotkeyFile)
	private, err := openHotkey(path, passphrase)
	if err == nil && Public(private) != h.Key {
		err = fmt.Errorf("%s: it is of hotkey %s", path, Address(Public(private)))
	}
	if err != nil {
		return fmt.Errorf("%w; %s does not name it: move it away, or choose another name", err, publicFile)
	}
	return nil
}

func checkHotkeys(names []string) error {
	if len(names) > maxHotkeys {
		return fmt.Errorf("%d hotkeys; expected at most %d in a wallet", len(names), maxHotkeys)
	}
	for i, n := range names {
		if err := CheckName(n); err != nil {
			return fmt.Errorf("hotkey: %w", err)
		}
		if slices.Contains(names[:i], n) {
			return fmt.Errorf("hotkey %s stands twice; expected a name for each", n)
		}
	}
	return nil
}

func (s Keystore) writeHotkey(dir, name string, number uint32, phrase Phrase, passphrase []byte) (Hotkey, error) {
	private := phrase.Hotkey(number)
	seed := hex.EncodeToString(private.Seed())
	return Hotkey{name, number, Public(private)}, s.writeSealed(filepath.Join(dir, name+hotkeyFile), seed, passphrase)
}

func (s Keystore) writeSealed(path, secret string, passphrase []byte) error {
	factor := s.WorkFactor
	if factor == 0 {
		factor = DefaultWorkFactor
	}
	sealed, err := seal(secret, passphrase, factor)
	if err != nil {
		return err
	}
	return WriteSecret(path, sealed)
}

// List are all wallets, by name. A folder without a wallet.json is none.
func (s Keystore) List() ([]Wallet, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Wallet
	for _, e := range entries {
		if !e.IsDir() || CheckName(e.Name()) != nil {
			continue
		}
		w, err := s.Wallet(e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, nil
}

// Wallet reads what anybody may know of a wallet.
func (s Keystore) Wallet(wallet string) (Wallet, error) {
	if err := CheckName(wallet); err != nil {
		return Wallet{}, err
	}
	path := filepath.Join(s.path(wallet), publicFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Wallet{}, fmt.Errorf("no wallet %s in %s; taolabd wallet list shows those that are there: %w", wallet, s.Dir, fs.ErrNotExist)
	}
	if err != nil {
		return Wallet{}, err
	}
	w, err := decodeWallet(wallet, data)
	if err != nil {
		return Wallet{}, fmt.Errorf("%s: %w; restore it from a backup, or the wallet from its recovery phrase", path, err)
	}
	return w, nil
}

// Phrase opens a wallet's recovery phrase.
func (s Keystore) Phrase(wallet string, passphrase []byte) (Phrase, error) {
	w, err := s.Wallet(wallet)
	if err != nil {
		return Phrase{}, err
	}
	path := filepath.Join(s.path(wallet), coldkeyFile)
	words, err := unseal(path, passphrase)
	if errors.Is(err, fs.ErrNotExist) {
		return Phrase{}, fmt.Errorf("%s: the coldkey is not on this machine; sign where it is: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return Phrase{}, err
	}
	phrase, err := ParsePhrase(words)
	if err == nil && Public(phrase.Coldkey()) != w.Coldkey {
		err = fmt.Errorf("it is of another coldkey than %s says", publicFile)
	}
	if err != nil {
		return Phrase{}, fmt.Errorf("%s: %w", path, err)
	}
	return phrase, nil
}

// Coldkey opens a wallet's coldkey.
func (s Keystore) Coldkey(wallet string, passphrase []byte) (ed25519.PrivateKey, error) {
	phrase, err := s.Phrase(wallet, passphrase)
	if err != nil {
		return nil, err
	}
	return phrase.Coldkey(), nil
}

// Hotkey opens a hotkey of a wallet.
func (s Keystore) Hotkey(wallet, hotkey string, passphrase []byte) (ed25519.PrivateKey, error) {
	w, err := s.Wallet(wallet)
	if err != nil {
		return nil, err
	}
	h, err := w.Hotkey(hotkey)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.path(wallet), hotkey+hotkeyFile)
	private, err := openHotkey(path, passphrase)
	if err == nil && Public(private) != h.Key {
		return nil, fmt.Errorf("%s: it is of another hotkey than %s says", path, publicFile)
	}
	return private, err
}

// openHotkey opens the file of a hotkey.
func openHotkey(path string, passphrase []byte) (ed25519.PrivateKey, error) {
	text, err := unseal(path, passphrase)
	if err != nil {
		return nil, err
	}
	seed, err := hex.DecodeString(text)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s: holds no seed; expected %d hexadecimal digits", path, 2*ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// Hotkey finds a hotkey by name.
func (w Wallet) Hotkey(name string) (Hotkey, error) {
	for _, h := range w.Hotkeys {
		if h.Name == name {
			return h, nil
		}
	}
	return Hotkey{}, fmt.Errorf("wallet %s has no hotkey %q; taolabd wallet show %s lists those that it has", w.Name, short(name), w.Name)
}

func (s Keystore) path(wallet string) string { return filepath.Join(s.Dir, wallet) }

func (w Wallet) encode() []byte {
	f := file{Coldkey: Address(w.Coldkey), Hotkeys: []fileHotkey{}}
	for _, h := range w.Hotkeys {
		f.Hotkeys = append(f.Hotkeys, fileHotkey{h.Name, h.Number, Address(h.Key)})
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic(err) // plain strings and numbers
	}
	return append(data, '\n')
}

func decodeWallet(name string, data []byte) (Wallet, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return Wallet{}, fmt.Errorf("not the JSON of a wallet: %w", err)
	}
	w := Wallet{Name: name}
	var err error
	if w.Coldkey, err = ParseAddress(f.Coldkey); err != nil {
		return Wallet{}, fmt.Errorf("coldkey: %w", err)
	}
	var names []string
	for _, h := range f.Hotkeys {
		key, err := ParseAddress(h.Address)
		if err != nil {
			return Wallet{}, fmt.Errorf("hotkey %q: %w", short(h.Name), err)
		}
		names = append(names, h.Name)
		w.Hotkeys = append(w.Hotkeys, Hotkey{h.Name, h.Number, key})
	}
	return w, checkHotkeys(names)
}

// syncFolder brings the names in a folder to the disk.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
