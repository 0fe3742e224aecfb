package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"taolab/cmd/internal/command"
	"taolab/sim/chain"
	"taolab/sim/chain/conformance"
	"taolab/sim/live/wallet"
)

const (
	exitUnfit   = 4 // doctor: something has to be fixed
	exitRefused = 5 // by the ledger
)

func newTx() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tx",
		Short: "Sign transactions and send them",
		Long: `Every message that the ledger knows is a verb, with a flag for each of its fields. Keys are addresses,
hexadecimal digits, or names of wallets: alice is a wallet's coldkey, alice/miner its hotkey, and where a hotkey
is wanted miner is that of the wallet that signs. Money is in TAO, or in rao as in 1500rao.

The cost of a transaction is shown before it is signed. It is sent to the node of the node's folder, or to
--node, and the program waits for its block. With --offline nothing is sent: the transaction is printed in
hexadecimal digits for tx send, on a machine that need not have the key.`,
		Example: `  taolabd tx transfer --to 5Grw... --amount 1.5 --wallet alice
  taolabd tx register --hotkey miner --wallet alice --dry-run
  taolabd tx transfer --to bob --amount 1 --wallet alice --offline --chain-id net-0a1b2c3d --nonce 7 --expiry 900 > signed
  taolabd tx send signed`,
	}
	addHome(cmd)
	for _, m := range chain.Messages() {
		cmd.AddCommand(newMessage(m))
	}
	cmd.AddCommand(newTxMessage(), newTxSend(), newTxShow())
	return cmd
}

// signing are the flags of verbs that sign.
type signing struct {
	reach
	wallet, hotkey string
	ask            *prompter
	yes, dryRun    bool
	asJSON         bool
	offline        bool
	chainID        string
	nonce, expiry  uint64
	expireBlocks   uint64
	maxFee, tip    string
}

func addSigning(cmd *cobra.Command, byHotkey bool) *signing {
	s := &signing{ask: addPassphrase(cmd.Flags())}
	flags := cmd.Flags()
	s.add(flags)
	flags.StringVar(&s.wallet, "wallet", "default", "`name` of the wallet that signs")
	if byHotkey {
		flags.StringVar(&s.hotkey, "hotkey", "default", "`name` of its hotkey that signs")
	}
	flags.BoolVarP(&s.yes, "yes", "y", false, "do not ask whether the cost is right")
	flags.BoolVar(&s.dryRun, "dry-run", false, "show what it would cost and stop")
	flags.BoolVar(&s.asJSON, "json", false, "print JSON")
	flags.BoolVar(&s.offline, "offline", false, "print the signed transaction instead of sending it; needs --chain-id, --nonce and --expiry")
	flags.StringVar(&s.chainID, "chain-id", "", "`id` of the chain; without --offline the node's has to be this one")
	flags.Uint64Var(&s.nonce, "nonce", 0, "`number` of the signer's transaction; without it the next one")
	flags.Uint64Var(&s.expiry, "expiry", 0, "last `height` at which it may be included; without it the next --expire-blocks")
	flags.Uint64Var(&s.expireBlocks, "expire-blocks", 64, "how many `blocks` it may wait for its own")
	flags.StringVar(&s.maxFee, "max-fee", "", "`amount` that it may cost at most; without it twice what it costs now; offline none where transactions cost nothing")
	flags.StringVar(&s.tip, "tip", "0rao", "`amount` for who puts it into a block, on top of the fee")
	return s
}

func newMessage(m chain.Msg) *cobra.Command {
	name := messageName(m)
	doc := messageDocs[name]
	var form *messageForm
	var s *signing
	cmd := &cobra.Command{
		Use:     name,
		Short:   doc[0],
		Example: "  taolabd tx " + name + " " + doc[1],
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.run(cmd, m, func(keys *keyring) (chain.Msg, error) { return form.message(keys) })
		},
	}
	form = newForm(cmd, m)
	s = addSigning(cmd, chain.HotkeySigns(m))
	return cmd
}

func newTxMessage() *cobra.Command {
	var s *signing
	cmd := &cobra.Command{
		Use:   "message FILE",
		Short: "Sign and send a message that stands in a file in JSON",
		Long: `The file holds an object of one member, named as the message, as in {"transfer": {"to": "d435...", "amount_rao": 1}}.
docs/reference/transition.md has the fields of all. Consents of other keys have to be in it.`,
		Example: `  taolabd tx message transfer.json --wallet alice`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := command.ReadInput(cmd, args[0], "a message in JSON", conformance.MaxBytes)
			if err != nil {
				return command.Code(command.Failure, err)
			}
			m, err := conformance.ReadMessage(data)
			if err != nil {
				return command.Code(command.Invalid, fmt.Errorf("%s: %w", command.InputName(args[0]), err))
			}
			if !chain.HotkeySigns(m) {
				s.hotkey = ""
			}
			return s.run(cmd, m, func(*keyring) (chain.Msg, error) { return m, nil })
		},
	}
	s = addSigning(cmd, true)
	return cmd
}

// run signs a message and sends it, or does as much of it as is asked for.
func (s *signing) run(cmd *cobra.Command, kind chain.Msg, make func(*keyring) (chain.Msg, error)) error {
	at, err := homeOf(cmd)
	if err != nil {
		return err
	}
	keys := &keyring{store: at.keystore(0), wallet: s.wallet, ask: s.ask}
	m, err := make(keys)
	if err != nil {
		return command.Code(command.Usage, err)
	}
	signer, err := keys.signer(s.hotkey)
	if err != nil {
		return command.Code(command.Failure, err)
	}
	tx := chain.Tx{Signer: signer, Nonce: s.nonce, Expiry: s.expiry, Msg: m}
	var node *client
	if s.offline {
		err = s.priceOffline(cmd, &tx)
	} else if node, err = s.dial(at); err == nil {
		err = s.price(cmd, node, &tx)
	}
	if err != nil || s.dryRun {
		return err
	}
	private, err := keys.private(signer)
	if err != nil {
		return err
	}
	if agree, needed := consents[reflect.TypeOf(kind)]; needed {
		c := &consenting{s.chainID, signer, tx.Expiry, keys, at.consensusKey}
		if tx.Msg, err = agree.sign(c, tx.Msg); err != nil {
			return command.Code(command.Failure, err)
		}
	}
	bytes, err := tx.SignedBy(private, s.chainID).AppendBinary(nil)
	if err != nil {
		return command.Code(command.Usage, err)
	}
	if s.offline {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%x\n", bytes)
		return command.Code(command.Failure, err)
	}
	return send(cmd, node, bytes, s.asJSON)
}

// priceOffline takes from flags what a node would say.
func (s *signing) priceOffline(cmd *cobra.Command, tx *chain.Tx) error {
	for _, name := range []string{"chain-id", "nonce", "expiry"} {
		if !cmd.Flags().Changed(name) {
			return command.Code(command.Usage, fmt.Errorf("--offline without --%s: no node is there to say it; --dry-run in place of --offline shows it where a node can be asked", name))
		}
	}
	if s.maxFee == "" {
		return nil
	}
	return s.limit(tx, 0)
}

// price asks the node for what is missing, shows what the transaction costs and asks whether that is right.
func (s *signing) price(cmd *cobra.Command, node *client, tx *chain.Tx) error {
	status, view, err := node.now(cmd.Context())
	if err != nil {
		return err
	}
	if s.chainID != "" && s.chainID != status.ChainID {
		return command.Code(command.Usage, fmt.Errorf("--chain-id %s: the node is of the chain %s; nothing was signed", s.chainID, status.ChainID))
	}
	s.chainID = status.ChainID
	if !cmd.Flags().Changed("nonce") {
		tx.Nonce = view.Nonce(tx.Signer)
	}
	if !cmd.Flags().Changed("expiry") {
		tx.Expiry = view.Height() + s.expireBlocks
	}
	params := view.Params()
	if m, is := tx.Msg.(chain.Register); is && params.Hard.Consent {
		if _, owned := view.OwnerOf(m.Hotkey); !owned {
			return command.Code(exitRefused, fmt.Errorf("hotkey %s is nobody's on this chain yet; taolabd tx claim makes it the coldkey's first, and nothing was signed",
				wallet.Address(m.Hotkey)))
		}
	}
	if tx.Priced = params.Hard.FeeRao != 0; tx.Priced {
		if err := s.limit(tx, 2*view.Quote(*tx).FeeRao); err != nil {
			return err
		}
	}
	quote := view.Quote(*tx) // of a priced one, which is longer
	if tx.Priced && s.maxFee == "" {
		tx.MaxFeeRao = 2*quote.FeeRao + tx.TipRao
	}
	err = s.show(cmd, status, view, quote, *tx)
	if err != nil || s.dryRun || s.yes {
		return err
	}
	return confirm(cmd)
}

// limit sets what a priced transaction may cost.
func (s *signing) limit(tx *chain.Tx, usual uint64) (err error) {
	tx.Priced, tx.MaxFeeRao = true, usual
	if tx.TipRao, err = parseAmount(s.tip); err != nil {
		return command.Code(command.Usage, fmt.Errorf("--tip: %w", err))
	}
	if s.maxFee != "" {
		if tx.MaxFeeRao, err = parseAmount(s.maxFee); err != nil {
			return command.Code(command.Usage, fmt.Errorf("--max-fee: %w", err))
		}
	}
	return nil
}

// show tells what is about to be signed, to whom it does something and what it costs.
func (s *signing) show(cmd *cobra.Command, status status, view chain.View, quote chain.Quote, tx chain.Tx) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, signed by %s\n", messageName(tx.Msg), status.ChainID, wallet.Address(tx.Signer))
	v := reflect.ValueOf(tx.Msg)
	for i := range v.NumField() {
		if field := v.Type().Field(i); !slices.Contains(consents[v.Type()].fills, field.Name) {
			fmt.Fprintf(&b, "  %-10s %s\n", flagName(v.Type(), field.Name), shownField(field, v.Field(i)))
		}
	}
	if _, is := tx.Msg.(chain.Register); is {
		fmt.Fprintf(&b, "  %-10s %s TAO now\n", "price", amount(view.BurnRao()))
	}
	if tx.Priced {
		fmt.Fprintf(&b, "  %-10s %s TAO: %d units of work at %d rao; at most %s TAO, of which %s are a tip\n", "fee",
			amount(quote.FeeRao), quote.Work, quote.PriceRao, amount(tx.MaxFeeRao), amount(tx.TipRao))
	} else {
		fmt.Fprintf(&b, "  %-10s nothing on this chain\n", "fee")
	}
	fmt.Fprintf(&b, "  %-10s %d, up to block %d\n", "nonce", tx.Nonce, tx.Expiry)
	if quote.Payer == (chain.Key{}) {
		fmt.Fprintf(&b, "  %-10s nobody: the hotkey is not owned by a coldkey yet\n", "paid by")
	} else {
		fmt.Fprintf(&b, "  %-10s %s, who has %s TAO\n", "paid by", wallet.Address(quote.Payer), amount(view.FreeOf(quote.Payer)))
	}
	_, err := cmd.ErrOrStderr().Write([]byte(b.String()))
	return command.Code(command.Failure, err)
}

// shownField is a field as people read it.
func shownField(field reflect.StructField, v reflect.Value) string {
	switch value := v.Interface().(type) {
	case chain.Key:
		return wallet.Address(value)
	case uint64:
		if strings.HasSuffix(field.Name, "Rao") {
			return amount(value) + " TAO"
		}
	}
	return fmt.Sprint(v.Interface())
}

// confirm asks on the terminal whether to go on.
func confirm(cmd *cobra.Command) error {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return command.Code(command.Usage, errors.New("no terminal to ask whether the cost is right; say --yes, or --dry-run to see it only"))
	}
	fmt.Fprint(cmd.ErrOrStderr(), "sign and send it? [y/N] ")
	answer, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if err != nil || !strings.EqualFold(strings.TrimSpace(answer), "y") {
		return command.Code(command.Interrupted, errors.New("not confirmed; nothing was signed"))
	}
	return nil
}

func newTxSend() *cobra.Command {
	var to reach
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "send FILE",
		Short:   "Send a transaction that was signed offline",
		Example: `  taolabd tx send signed --node http://127.0.0.1:26680`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, bytes, err := readTx(cmd, args[0])
			if err != nil {
				return err
			}
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			node, err := to.dial(at)
			if err != nil {
				return err
			}
			return send(cmd, node, bytes, asJSON)
		},
	}
	to.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newTxShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show FILE",
		Short:   "Show what a signed transaction asks for",
		Example: `  taolabd tx show signed`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			tx, _, err := readTx(cmd, args[0])
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			fmt.Fprintf(w, "signer   %s\nnonce    %d\nexpiry   %d\n", wallet.Address(tx.Signer), tx.Nonce, tx.Expiry)
			if tx.Priced {
				fmt.Fprintf(w, "at most  %s TAO, of which %s are a tip\n", amount(tx.MaxFeeRao), amount(tx.TipRao))
			}
			_, err = w.Write(conformance.AppendMessage(nil, tx.Msg))
			return command.Code(command.Failure, err)
		},
	}
}

// readTx reads the hexadecimal digits of a transaction.
func readTx(cmd *cobra.Command, name string) (chain.Tx, []byte, error) {
	text, err := command.ReadInput(cmd, name, "a signed transaction in hexadecimal digits", 2*chain.MaxTxBytes+1)
	if err != nil {
		return chain.Tx{}, nil, command.Code(command.Failure, err)
	}
	bytes, err := hex.DecodeString(strings.TrimSpace(string(text)))
	var tx chain.Tx
	if err == nil {
		tx, err = chain.DecodeTx(bytes)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w; expected the hexadecimal digits that taolabd tx --offline prints", command.InputName(name), err)
	}
	return tx, bytes, command.Code(command.Invalid, err)
}

// send hands a transaction to a node, waits for its block and tells what came of it.
func send(cmd *cobra.Command, node *client, bytes []byte, asJSON bool) error {
	r, err := node.submit(cmd.Context(), bytes)
	if err != nil {
		return err
	}
	if asJSON {
		if err := command.WriteJSON(cmd.OutOrStdout(), r); err != nil {
			return err
		}
	}
	if r.Refusal != "" {
		return command.Code(exitRefused, fmt.Errorf("the ledger refused it: %s", r.Refusal))
	}
	if !asJSON {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "in block %d, for %s TAO\n", r.Height, amount(r.FeeRao))
	}
	return command.Code(command.Failure, err)
}
