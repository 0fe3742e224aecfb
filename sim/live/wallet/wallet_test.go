package wallet

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tyler-smith/go-bip39"

	"taolab/sim/chain"
)

// The values of others: Substrate's Alice, BIP-39's and SLIP-0010's first vectors.
const (
	alice        = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
	aliceAddress = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
	zeroWords    = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	zeroSeed     = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc19a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4"
)

var passphrase = []byte("correct horse")

func quick(t *testing.T) Keystore {
	return Keystore{Dir: filepath.Join(t.TempDir(), "wallets"), WorkFactor: 10}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refused demands an error that says certain words.
func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("error %v, want one that says %q", err, w)
		}
	}
}

func TestAnAddressIsTheOneThatSubstratePrints(t *testing.T) {
	key := must[chain.Key](t)(chain.ParseKey(alice))
	if got := Address(key); got != aliceAddress {
		t.Errorf("address %s, want %s", got, aliceAddress)
	}
	for _, text := range []string{aliceAddress, alice} {
		if got := must[chain.Key](t)(ParseKey(text)); got != key {
			t.Errorf("%s reads as %s", text, got)
		}
	}
}

func TestAWrongAddressSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{ // order-free: each is a case of its own
		"":                        "does not hold a key",
		aliceAddress[:47]:         "does not hold a key",
		aliceAddress[:47] + "Z":   "checksum",
		aliceAddress[:47] + "0":   `character 48 is '0'`,
		aliceAddress + "YY":       "50 characters",
		"1" + aliceAddress:        "does not hold a key",
		strings.Repeat("5", 1000): "1000 characters",
		"7NPoMQbiA6trJKkjB35uk96MeJD4PGWkLQLH7k7hXEkZpiba": "network",
	} {
		_, err := ParseAddress(text)
		refused(t, err, want, "expected")
	}
}

func FuzzNoTwoTextsAreOneAddress(f *testing.F) {
	f.Add(aliceAddress)
	f.Fuzz(func(t *testing.T, text string) {
		if key, err := ParseAddress(text); err == nil && Address(key) != text {
			t.Errorf("%q reads as the key of %s", text, Address(key))
		}
	})
}

func TestPhrasesAndPathsAreThoseOfTheStandards(t *testing.T) {
	phrase := must[Phrase](t)(ParsePhrase("  " + strings.ToUpper(zeroWords) + "\n"))
	if got := hex.EncodeToString(bip39.NewSeed(phrase.Words(), "")); got != zeroSeed {
		t.Errorf("seed %s, want %s", got, zeroSeed)
	}
	seed := must[[]byte](t)(hex.DecodeString("000102030405060708090a0b0c0d0e0f"))
	for _, c := range []struct {
		path []uint32
		want string
	}{
		{nil, "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7"},
		{[]uint32{0}, "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3"},
	} {
		if got := hex.EncodeToString(derive(seed, c.path...).Seed()); got != c.want {
			t.Errorf("key at %v: %s, want %s", c.path, got, c.want)
		}
	}
	if text := phrase.String(); strings.Contains(text, "abandon") {
		t.Errorf("the words show in %q", text)
	}
}

func TestAWrongPhraseIsRefusedWithoutItsWords(t *testing.T) {
	for _, c := range [][2]string{
		{"abandon", "1 words"},
		{strings.Replace(zeroWords, "about", "abuot", 1), "word 12"},
		{strings.Replace(zeroWords, "about", "art", 1), "do not belong together"},
		{strings.Repeat("abandon ", 13), "13 words"},
	} {
		_, err := ParsePhrase(c[0])
		refused(t, err, c[1])
		if strings.Contains(err.Error(), "abuot") {
			t.Errorf("the error shows a word: %v", err)
		}
	}
}

func TestAWalletComesBackFromItsPhrase(t *testing.T) {
	store := quick(t)
	phrase := must[Phrase](t)(NewPhrase())
	made := must[Wallet](t)(store.Create("alice", phrase, []string{"miner"}, passphrase))
	added := must[Hotkey](t)(store.AddHotkey("alice", "validator", passphrase))
	made.Hotkeys = append(made.Hotkeys, added)

	shown := must[Phrase](t)(store.Phrase("alice", passphrase))
	again := must[Wallet](t)(quick(t).Create("alice", shown, []string{"miner", "validator"}, []byte("another passphrase")))
	list := must[[]Wallet](t)(store.List())
	for _, w := range append(list, again) {
		if string(w.encode()) != string(made.encode()) {
			t.Errorf("wallet %s, want %s", w.encode(), made.encode())
		}
	}
	cold := must[chain.Key](t)(public(store.Coldkey("alice", passphrase)))
	hot := must[chain.Key](t)(public(store.Hotkey("alice", "validator", passphrase)))
	if cold != made.Coldkey || hot != added.Key || cold == hot {
		t.Errorf("opened %s and %s, want %s and %s", cold, hot, made.Coldkey, added.Key)
	}
}

func public(k []byte, err error) (chain.Key, error) {
	if err != nil {
		return chain.Key{}, err
	}
	return Public(k), nil
}

func TestAWalletIsNeverOverwritten(t *testing.T) {
	store := quick(t)
	made := must[Wallet](t)(store.Create("alice", must[Phrase](t)(NewPhrase()), nil, passphrase))
	_, err := store.Create("alice", must[Phrase](t)(NewPhrase()), nil, passphrase)
	refused(t, err, "exists already", "never overwritten")
	_, err = store.AddHotkey("alice", "miner", []byte("wrong horse"))
	refused(t, err, "does not open it")
	if w := must[Wallet](t)(store.Wallet("alice")); w.Coldkey != made.Coldkey || len(w.Hotkeys) != 0 {
		t.Errorf("the wallet changed to %+v", w)
	}
	_, err = store.Create("bob", must[Phrase](t)(NewPhrase()), nil, []byte("short"))
	refused(t, err, "passphrase of 5 characters")
	if entries := must[[]os.DirEntry](t)(os.ReadDir(store.Dir)); len(entries) != 1 {
		t.Errorf("%d entries in the keystore; a refused wallet leaves nothing", len(entries))
	}
}

// A kill between the two files of a new hotkey leaves one that the next try takes; what is not that hotkey stays
// as it is.
func TestAHotkeyThatWasHalfMadeIsMadeAgain(t *testing.T) {
	store := quick(t)
	must[Wallet](t)(store.Create("alice", must[Phrase](t)(NewPhrase()), nil, passphrase))
	public, sealed := filepath.Join(store.Dir, "alice", publicFile), filepath.Join(store.Dir, "alice", "miner.hotkey.age")
	before := must[[]byte](t)(os.ReadFile(public))
	first := must[Hotkey](t)(store.AddHotkey("alice", "miner", passphrase))
	if err := os.WriteFile(public, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if again := must[Hotkey](t)(store.AddHotkey("alice", "miner", passphrase)); again != first {
		t.Errorf("hotkey %+v, and %+v before the kill", again, first)
	}
	if _, err := store.Hotkey("alice", "miner", passphrase); err != nil {
		t.Error(err)
	}

	must[Hotkey](t)(store.AddHotkey("alice", "other", passphrase))
	other := must[[]byte](t)(os.ReadFile(filepath.Join(store.Dir, "alice", "other.hotkey.age")))
	for want, foreign := range map[string][]byte{"not a file": []byte("x"), "it is of hotkey": other} { // order-free: each is a case of its own
		if err := errors.Join(os.WriteFile(public, before, 0o600), os.WriteFile(sealed, foreign, 0o600)); err != nil {
			t.Fatal(err)
		}
		_, err := store.AddHotkey("alice", "miner", passphrase)
		refused(t, err, want, "move it away")
		if left := must[[]byte](t)(os.ReadFile(sealed)); string(left) != string(foreign) {
			t.Errorf("%d bytes that are not the hotkey were replaced", len(foreign))
		}
	}
}

func TestAFolderThatIsNoWalletHidesNone(t *testing.T) {
	store := quick(t)
	must[Wallet](t)(store.Create("alice", must[Phrase](t)(NewPhrase()), nil, passphrase))
	if err := os.Mkdir(filepath.Join(store.Dir, "notes"), 0o700); err != nil {
		t.Fatal(err)
	}
	if list := must[[]Wallet](t)(store.List()); len(list) != 1 || list[0].Name != "alice" {
		t.Errorf("the wallets are %v, want alice's", list)
	}
}

func TestASecretIsForItsOwnerOnly(t *testing.T) {
	store := quick(t)
	must[Wallet](t)(store.Create("alice", must[Phrase](t)(ParsePhrase(zeroWords)), []string{"miner"}, passphrase))
	for _, name := range []string{"coldkey.age", "miner.hotkey.age"} {
		path := filepath.Join(store.Dir, "alice", name)
		if data := must[[]byte](t)(os.ReadFile(path)); strings.Contains(string(data), "abandon") {
			t.Errorf("%s shows its secret", path)
		}
		if info := must[os.FileInfo](t)(os.Stat(path)); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	_, err := store.Coldkey("alice", passphrase)
	refused(t, err, "others than its owner", "chmod 600")
	_, err = store.Hotkey("alice", "miner", passphrase)
	refused(t, err, "others than its owner")
}

func TestAServerNeedsNoColdkey(t *testing.T) {
	store := quick(t)
	must[Wallet](t)(store.Create("alice", must[Phrase](t)(NewPhrase()), []string{"miner"}, passphrase))
	if err := os.Remove(filepath.Join(store.Dir, "alice", "coldkey.age")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Hotkey("alice", "miner", passphrase); err != nil {
		t.Error(err)
	}
	_, err := store.Coldkey("alice", passphrase)
	refused(t, err, "not on this machine")
}

func TestADamagedFileIsNoKey(t *testing.T) {
	store := quick(t)
	must[Wallet](t)(store.Create("alice", must[Phrase](t)(NewPhrase()), []string{"a", "b"}, passphrase))
	path := func(name string) string { return filepath.Join(store.Dir, "alice", name) }
	if err := os.Rename(path("a.hotkey.age"), path("b.hotkey.age")); err != nil {
		t.Fatal(err)
	}
	_, err := store.Hotkey("alice", "b", passphrase)
	refused(t, err, "another hotkey")
	sealed := must[[]byte](t)(os.ReadFile(path("coldkey.age")))
	for _, damaged := range [][]byte{nil, []byte("words"), sealed[:len(sealed)-1], []byte(strings.Repeat("x", longestSecret+1))} {
		if err := os.WriteFile(path("coldkey.age"), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Coldkey("alice", passphrase); err == nil {
			t.Errorf("%d damaged bytes are a coldkey", len(damaged))
		}
	}
	for _, text := range []string{"", "[]", `{"coldkey": "5"}`, `{"coldkey": "` + aliceAddress + `", "hotkeys": [{"name": "../x", "address": "` + aliceAddress + `"}]}`} {
		if err := os.WriteFile(path("wallet.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := store.Wallet("alice")
		refused(t, err, "wallet.json", "recovery phrase")
	}
}

func TestNamesCannotLeaveTheKeystore(t *testing.T) {
	for _, n := range []string{"", ".", "..", "a/b", "A", "-a", strings.Repeat("a", 33)} {
		_, err := quick(t).Create(n, Phrase{zeroWords}, nil, passphrase)
		refused(t, err, "expected at most 32")
	}
	_, err := quick(t).Create("a", Phrase{zeroWords}, []string{"x", "x"}, passphrase)
	refused(t, err, "stands twice")
}

func TestAMessageIsSignedForItself(t *testing.T) {
	private := Known("alice")
	signature := SignMessage(private, []byte("hello"))
	switch key := Public(private); {
	case !VerifyMessage(key, []byte("hello"), signature):
		t.Error("the signature does not hold")
	case VerifyMessage(key, []byte("hullo"), signature), VerifyMessage(Public(Known("bob")), []byte("hello"), signature):
		t.Error("the signature holds for another message or key")
	}
}

func FuzzNoBytesAreAWallet(f *testing.F) {
	f.Add([]byte(`{"coldkey": "` + aliceAddress + `", "hotkeys": [{"name": "a", "number": 0, "address": "` + aliceAddress + `"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if w, err := decodeWallet("x", data); err == nil {
			if again, err := decodeWallet("x", w.encode()); err != nil || again.Coldkey != w.Coldkey {
				t.Errorf("%q reads as %+v, and that as %+v, %v", data, w, again, err)
			}
		}
	})
}
