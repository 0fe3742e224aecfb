package main

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/chain"
)

// messageDocs says what each message of the ledger is for, and gives an example of its flags.
var messageDocs = map[string][2]string{
	"register":        {"Give a hotkey a uid, for the price that metagraph shows", "--hotkey miner --wallet alice --limit 2.5"},
	"register-work":   {"Give the signing hotkey a uid for a proof of work", "--coldkey alice --block 100 --work-nonce 7 --work 00.. --wallet alice --hotkey miner"},
	"add-stake":       {"Move money onto a hotkey, or nominate a delegate", "--hotkey miner --amount 100 --wallet alice"},
	"remove-stake":    {"Move stake of a hotkey back to the coldkey", "--hotkey miner --amount 100 --wallet alice"},
	"delegate":        {"Open a hotkey to nominators, or change its take", "--hotkey validator --take 11796 --wallet alice"},
	"transfer":        {"Send money to another coldkey", "--to 5Grw... --amount 1.5 --wallet alice"},
	"burn":            {"Destroy money for good", "--amount 1 --wallet alice"},
	"recycle":         {"Take money out of the issuance, to be minted again", "--amount 1 --wallet alice"},
	"set-weights":     {"Set the weights of the signing hotkey", "--uids 0,1,2 --values 10,20,70 --wallet alice --hotkey validator"},
	"commit-weights":  {"Announce weights without showing them", "--commit 3f2a... --wallet alice --hotkey validator"},
	"reveal-weights":  {"Show weights that were committed", "--uids 0,1 --values 1,2 --salt 00.. --wallet alice --hotkey validator"},
	"serve-axon":      {"Publish key and address of the signing hotkey's server", "--axon alice/miner --ip 203.0.113.7 --port 8091 --wallet alice --hotkey miner"},
	"serve-consensus": {"Publish a consensus key on a network that asks for no proof", "--key 3f2a... --wallet alice --hotkey validator"},
	"prove-consensus": {"Ask for a seat with this node's consensus key, which signs its consent", "--wallet alice --hotkey validator"},
	"set-params":      {"Set a parameter as the governor", "--name ImmunityBlocks --value 7200 --wallet alice"},
	"reset-bonds":     {"Delete all bonds in the signing hotkey's neuron", "--wallet alice --hotkey miner"},
	"propose":         {"Open a proposal as a member of the council", "--changes ImmunityBlocks=7200 --wallet alice"},
	"approve":         {"Vote for a proposal, or take the vote back", "--id 3 --wallet alice"},
	"unjail":          {"Let a hotkey have its seat again", "--hotkey validator --wallet alice"},
	"claim":           {"Make a hotkey that nobody owns the coldkey's; both sign", "--hotkey miner --wallet alice"},
	"swap-hotkey":     {"Put a fresh hotkey in the place of another; both sign", "--old miner --new spare --wallet alice"},
}

// optional are fields that need not be given, by message and field, and what they are then.
var optional = map[string]string{
	"Register.LimitRao": "0rao", "SetWeights.Version": "0", "RevealWeights.Version": "0", "Approve.Withdraw": "false",
	"Propose.Changes": "", "Propose.Upgrade": "0@0", "Propose.Members": "", "Propose.Threshold": "0",
}

// fieldDocs explain flags whose meaning their name does not tell.
var fieldDocs = map[string]string{
	"Register.LimitRao": "highest price; 0: any", "Delegate.Take": "share of nominators' dividends that the owner keeps, in 1/65535",
	"Propose.Changes": "parameters, as in ImmunityBlocks=7200,TempoBlocks=360", "Propose.Upgrade": "version of the rules and its first block, as in 3@50000",
	"Propose.Members": "keys of the new council", "Propose.Threshold": "members of it who have to agree",
	"ServeAxon.IP": "address, IPv4 or IPv6", "SetWeights.Values": "weights of those uids, in any scale",
	"Approve.Withdraw": "true takes the vote back",
}

// messageName is a message as the command line calls it: AddStake is add-stake.
func messageName(m chain.Msg) string { return kebab(reflect.TypeOf(m).Name()) }

// kebab is a Go name in lower case with dashes.
func kebab(name string) string {
	upper := func(i int) bool { return i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	var b strings.Builder
	for i := range len(name) {
		if upper(i) && i > 0 && !upper(i-1) {
			b.WriteByte('-')
		}
		b.WriteByte(name[i])
	}
	return strings.ToLower(b.String())
}

// A messageForm is the flags that describe a message, one for each of its fields.
type messageForm struct {
	of    reflect.Type
	texts map[string]*string // by field
}

// newForm adds the flags of a message to a verb. Fields that a second signature fills have none.
func newForm(cmd *cobra.Command, m chain.Msg) *messageForm {
	f := &messageForm{of: reflect.TypeOf(m), texts: map[string]*string{}}
	for i := range f.of.NumField() {
		field := f.of.Field(i)
		if slices.Contains(consents[f.of].fills, field.Name) {
			continue
		}
		id := f.of.Name() + "." + field.Name
		preset, given := optional[id]
		doc := cmp.Or(fieldDocs[id], kindOf(field).doc)
		f.texts[field.Name] = cmd.Flags().String(flagName(f.of, field.Name), preset, doc)
		if !given {
			if err := cmd.MarkFlagRequired(flagName(f.of, field.Name)); err != nil {
				panic(err) // it was added above
			}
		}
	}
	return f
}

// flagName is the flag of a field of a message: money needs no unit in its name, and a transaction has a nonce
// too.
func flagName(of reflect.Type, field string) string {
	if of == reflect.TypeFor[chain.RegisterWork]() && field == "Nonce" {
		return "work-nonce"
	}
	return kebab(strings.TrimSuffix(field, "Rao"))
}

// message reads the flags.
func (f *messageForm) message(names *keyring) (chain.Msg, error) {
	v := reflect.New(f.of).Elem()
	for i := range f.of.NumField() {
		field := f.of.Field(i)
		text := f.texts[field.Name]
		if text == nil {
			continue
		}
		if err := kindOf(field).read(names, field.Name, *text, v.Field(i)); err != nil {
			return nil, command.Code(command.Usage, fmt.Errorf("--%s: %w", flagName(f.of, field.Name), err))
		}
	}
	return v.Interface().(chain.Msg), nil
}

// A fieldKind is how values of one type are written on the command line.
type fieldKind struct {
	doc  string
	read reading
}

// kinds are how values of each type are written, but for money, which is a number with a name.
var kinds = map[reflect.Type]fieldKind{
	reflect.TypeFor[chain.Key]():           {"`key`: address, hexadecimal digits, WALLET or WALLET/HOTKEY", readKey},
	reflect.TypeFor[chain.Digest]():        {"64 hexadecimal `digits`", readBytes},
	reflect.TypeFor[[32]byte]():            {"64 hexadecimal `digits`", readBytes},
	reflect.TypeFor[[64]byte]():            {"128 hexadecimal `digits`", readBytes},
	reflect.TypeFor[[16]byte]():            {"IP `address`", readIP},
	reflect.TypeFor[uint64]():              {"whole `number`", readNumber},
	reflect.TypeFor[uint16]():              {"whole `number`", readNumber},
	reflect.TypeFor[uint8]():               {"whole `number`", readNumber},
	reflect.TypeFor[bool]():                {"true or false", readFlag},
	reflect.TypeFor[string]():              {"`name`", readText},
	reflect.TypeFor[[]uint16]():            {"whole `numbers` with commas", listOf(readNumber)},
	reflect.TypeFor[[]uint32]():            {"whole `numbers` with commas", listOf(readNumber)},
	reflect.TypeFor[[]chain.Key]():         {"`keys` with commas", listOf(readKey)},
	reflect.TypeFor[[]chain.ParamChange](): {"`name=value` pairs with commas", listOf(readChange)},
	reflect.TypeFor[chain.Upgrade]():       {"`version@height`", readUpgrade},
	reflect.TypeFor[uint32]():              {"whole `number`", readNumber},
}

func kindOf(field reflect.StructField) fieldKind {
	if strings.HasSuffix(field.Name, "Rao") {
		return fieldKind{"`amount` in TAO as in 1.5, or in rao as in 1500rao", readAmount}
	}
	kind, known := kinds[field.Type]
	if !known {
		panic("taolabd: no flag can hold a " + field.Type.String())
	}
	return kind
}

func readAmount(_ *keyring, _, text string, into reflect.Value) error {
	rao, err := parseAmount(text)
	into.SetUint(rao)
	return err
}

func readKey(names *keyring, field, text string, into reflect.Value) error {
	key, err := names.key(field, text)
	into.Set(reflect.ValueOf(key))
	return err
}

func readBytes(_ *keyring, _, text string, into reflect.Value) error {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != into.Len() {
		return fmt.Errorf("%q; expected %d hexadecimal digits", text, 2*into.Len())
	}
	reflect.Copy(into, reflect.ValueOf(raw))
	return nil
}

func readIP(_ *keyring, _, text string, into reflect.Value) error {
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return fmt.Errorf("%q; expected an IP address as in 203.0.113.7 or 2001:db8::7", text)
	}
	into.Set(reflect.ValueOf(address.As16()))
	return nil
}

func readNumber(_ *keyring, _, text string, into reflect.Value) error {
	n, err := strconv.ParseUint(text, 10, into.Type().Bits())
	if err != nil {
		return fmt.Errorf("%q; expected a whole number from 0 to %d", text, uint64(1)<<(into.Type().Bits()-1)-1+uint64(1)<<(into.Type().Bits()-1))
	}
	into.SetUint(n)
	return nil
}

func readFlag(_ *keyring, _, text string, into reflect.Value) error {
	on, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("%q; expected true or false", text)
	}
	into.SetBool(on)
	return nil
}

func readText(_ *keyring, _, text string, into reflect.Value) error {
	into.SetString(text)
	return nil
}

type reading func(names *keyring, field, text string, into reflect.Value) error

// listOf reads elements with commas between them.
func listOf(read reading) reading {
	return func(names *keyring, field, text string, into reflect.Value) error {
		if text == "" {
			return nil
		}
		for i, part := range strings.Split(text, ",") {
			element := reflect.New(into.Type().Elem()).Elem()
			if err := read(names, field, strings.TrimSpace(part), element); err != nil {
				return fmt.Errorf("element %d: %w", i+1, err)
			}
			into.Set(reflect.Append(into, element))
		}
		return nil
	}
}

func readChange(_ *keyring, _, text string, into reflect.Value) error {
	name, value, found := strings.Cut(text, "=")
	n, err := strconv.ParseUint(value, 10, 64)
	if !found || err != nil {
		return fmt.Errorf("%q; expected name=value, as in ImmunityBlocks=7200", text)
	}
	if !slices.Contains(chain.Governable(), name) {
		return fmt.Errorf("no parameter %q; expected one of %s", name, strings.Join(chain.Governable(), ", "))
	}
	into.Set(reflect.ValueOf(chain.ParamChange{Name: name, Value: n}))
	return nil
}

func readUpgrade(_ *keyring, _, text string, into reflect.Value) error {
	version, height, found := strings.Cut(text, "@")
	v, err := strconv.ParseUint(version, 10, 32)
	h, wrong := strconv.ParseUint(height, 10, 64)
	if !found || err != nil || wrong != nil {
		return fmt.Errorf("%q; expected version@height, as in 3@50000", text)
	}
	into.Set(reflect.ValueOf(chain.Upgrade{Rules: uint32(v), Height: h}))
	return nil
}
