package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/live/wallet"
)

func newWallet() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wallet",
		Short: "Make, show and use keys",
		Long: `A wallet is a coldkey, which owns money, and hotkeys, which servers need. All of them come from one
recovery phrase: 24 words, which are shown once when the wallet is made. Write them on paper. Anyone who has
them has the money, and nothing else brings a lost wallet back.

The files are in the folder wallets of the node's folder, encrypted by a passphrase with age, which opens
them without this program too. A server needs only wallet.json and the file of its hotkey: keep coldkey.age
somewhere else.`,
		Example: `  taolabd wallet new alice --hotkey miner
  taolabd wallet show alice`,
	}
	addHome(cmd)
	cmd.AddCommand(newWalletNew(), newWalletRecover(), newWalletHotkey(), newWalletList(), newWalletShow(), newWalletSign(), newWalletVerify())
	return cmd
}

// keystoreOf is the keystore that the flags of a verb name.
func keystoreOf(cmd *cobra.Command, workFactor int) (wallet.Keystore, error) {
	at, err := homeOf(cmd)
	return at.keystore(workFactor), err
}

// walletJSON is a wallet as programs read it.
type walletJSON struct {
	Wallet  string       `json:"wallet"`
	Coldkey string       `json:"coldkey"`
	Hotkeys []hotkeyJSON `json:"hotkeys"`
	Phrase  string       `json:"phrase,omitempty"`
}

type hotkeyJSON struct {
	Name   string `json:"name"`
	Number uint32 `json:"number"`
	Hotkey string `json:"hotkey"`
}

func shownWallet(w wallet.Wallet) walletJSON {
	shown := walletJSON{Wallet: w.Name, Coldkey: wallet.Address(w.Coldkey), Hotkeys: []hotkeyJSON{}}
	for _, h := range w.Hotkeys {
		shown.Hotkeys = append(shown.Hotkeys, hotkeyJSON{h.Name, h.Number, wallet.Address(h.Key)})
	}
	return shown
}

// printWallets shows wallets as a table, a line for each key.
func printWallets(w io.Writer, list []wallet.Wallet) error {
	t := columns("<wallet", "<key", "<name", "<address")
	for _, one := range list {
		t.row(one.Name, "coldkey", "", wallet.Address(one.Coldkey))
		for _, h := range one.Hotkeys {
			t.row(one.Name, "hotkey", h.Name, wallet.Address(h.Key))
		}
	}
	return t.write(w)
}

// making are the flags of verbs that make keys.
type making struct {
	hotkeys    []string
	workFactor int
	asJSON     bool
	ask        *prompter
}

func addMaking(cmd *cobra.Command) *making {
	m := &making{ask: addPassphrase(cmd.Flags())}
	cmd.Flags().IntVar(&m.workFactor, "work-factor", wallet.DefaultWorkFactor, "cost of guessing the passphrase, as a power of two, 10 to 20")
	cmd.Flags().BoolVar(&m.asJSON, "json", false, "print JSON")
	return m
}

func newWalletNew() *cobra.Command {
	var m *making
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a wallet, and show its recovery phrase this once",
		Example: `  taolabd wallet new alice
  taolabd wallet new alice --hotkey miner --hotkey validator
  taolabd wallet new alice --passphrase-fd 3 3<passphrase.txt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			phrase, err := wallet.NewPhrase()
			if err != nil {
				return command.Code(command.Failure, err)
			}
			return m.create(cmd, args[0], phrase, true)
		},
	}
	m = addMaking(cmd)
	cmd.Flags().StringArrayVar(&m.hotkeys, "hotkey", []string{"default"}, "`name` of a hotkey; may be repeated")
	return cmd
}

func newWalletRecover() *cobra.Command {
	var m *making
	cmd := &cobra.Command{
		Use:   "recover NAME",
		Short: "Make a wallet again from its recovery phrase",
		Long: `Ask for the recovery phrase and make the wallet that it stands for. Give the hotkeys in the order in which
they were made: the first gets the first key, whatever its name. With --passphrase-fd the first line is the
phrase and the second the new passphrase.`,
		Example: `  taolabd wallet recover alice --hotkey miner --hotkey validator
  taolabd wallet recover alice --passphrase-fd 3 3<secrets.txt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			words, err := m.ask.secret("recovery phrase", "recovery phrase")
			if err != nil {
				return err
			}
			phrase, err := wallet.ParsePhrase(string(words))
			if err != nil {
				return command.Code(command.Usage, err)
			}
			return m.create(cmd, args[0], phrase, false)
		},
	}
	m = addMaking(cmd)
	cmd.Flags().StringArrayVar(&m.hotkeys, "hotkey", []string{"default"}, "`name` of a hotkey; may be repeated")
	return cmd
}

// create makes a wallet of a phrase, and shows the phrase if it is a new one.
func (m *making) create(cmd *cobra.Command, name string, phrase wallet.Phrase, fresh bool) error {
	store, err := keystoreOf(cmd, m.workFactor)
	if err != nil {
		return err
	}
	passphrase, err := m.ask.newPassphrase("wallet " + name)
	if err != nil {
		return err
	}
	made, err := store.Create(name, phrase, m.hotkeys, passphrase)
	if err != nil {
		return command.Code(command.Failure, err)
	}
	shown := shownWallet(made)
	if fresh {
		shown.Phrase = phrase.Words()
	}
	if m.asJSON {
		return command.WriteJSON(cmd.OutOrStdout(), shown)
	}
	if err := printWallets(cmd.OutOrStdout(), []wallet.Wallet{made}); err != nil || !fresh {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nRecovery phrase. Write it on paper; it is not shown again, and nothing else brings this wallet back:\n\n%s",
		inLines(phrase.Words()))
	return command.Code(command.Failure, err)
}

// inLines is a phrase as it is copied onto paper: numbered, six words in a line.
func inLines(words string) string {
	var b strings.Builder
	for i, word := range strings.Fields(words) {
		end := "  "
		if i%6 == 5 {
			end = "\n"
		}
		fmt.Fprintf(&b, "%2d %-8s%s", i+1, word, end)
	}
	return b.String()
}

func newWalletHotkey() *cobra.Command {
	var m *making
	cmd := &cobra.Command{
		Use:     "hotkey WALLET NAME",
		Short:   "Make another hotkey of a wallet",
		Example: `  taolabd wallet hotkey alice validator`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := keystoreOf(cmd, m.workFactor)
			if err != nil {
				return err
			}
			passphrase, err := m.ask.passphrase("wallet " + args[0])
			if err != nil {
				return err
			}
			made, err := store.AddHotkey(args[0], args[1], passphrase)
			if err != nil {
				return command.Code(command.Failure, err)
			}
			if m.asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), hotkeyJSON{made.Name, made.Number, wallet.Address(made.Key)})
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), wallet.Address(made.Key))
			return command.Code(command.Failure, err)
		},
	}
	m = addMaking(cmd)
	return cmd
}

func newWalletList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List wallets and the addresses of their keys",
		Example: `  taolabd wallet list --json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := keystoreOf(cmd, 0)
			if err != nil {
				return err
			}
			list, err := store.List()
			if err != nil {
				return command.Code(command.Failure, err)
			}
			if asJSON {
				shown := []walletJSON{}
				for _, w := range list {
					shown = append(shown, shownWallet(w))
				}
				return command.WriteJSON(cmd.OutOrStdout(), shown)
			}
			return printWallets(cmd.OutOrStdout(), list)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newWalletShow() *cobra.Command {
	var asJSON, words bool
	var ask *prompter
	cmd := &cobra.Command{
		Use:   "show WALLET",
		Short: "Show a wallet's addresses and, where asked for, its recovery phrase",
		Example: `  taolabd wallet show alice
  taolabd wallet show alice --phrase`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := keystoreOf(cmd, 0)
			if err != nil {
				return err
			}
			w, err := store.Wallet(args[0])
			if err != nil {
				return command.Code(command.Failure, err)
			}
			shown := shownWallet(w)
			if words {
				passphrase, err := ask.passphrase("wallet " + args[0])
				if err != nil {
					return err
				}
				phrase, err := store.Phrase(args[0], passphrase)
				if err != nil {
					return command.Code(command.Failure, err)
				}
				shown.Phrase = phrase.Words()
			}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), shown)
			}
			if err := printWallets(cmd.OutOrStdout(), []wallet.Wallet{w}); err != nil || !words {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "\n%s", inLines(shown.Phrase))
			return command.Code(command.Failure, err)
		},
	}
	ask = addPassphrase(cmd.Flags())
	cmd.Flags().BoolVar(&words, "phrase", false, "show the recovery phrase too, after asking for the passphrase")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

const longestMessage = 1 << 20

func newWalletSign() *cobra.Command {
	var hotkey string
	var ask *prompter
	cmd := &cobra.Command{
		Use:   "sign WALLET FILE",
		Short: "Sign a text, to show who holds a key",
		Long: `Sign the bytes of a file, or of standard input where FILE is -, with the coldkey of a wallet or, with
--hotkey, with a hotkey. What is signed can never pass for a transaction.`,
		Example: `  taolabd wallet sign alice message.txt
  taolabd wallet sign alice message.txt --hotkey miner`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			message, err := readMessage(cmd, args[1])
			if err != nil {
				return err
			}
			store, err := keystoreOf(cmd, 0)
			if err != nil {
				return err
			}
			passphrase, err := ask.passphrase("wallet " + args[0])
			if err != nil {
				return err
			}
			private, err := store.Coldkey(args[0], passphrase)
			if hotkey != "" {
				private, err = store.Hotkey(args[0], hotkey, passphrase)
			}
			if err != nil {
				return command.Code(command.Failure, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%x\n", wallet.SignMessage(private, message))
			return command.Code(command.Failure, err)
		},
	}
	ask = addPassphrase(cmd.Flags())
	cmd.Flags().StringVar(&hotkey, "hotkey", "", "`name` of the hotkey that signs")
	return cmd
}

func newWalletVerify() *cobra.Command {
	return &cobra.Command{
		Use:     "verify ADDRESS SIGNATURE FILE",
		Short:   "Check a signature that wallet sign made",
		Example: `  taolabd wallet verify 5Grw... 3f2a... message.txt`,
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := wallet.ParseKey(args[0])
			if err != nil {
				return command.Code(command.Usage, err)
			}
			signature, err := hex.DecodeString(args[1])
			if err != nil || len(signature) != 64 {
				return command.Code(command.Usage, fmt.Errorf("signature of %d characters; expected 128 hexadecimal digits", len(args[1])))
			}
			message, err := readMessage(cmd, args[2])
			if err != nil {
				return err
			}
			if !wallet.VerifyMessage(key, message, [64]byte(signature)) {
				return command.Code(command.Failure, errors.New("the signature is not of this key and this text"))
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "signed by", wallet.Address(key))
			return command.Code(command.Failure, err)
		},
	}
}

// readMessage reads a text to be signed.
func readMessage(cmd *cobra.Command, name string) ([]byte, error) {
	message, err := command.ReadInput(cmd, name, "a text", longestMessage)
	if err == nil && len(message) > longestMessage {
		err = fmt.Errorf("%s: more than %d bytes; sign its digest instead", command.InputName(name), longestMessage)
	}
	return message, command.Code(command.Failure, err)
}
