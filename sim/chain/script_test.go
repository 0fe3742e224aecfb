package chain

import (
	"crypto/ed25519"
	"crypto/sha256"
	"flag"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

func init() {
	flag.BoolFunc("update", "write the golden files anew",
		func(on string) error { return flag.Set("rewrite", on) })
}

// The scripts in testdata are a ledger's diary. Keys go by names; money is in TAO.
//
//	genesis era=2026 uids=4        parameters; then lines "set Field value", "balance coldkey tao",
//	                               "neuron hotkey coldkey tao", "stake hotkey coldkey tao", "owner hotkey"
//	do                             lines of what happens, each answered by what comes of it:
//	  register coldkey hotkey [limit=tao]        add-stake coldkey hotkey tao
//	  remove-stake coldkey hotkey tao            transfer coldkey coldkey tao
//	  set-weights hotkey uid=value ... [version=n]   serve-axon hotkey key
//	  advance blocks                 neurons | weights | bonds | totals | price | free coldkey
//	  digest                         of the state

// testKey returns the private key of a name.
func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// pub returns the public key of a name.
func pub(name string) (k Key) {
	copy(k[:], testKey(name).Public().(ed25519.PublicKey))
	return k
}

type script struct {
	s     *State
	names []string // in order of appearance
	mined map[string]RegisterWork
	tried uint64 // nonces
}

func (x *script) key(name string) Key {
	x.names = append(x.names, name)
	return pub(name)
}

func (x *script) name(k Key) string {
	for _, n := range x.names {
		if pub(n) == k {
			return n
		}
	}
	return k.String()[:8]
}

func rao(tao string) uint64 {
	whole, part, _ := strings.Cut(tao, ".")
	part = (part + "000000000")[:9]
	v, err := strconv.ParseUint(whole+part, 10, 64)
	if err != nil {
		panic(err)
	}
	return v
}

func tao(rao uint64) string {
	s := fmt.Sprintf("%d.%09d", rao/RaoPerTAO, rao%RaoPerTAO)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func (x *script) genesis(d *datadriven.TestData) string {
	g := Genesis{ChainID: "script"}
	var eraName string
	var uids int
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "era":
			eraName = arg.Vals[0]
		case "uids":
			uids, _ = strconv.Atoi(arg.Vals[0])
		}
	}
	p, err := Era(eraName)
	if err != nil {
		return err.Error()
	}
	g.Params = p.Scaled(uids)
	for _, line := range strings.Split(d.Input, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "set":
			setField(&g.Params, f[1], f[2])
		case "balance":
			g.Balances = append(g.Balances, Balance{x.key(f[1]), rao(f[2])})
		case "neuron":
			g.Neurons = append(g.Neurons, GenesisNeuron{x.key(f[1]), x.key(f[2]), rao(f[3])})
		case "stake":
			g.Stakes = append(g.Stakes, GenesisStake{x.key(f[1]), x.key(f[2]), rao(f[3])})
		case "owner":
			g.Owner = x.key(f[1])
		case "issued":
			g.IssuanceOffsetRao = rao(f[1])
		default:
			return "unknown line: " + line
		}
	}
	if x.s, err = New(g); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d neurons", x.s.neurons.n)
}

func setField(p *Params, field, value string) {
	v := reflect.ValueOf(p).Elem().FieldByName(field)
	switch v.Kind() {
	case reflect.String:
		v.SetString(value)
	case reflect.Bool:
		v.SetBool(value == "true")
	default:
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			panic(err)
		}
		v.SetUint(n)
	}
}

func (x *script) apply(signer string, m Msg) string {
	k := x.key(signer)
	before, _ := x.s.AppendBinary(nil)
	tx := Sign("script", testKey(signer), x.s.Nonce(k), x.s.Height()+10, m)
	if err := x.s.Apply(tx); err != nil {
		if after, _ := x.s.AppendBinary(nil); string(before) != string(after) {
			return "REFUSED BUT CHANGED: " + err.Error()
		}
		return "refused: " + err.Error()
	}
	return "ok"
}

func (x *script) do(line string) string {
	f := strings.Fields(line)
	if told, ok := x.registrationCommand(f); ok {
		return told
	}
	switch f[0] {
	case "register":
		m := Register{Hotkey: x.key(f[2])}
		if len(f) > 3 {
			m.LimitRao = rao(strings.TrimPrefix(f[3], "limit="))
		}
		return x.apply(f[1], m)
	case "add-stake":
		return x.apply(f[1], AddStake{x.key(f[2]), rao(f[3])})
	case "remove-stake":
		return x.apply(f[1], RemoveStake{x.key(f[2]), rao(f[3])})
	case "transfer":
		return x.apply(f[1], Transfer{x.key(f[2]), rao(f[3])})
	case "serve-axon":
		return x.apply(f[1], ServeAxon{Axon: x.key(f[2])})
	case "set-weights":
		var m SetWeights
		for _, w := range f[2:] {
			k, v, _ := strings.Cut(w, "=")
			n, err := strconv.ParseUint(v, 10, 32)
			if err != nil {
				return err.Error()
			}
			if k == "version" {
				m.Version = n
				continue
			}
			uid, err := strconv.ParseUint(k, 10, 16)
			if err != nil {
				return err.Error()
			}
			m.UIDs, m.Values = append(m.UIDs, uint16(uid)), append(m.Values, uint32(n))
		}
		return x.apply(f[1], m)
	case "advance":
		n, _ := strconv.ParseUint(f[1], 10, 64)
		return x.events(x.s.Advance(n))
	}
	return x.show(f)
}

func (x *script) events(events []Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "height %d", x.s.Height())
	for i, e := range events {
		if i == 6 && len(events) > 8 {
			fmt.Fprintf(&b, "\n  ... %d more", len(events)-i)
			break
		}
		switch e := e.(type) {
		case EpochRan:
			fmt.Fprintf(&b, "\n  block %d: epoch %d of %s, paid %s, dust %d rao, unallocated %s", e.Block,
				e.Epoch, tao(e.EmissionRao), tao(e.PaidRao), e.DustRao, tao(e.UnallocatedRao))
		case Registered:
			fmt.Fprintf(&b, "\n  block %d: %s registered as %d for %s", e.Block, x.name(e.Hotkey), e.UID,
				tao(e.BurnRao))
		case Replaced:
			fmt.Fprintf(&b, "\n  block %d: %s lost %d", e.Block, x.name(e.Old), e.UID)
		}
	}
	return b.String()
}

func (x *script) show(f []string) string {
	var b strings.Builder
	v := x.s.View()
	switch f[0] {
	case "neurons":
		for uid := range v.N() {
			n := v.Neuron(UID(uid))
			fmt.Fprintf(&b, "%d %s of %s: stake %s, registered %d, update %d, emission %s, C %d I %d D %d"+
				" VT %d%s%s\n", uid, x.name(n.Hotkey), x.name(n.Coldkey), tao(n.StakeRao), n.RegisteredAt,
				n.LastUpdate, tao(n.EmissionRao), n.Consensus, n.Incentive, n.Dividends, n.ValidatorTrust,
				word(n.Active, ", active"), word(n.Permit, ", permit"))
			if n.Axon != n.Hotkey {
				fmt.Fprintf(&b, "  serves as %s\n", x.name(n.Axon))
			}
		}
	case "weights":
		for uid := range v.N() {
			if row := v.Weights(UID(uid)); len(row) > 0 {
				fmt.Fprintf(&b, "%d: %v\n", uid, row)
			}
		}
	case "bonds":
		for uid := range v.N() {
			if row := v.Bonds(UID(uid)); len(row) > 0 {
				fmt.Fprintf(&b, "%d: %v\n", uid, row)
			}
		}
	case "totals":
		t := v.Totals()
		return fmt.Sprintf("minted %s = free %s + staked %s + pending %s + burned %s + dust %d rao"+
			" + unallocated %s; recycled %s, issuance %s", tao(t.Minted), tao(t.Free), tao(t.Staked),
			tao(t.Pending), tao(t.Burned), t.Dust, tao(t.Unallocated), tao(t.Recycled), tao(t.Issuance))
	case "digest":
		return x.s.Digest().String()
	case "price":
		return tao(v.BurnRao())
	case "free":
		return tao(v.FreeOf(x.key(f[1])))
	case "stake":
		return tao(v.StakeOf(x.key(f[1])))
	default:
		return "unknown line"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func word(b bool, s string) string {
	if b {
		return s
	}
	return ""
}

// TestGoldenLedgerScripts plays the scripts; -update writes their answers anew. The digests in them
// pin every byte of the state.
func TestGoldenLedgerScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		var x script
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "genesis" {
				return x.genesis(d) + "\n"
			}
			var b strings.Builder
			for _, line := range strings.Split(d.Input, "\n") {
				if strings.TrimSpace(line) != "" {
					fmt.Fprintln(&b, x.do(line))
				}
			}
			// Whatever happened, the state survives its bytes, and the digest is that of a fresh one.
			data, err := x.s.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			var again State
			if err := again.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
			if again.Digest() != x.s.Digest() {
				t.Error("the digest differs from that of the same state decoded")
			}
			return b.String()
		})
	})
}
