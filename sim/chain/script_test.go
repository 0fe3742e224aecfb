package chain

import (
	"crypto/ed25519"
	"crypto/sha256"
	"flag"
	"fmt"
	"math/bits"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"taolab/sim/chain/emission"
)

func init() {
	flag.BoolFunc("update", "rewrite the golden files",
		func(on string) error { return flag.Set("rewrite", on) })
}

// The scripts in testdata are a ledger's diary. Keys go by names; money is in TAO.
//
//	genesis era=2026 uids=4        parameters; then lines "set Field value", "balance coldkey tao",
//	                               "neuron hotkey coldkey tao", "stake hotkey coldkey tao", "owner hotkey",
//	                               "delegate hotkey take", "governor key", "issued tao"
//	do                             lines of what happens, each answered by what comes of it:
//	  register coldkey hotkey [limit=tao]        add-stake coldkey hotkey tao
//	  remove-stake coldkey hotkey tao            transfer coldkey coldkey tao
//	  burn coldkey tao                           recycle coldkey tao
//	  delegate coldkey hotkey take               reset-bonds hotkey
//	  set-weights hotkey uid=value ... [version=n]
//	  serve-axon hotkey key [address]            serve-consensus hotkey key
//	  govern signer name value                   advance blocks
//	  neurons | scores | weights | bonds | totals | price | free coldkey | stake hotkey
//	  delegate-of hotkey | endpoints | param name ... | next-event | reward | digest
//	  fill signer units              refused transactions up to so much work
//	  work-price                     of a unit of work in rao, and what the open block has used
//	  every transaction may end in "number=n", its nonce, "until=height", its expiry, and, where work
//	  costs anything, "fee=rao", the most that it may cost (none: it does not say), and "tip=rao"
//	era name [uids=n]              parameters by name, one line of the input each
//	curve rule reward=rao cap=rao [halving=blocks] [flat=rao]    lines "issued rao from block: blocks",
//	                               each answered by what they mint one by one or together

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

	options []string // of the transaction at hand
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
		case "delegate":
			g.Delegates = append(g.Delegates, GenesisDelegate{x.key(f[1]), uint16(number(f[2]))})
		case "governor":
			g.Governor = x.key(f[1])
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
	v := reflect.ValueOf(p).Elem()
	if rest, ok := strings.CutPrefix(field, "Hard."); ok {
		v, field = v.FieldByName("Hard"), rest
	}
	v = v.FieldByName(field)
	switch v.Kind() {
	case reflect.String:
		v.SetString(value)
	case reflect.Bool:
		v.SetBool(value == "true")
	case reflect.Int16:
		n, err := strconv.ParseInt(value, 10, 16)
		if err != nil {
			panic(err)
		}
		v.SetInt(n)
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
	nonce, expiry := x.s.Nonce(k), x.s.Height()+10
	for _, option := range x.options {
		switch name, value, _ := strings.Cut(option, "="); name {
		case "number":
			nonce = number(value)
		case "until":
			expiry = number(value)
		}
	}
	tx := Sign("script", testKey(signer), nonce, expiry, m)
	if x.s.params.Hard.FeeRao != 0 {
		tx = x.priced(signer, nonce, expiry, m)
	}
	if err := observed.apply(x.s, tx); err != nil {
		if now := x.s.Nonce(k); now == tx.Nonce+1 && x.s.params.Hard.FeeRao != 0 {
			return "paid and refused: " + err.Error()
		}
		if after, _ := x.s.AppendBinary(nil); string(before) != string(after) {
			return "REFUSED BUT CHANGED: " + err.Error()
		}
		return "refused: " + err.Error()
	}
	return "ok"
}

// priced is a transaction that says what it may cost: what it does cost, or "fee=rao", and "tip=rao";
// "fee=none" leaves both out.
func (x *script) priced(signer string, nonce, expiry uint64, m Msg) Tx {
	var tip uint64
	fee, given := uint64(0), false
	for _, option := range x.options {
		switch name, value, _ := strings.Cut(option, "="); {
		case option == "fee=none":
			return Sign("script", testKey(signer), nonce, expiry, m)
		case name == "fee":
			fee, given = number(value), true
		case name == "tip":
			tip = number(value)
		}
	}
	tx := SignPriced("script", testKey(signer), nonce, expiry, 0, tip, m)
	if !given {
		fee = x.s.WorkOf(tx)*x.s.View().PriceRao() + tip
	}
	return SignPriced("script", testKey(signer), nonce, expiry, fee, tip, m)
}

// fill sends refused transactions of somebody for as long as they are admissible and the work of the
// block, or of a hotkey, stays within units.
func (x *script) fill(signer string, units uint64) string {
	var m Msg = Burn{} // of nothing
	k := pub(signer)
	spent := func() uint64 { return x.s.workUsed }
	if _, neuron := x.s.neurons.uidOf(k); neuron {
		m, spent = CommitWeights{}, func() uint64 { return x.s.accounts.get(k).spent }
	}
	sent := 0
	for {
		tx := x.priced(signer, x.s.Nonce(k), x.s.Height()+10, m)
		if spent()+x.s.WorkOf(tx) > units {
			return fmt.Sprintf("%d sent, %d units", sent, spent())
		}
		if _, err := x.s.Deliver(tx); err != nil {
			return fmt.Sprintf("%d sent, %d units, then refused: %v", sent, spent(), err)
		}
		sent++
	}
}

func (x *script) do(line string) string {
	f := strings.Fields(line)
	x.options = nil
	option := func(word string) bool {
		name, _, ok := strings.Cut(word, "=")
		return ok && slices.Contains([]string{"number", "until", "fee", "tip"}, name)
	}
	for last := len(f) - 1; last > 0 && option(f[last]); last-- {
		x.options = append(x.options, f[last])
		f = f[:last]
	}
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
	case "burn":
		return x.apply(f[1], Burn{rao(f[2])})
	case "recycle":
		return x.apply(f[1], Recycle{rao(f[2])})
	case "delegate":
		return x.apply(f[1], Delegate{x.key(f[2]), uint16(number(f[3]))})
	case "reset-bonds":
		return x.apply(f[1], ResetBonds{})
	case "fill":
		return x.fill(f[1], number(f[2]))
	case "serve-axon":
		m := ServeAxon{Axon: x.key(f[2])}
		if len(f) > 3 {
			address := netip.MustParseAddrPort(f[3])
			m.IP, m.Port = address.Addr().As16(), address.Port()
		}
		return x.apply(f[1], m)
	case "serve-consensus":
		return x.apply(f[1], ServeConsensus{x.key(f[2])})
	case "govern":
		return x.apply(f[1], SetParams{f[2], number(f[3])})
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
		return x.events(observed.advance(x.s, n))
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
			if e.OwnerRao > 0 {
				fmt.Fprintf(&b, ", owner %s", tao(e.OwnerRao))
			}
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
			if x.s.neurons.get(UID(uid)).pruned {
				fmt.Fprintf(&b, "  replaced since the last epoch\n")
			}
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
	case "work-price":
		return fmt.Sprintf("%d rao a unit; %d units and %d bytes in the block", v.PriceRao(), x.s.workUsed,
			x.s.bytesUsed)
	case "free":
		return tao(v.FreeOf(x.key(f[1])))
	case "stake":
		return tao(v.StakeOf(x.key(f[1])))
	case "next-event":
		if next := x.s.NextEvent(); next != never {
			return fmt.Sprint(next)
		}
		return "never"
	case "reward":
		next, _ := x.s.params.curve().Next(x.s.height+1, x.s.issuance())
		return tao(next)
	case "param":
		return shownParams(v.Params(), f[1:])
	case "delegate-of":
		return x.delegateOf(v, x.key(f[1]))
	case "endpoints":
		return x.endpoints(v)
	case "scores":
		return scores(v)
	default:
		return "unknown line"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func shownParams(p Params, names []string) string {
	var list []string
	for _, name := range names {
		field := reflect.ValueOf(p).FieldByName(name)
		if !field.IsValid() {
			return "no parameter " + name
		}
		list = append(list, fmt.Sprintf("%s %v", name, field))
	}
	return strings.Join(list, ", ")
}

func (x *script) delegateOf(v View, hotkey Key) string {
	owner, _ := v.OwnerOf(hotkey)
	take, open := v.Take(hotkey)
	if !open {
		return fmt.Sprintf("%s of %s is not a delegate", x.name(hotkey), x.name(owner))
	}
	told := fmt.Sprintf("%s of %s takes %d/65535, holds %s", x.name(hotkey), x.name(owner), take,
		tao(v.StakeOf(hotkey)))
	seen := map[string]bool{}
	for _, name := range x.names {
		if rao := v.NominationOf(hotkey, pub(name)); rao > 0 && !seen[name] {
			told += fmt.Sprintf(", %s by %s", tao(rao), name)
			seen[name] = true
		}
	}
	return told
}

func (x *script) endpoints(v View) string {
	var b strings.Builder
	for uid := range v.N() {
		n := v.Neuron(UID(uid))
		fmt.Fprintf(&b, "%d %s: axon %s at %v", uid, x.name(n.Hotkey), x.name(n.Axon),
			netip.AddrPortFrom(netip.AddrFrom16(n.IP).Unmap(), n.Port))
		if n.ConsensusKey != (Key{}) {
			fmt.Fprintf(&b, ", consensus %s", x.name(n.ConsensusKey))
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// scores are the wide ones in ten-thousandths.
func scores(v View) string {
	var b strings.Builder
	for uid := range v.N() {
		fmt.Fprintf(&b, "%d:", uid)
		w := v.Neuron(UID(uid)).Wide
		for i, score := range []uint64{w.Rank, w.Trust, w.Consensus, w.Incentive, w.Dividends} {
			share, _ := bits.Mul64(score, 10_000)
			fmt.Fprintf(&b, " %c %d", "RTCID"[i], share)
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// eraTable lists parameters of an era by name.
func eraTable(d *datadriven.TestData) string {
	p, err := Era(d.CmdArgs[0].Key)
	if err != nil {
		return err.Error()
	}
	for _, arg := range d.CmdArgs[1:] {
		p = p.Scaled(int(number(arg.Vals[0])))
	}
	if err := p.Validate(); err != nil {
		return err.Error()
	}
	var lines []string
	for _, line := range strings.Split(d.Input, "\n") {
		lines = append(lines, shownParams(p, strings.Fields(line)))
	}
	return strings.Join(lines, "\n")
}

// curveTable mints by the block and together.
func curveTable(d *datadriven.TestData) string {
	c := emission.Curve{Rule: emission.Rule(d.CmdArgs[0].Key), HalvingBlocks: 1}
	for _, arg := range d.CmdArgs[1:] {
		v := number(arg.Vals[0])
		switch arg.Key {
		case "reward":
			c.RewardRao = v
		case "cap":
			c.CapRao = v
		case "halving":
			c.HalvingBlocks = v
		case "flat":
			c.FlatRao = v
		}
	}
	if err := c.Validate(); err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, line := range strings.Split(d.Input, "\n") {
		var issued, from, blocks uint64
		if _, err := fmt.Sscanf(line, "%d from %d: %d", &issued, &from, &blocks); err != nil {
			return err.Error()
		}
		sum := c.Sum(from, issued, blocks)
		if blocks <= 16 {
			total := issued
			for i := range blocks {
				rao, _ := c.Next(from+i, total)
				total += rao
				fmt.Fprintf(&b, "%d ", rao)
			}
			if total != issued+sum {
				return fmt.Sprintf("%d one by one, %d together", total-issued, sum)
			}
			b.WriteString("= ")
		}
		fmt.Fprintf(&b, "%d\n", sum)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func word(b bool, s string) string {
	if b {
		return s
	}
	return ""
}

// TestGoldenLedgerScripts plays the scripts; -update rewrites their answers. The digests in them
// pin every byte of the state.
func TestGoldenLedgerScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		var x script
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "genesis":
				return x.genesis(d) + "\n"
			case "era":
				return eraTable(d) + "\n"
			case "curve":
				return curveTable(d) + "\n"
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
