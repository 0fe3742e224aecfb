package host

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"taolab/sim/chain"
	"taolab/sim/chain/consensus"
	"taolab/sim/trace"
)

// named is the private key of a name.
func named(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("host test " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) chain.Key { return chain.Key(named(name).Public().(ed25519.PublicKey)) }

// desk is a ledger with its nodes' names and what they have sent.
type desk struct {
	*Ledger
	nodes []string
	sent  map[int32]map[SubmitID][]byte // on their way
	last  SubmitID
	out   *strings.Builder
}

// toyGenesis has a neuron for each of the first nodes and 100 TAO on everybody's coldkey.
func toyGenesis(nodes []string, seated int, change func(*chain.Params)) chain.Genesis {
	params, err := chain.Era("2026")
	if err != nil {
		panic(err)
	}
	params = params.Scaled(max(seated, 2))
	params.TempoBlocks, params.ImmunityBlocks, params.MinNonImmune = 4, 0, 0
	if change != nil {
		change(&params)
	}
	g := chain.Genesis{ChainID: "host", Params: params}
	for i, name := range nodes {
		hot, cold := public(name), public(name+" cold")
		g.Balances = append(g.Balances, chain.Balance{Coldkey: cold, FreeRao: 100 * chain.RaoPerTAO})
		if i < seated {
			g.Neurons = append(g.Neurons, chain.GenesisNeuron{Hotkey: hot, Coldkey: cold, StakeRao: uint64(i+1) * chain.RaoPerTAO})
		}
	}
	return g
}

// Record writes rows by the names of their columns, without those that have no value.
func (d *desk) Record(row trace.Row) {
	v := reflect.ValueOf(row)
	fmt.Fprintf(d.out, "  %s:", row.Table())
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if f.Kind() == reflect.Pointer {
			if f.IsNil() {
				fmt.Fprintf(d.out, " %s=NULL", name)
				continue
			}
			f = f.Elem()
		}
		text := fmt.Sprint(f)
		if v.Type().Field(i).Tag.Get("unit") == "hex" {
			text = d.nameOf(text)
		}
		if !f.IsZero() {
			fmt.Fprintf(d.out, " %s=%s", name, text)
		}
	}
	d.out.WriteByte('\n')
}

// nameOf is whose key or what digest some digits are.
func (d *desk) nameOf(hex string) string {
	for _, name := range append(d.nodes, "stranger") {
		for _, key := range []string{name, name + " cold"} {
			if public(key).String() == hex {
				return strings.ReplaceAll(key, " ", "-")
			}
		}
	}
	return hex[:8]
}

// TestLedgerScripts drives ledgers. Rows stand indented below the line that brought them.
//
//	ledger NODE... [seats=N] [txs=N] [waiting=N] [rule=NAME] [tempo=N] [digests=N] [record=TABLE,...] [every=N]
//	submit NODE transfer TO RAO [expiry=N]     register OTHER, weights UID=VALUE...
//	receive NODE ID     corrupt NODE ID        end     skip TO     quiet LIMIT     tell NODE ID
//	forget NODE         view HEIGHT NAME       close   nonces NODE
func TestLedgerScripts(t *testing.T) {
	datadriven.RunTest(t, "testdata/ledger", func(t *testing.T, d *datadriven.TestData) string {
		var out strings.Builder
		desk := openDesk(t, d, &out, false)
		signed := openDesk(t, d, &strings.Builder{}, true)
		for _, line := range strings.Split(d.Input, "\n") {
			fmt.Fprintln(&out, line)
			desk.do(t, d, strings.Fields(line))
			signed.do(t, d, strings.Fields(line))
			if a, b := desk.Digest(), signed.Digest(); a != b {
				d.Fatalf(t, "after %q the state of a signed ledger is another", line)
			}
		}
		return out.String()
	})
}

func openDesk(t *testing.T, d *datadriven.TestData, out *strings.Builder, signed bool) *desk {
	k := &desk{out: out, sent: map[int32]map[SubmitID][]byte{}}
	seats, every := 0, uint64(1)
	cfg := LedgerConfig{Recorder: k, Signed: signed}
	var rule string
	var tempo, tables = uint64(4), ""
	for _, arg := range d.CmdArgs {
		number := func() (n uint64) { fmt.Sscan(arg.Vals[0], &n); return n }
		switch arg.Key {
		case "seats":
			seats = int(number())
		case "txs":
			cfg.MaxTxs = int(number())
		case "waiting":
			cfg.MaxWaiting = int(number())
		case "views":
			cfg.Views = int(number())
		case "digests":
			cfg.DigestEpochs = number()
		case "rule":
			rule = arg.Vals[0]
		case "tempo":
			tempo = number()
		case "every":
			every = number()
		case "record":
			tables = strings.Join(arg.Vals, " ")
		default:
			k.nodes = append(k.nodes, arg.Key)
		}
	}
	set := func(table string, to *uint64) {
		if strings.Contains(tables, table) {
			*to = every
		}
	}
	r := &cfg.Recording
	set("blocks", &r.Blocks)
	set("ledger", &r.Ledger)
	set("digests", &r.Digests)
	set("epochs", &r.Epochs)
	set("weights", &r.Weights)
	set("bonds", &r.Bonds)
	r.Seats, r.Transactions = strings.Contains(tables, "seats"), strings.Contains(tables, "transactions")
	cfg.Genesis = toyGenesis(k.nodes, seats, func(p *chain.Params) {
		p.TempoBlocks = tempo
		if rule != "" {
			p.Rule = consensus.Name(rule)
		}
	})
	for _, name := range k.nodes {
		cfg.Hotkeys = append(cfg.Hotkeys, public(name))
	}
	ledger, err := NewLedger(cfg)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	k.Ledger = ledger
	return k
}

func (k *desk) place(name string) int32 {
	for i, n := range k.nodes {
		if n == name {
			return int32(i)
		}
	}
	return -1
}

func (k *desk) do(t *testing.T, d *datadriven.TestData, words []string) {
	number := func(i int) (n uint64) { fmt.Sscan(words[i], &n); return n }
	say := func(format string, args ...any) { fmt.Fprintf(k.out, "  "+format+"\n", args...) }
	switch words[0] {
	case "submit":
		k.submit(words[1:])
	case "receive", "corrupt":
		node, id := k.place(words[1]), SubmitID(number(2))
		bytes := k.sent[node][id]
		if words[0] == "corrupt" {
			bytes = append([]byte{9}, bytes[1:]...)
		}
		if k.Receive(node, id, bytes, Second) {
			say("refused")
		}
	case "end":
		ended, err := k.End(Time(k.Height()+1) * 12 * Second)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		say("block %d ends; %d wait", ended.Height, k.Waiting())
		for _, r := range ended.Receipts {
			say("transaction %d of node %d: %s %s; known %v", r.Submit, r.From, r.Fate, r.Reason, r.Known)
		}
		if ended.Digest != nil {
			say("digest %v", *ended.Digest == k.Digest())
		}
	case "quiet":
		say("up to %d", k.Quiet(number(1)))
	case "skip":
		if err := k.Skip(number(1)); err != nil {
			say("error: %v", err)
		}
	case "tell":
		node, id := k.place(words[1]), SubmitID(number(2))
		say("undecided %v, untold %v", k.Undecided(node, id), k.Untold(node, id))
		say("%#v", k.Tell(node, id))
	case "forget":
		say("%d forgotten", k.Forget(k.place(words[1])))
	case "view":
		v := k.View(number(1))
		say("height %d, %d rao free", v.Height(), v.FreeOf(public(words[2]+" cold")))
	case "close":
		k.Close()
	default:
		d.Fatalf(t, "unknown line %q", words)
	}
}

// submit reads NODE, a message and its expiry.
func (k *desk) submit(words []string) {
	node, expiry := k.place(words[0]), k.Height()+64
	role := " cold"
	var msg chain.Msg
	switch words[1] {
	case "transfer":
		m := chain.Transfer{To: public(words[2] + " cold")}
		fmt.Sscan(words[3], &m.AmountRao)
		msg = m
	case "register":
		msg = chain.Register{Hotkey: public(words[2])}
	case "parameter":
		msg = chain.SetParams{Name: strings.Repeat("x", 65)}
	case "weights":
		m := chain.SetWeights{}
		for _, entry := range words[2:] {
			var uid uint16
			var value uint32
			fmt.Sscanf(entry, "%d=%d", &uid, &value)
			m.UIDs, m.Values = append(m.UIDs, uid), append(m.Values, value)
		}
		msg, role = m, ""
	}
	if last := words[len(words)-1]; strings.HasPrefix(last, "expiry=") {
		fmt.Sscanf(last, "expiry=%d", &expiry)
	}
	k.last++
	bytes, sent := k.Submit(node, k.last, k.Open(named(words[0]+role)), expiry, msg)
	fmt.Fprintf(k.out, "  transaction %d of node %d: sent %v, %d bytes\n", k.last, node, sent, len(bytes))
	if k.sent[node] == nil {
		k.sent[node] = map[SubmitID][]byte{}
	}
	k.sent[node][k.last] = bytes
}

func TestABrokenInvariantIsAnErrorWithBlockAndCause(t *testing.T) {
	nodes := []string{"a", "b"}
	broken, checks := 0, 0
	cfg := LedgerConfig{Genesis: toyGenesis(nodes, 2, nil), Hotkeys: []chain.Key{public("a"), public("b")},
		Checks: func(s *chain.State) func() error {
			sound := Invariants(s)
			return func() error {
				if checks++; checks == broken {
					return errors.New("3 rao minted, 2 found")
				}
				return sound()
			}
		}}
	for _, c := range []struct {
		check int
		want  string
	}{
		{1, "block 1, after a transaction of node 1: 3 rao minted, 2 found"},
		{2, "block 1, after the end of the block: 3 rao minted, 2 found"},
		{3, "<nil>"},
	} {
		broken, checks = c.check, 0
		l, err := NewLedger(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if limit := l.Quiet(100); limit != 0 {
			t.Errorf("quiet up to %d where every block is checked", limit)
		}
		bytes, _ := l.Submit(1, 1, l.Open(named("b cold")), 9, chain.Transfer{To: public("a cold"), AmountRao: 5})
		l.Receive(1, 1, bytes, 0)
		if _, err := l.End(Second); fmt.Sprint(err) != c.want {
			t.Errorf("check %d fails: %v, expected %s", c.check, err, c.want)
		}
	}
}

func TestASignedLedgerRefusesAForgery(t *testing.T) {
	for _, signed := range []bool{true, false} {
		l, err := NewLedger(LedgerConfig{Genesis: toyGenesis([]string{"a"}, 1, nil), Hotkeys: []chain.Key{public("a")}, Signed: signed})
		if err != nil {
			t.Fatal(err)
		}
		bytes, _ := l.Submit(0, 1, l.Open(named("a cold")), 9, chain.Transfer{To: public("b cold"), AmountRao: 5})
		bytes[len(bytes)-1] ^= 1
		l.Receive(0, 1, bytes, 0)
		ended, err := l.End(Second)
		if err != nil {
			t.Fatal(err)
		}
		if r := ended.Receipts[0]; (r.Fate == trace.Rejected) != signed {
			t.Errorf("signed %v: %s %s", signed, r.Fate, r.Reason)
		}
	}
}

func TestANodeHasAtMostSoManyUndecidedTransactions(t *testing.T) {
	l, err := NewLedger(LedgerConfig{Genesis: toyGenesis([]string{"a"}, 1, nil), Hotkeys: []chain.Key{public("a")}})
	if err != nil {
		t.Fatal(err)
	}
	from := l.Open(named("a cold"))
	submit := func(id SubmitID) bool {
		_, sent := l.Submit(0, id, from, 9, chain.Transfer{To: public("b cold"), AmountRao: 1})
		return sent
	}
	for id := range SubmitID(MaxSubmits) {
		if !submit(id + 1) {
			t.Fatalf("transaction %d was not sent", id+1)
		}
	}
	if submit(MaxSubmits + 1) {
		t.Error("one more was sent")
	}
	want := Rejected{ID: MaxSubmits + 1, Reason: "1024 transactions of this node are undecided: wait"}
	if got := l.Tell(0, MaxSubmits+1); got != want {
		t.Errorf("told %#v, expected %#v", got, want)
	}
	l.Tell(0, 1)
	if !submit(MaxSubmits + 2) {
		t.Error("after one was told the next was not sent")
	}
}
