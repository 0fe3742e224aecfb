package conformance

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"taolab/model/golden"
	"taolab/sim/chain"
)

// keyOf is the key pair of a seed of 31 zeros and a number.
func keyOf(seed byte) (ed25519.PrivateKey, chain.Key) {
	k := ed25519.NewKeyFromSeed(append(make([]byte, 31), seed))
	return k, chain.Key(k.Public().(ed25519.PublicKey))
}

const sampleChain = "sample"

// sampleTransition makes the files that SampleTransition returns.
func sampleTransition() (genesis, block string) {
	cold, coldkey := keyOf(1)
	hot, validator := keyOf(2)
	_, miner := keyOf(3)
	_, other := keyOf(4)
	genesis = fmt.Sprintf(`{
  "format": %q,
  "chain_id": %q,
  "era": "2026",
  "uids": 4,
  "params": {
    "tempo_blocks": 10,
    "commit_reveal": false,
    "weights_rate_limit_blocks": 0
  },
  "balances": [{"coldkey": %q, "free_rao": 10000000000}],
  "neurons": [
    {"hotkey": %q, "coldkey": %q, "stake_rao": 100000000000}
  ]
}
`, GenesisFormat, sampleChain, coldkey, validator, coldkey)
	digits := func(k ed25519.PrivateKey, nonce uint64, m chain.Msg) string {
		b, err := chain.Sign(sampleChain, k, nonce, 100, m).AppendBinary(nil)
		if err != nil {
			panic(err)
		}
		return hex.EncodeToString(b)
	}
	pay := chain.Sign(sampleChain, cold, 1, 100, chain.Transfer{To: other, AmountRao: 2_000_000_000})
	block = fmt.Sprintf(`{
  "format": %q,
  "height": 1,
  "transactions": [
    %q,
    {
      "signer": %q,
      "nonce": 1,
      "expiry": 100,
      "msg": {"transfer": {"to": %q, "amount_rao": 2000000000}},
      "signature": "%x"
    },
    %q,
    %q
  ],
  "advance": 19
}
`, BlockFormat, digits(cold, 0, chain.Register{Hotkey: miner}), coldkey, other, pay.Signature,
		digits(cold, 2, chain.Transfer{To: other, AmountRao: 9_000_000_000}),
		digits(hot, 0, chain.SetWeights{UIDs: []uint16{1}, Values: []uint32{1}}))
	return genesis, block
}

func TestTheSampleTransitionIsWhatItsKeysSign(t *testing.T) {
	genesis, block := sampleTransition()
	for name, want := range map[string]string{"genesis.json": genesis, "block.json": block} {
		golden.Compare(t, filepath.Join("sample", name), want)
	}
}

// sampleState is the state at height 0 of the sample, sampleBlock the block after it.
func sampleState(t testing.TB) *chain.State {
	t.Helper()
	s, err := ReadGenesis(SampleTransition()[0].Text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sampleBlock(t testing.TB) Block {
	t.Helper()
	b, err := ReadBlock(SampleTransition()[1].Text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestATransitionGivesWhatTheLedgerGives(t *testing.T) {
	s, b := sampleState(t), sampleBlock(t)
	done, err := b.Apply(s)
	if err != nil {
		t.Fatal(err)
	}
	twin := sampleState(t)
	var texts []string
	for _, tx := range b.Transactions {
		text := "ok"
		if err := twin.Apply(tx.Tx); err != nil {
			text = err.Error()
		}
		texts = append(texts, text)
	}
	events := append(twin.EndBlock(), twin.Advance(19)...)
	if twin.Digest() != done.Digest || twin.Totals() != done.Totals {
		t.Errorf("digest %s and totals %+v, want %s and %+v", done.Digest, done.Totals, twin.Digest(),
			twin.Totals())
	}
	if fmt.Sprint(events) != fmt.Sprint(done.Events) || len(events) != 3 {
		t.Errorf("events %v, want %v", done.Events, events)
	}
	for i, r := range done.Receipts {
		if r.OK != (texts[i] == "ok") || !r.OK && (r.Text != texts[i] || r.Code == "") {
			t.Errorf("transaction %d: %+v, want %s", i, r, texts[i])
		}
	}
	if texts[0] != "ok" || texts[1] != "ok" || texts[2] == "ok" || texts[3] == "ok" {
		t.Errorf("the sample shows two that pass and two that do not, got %q", texts)
	}
}

func TestEmptyBlocksThatAreTooMuchWorkAreRefused(t *testing.T) {
	faster := Transaction{Tx: chain.Tx{Msg: chain.SetParams{Name: "TempoBlocks", Value: 1}}}
	never := Transaction{Tx: chain.Tx{Msg: chain.SetParams{Name: "TempoBlocks"}}}
	s := sampleState(t)
	heavy := Transaction{Tx: chain.Tx{Msg: chain.SetWeights{UIDs: make([]uint16, maxVisits/4096-s.View().N()-1)}}}
	for _, tc := range []struct {
		what    string
		with    []Transaction
		advance uint64
		refused bool
	}{
		{"an epoch in ten blocks", nil, 10 * maxEpochs, false},
		{"too many of them", nil, 10*maxEpochs + 10, true},
		{"an epoch in each block", []Transaction{faster}, maxEpochs, false},
		{"too many of them", []Transaction{faster}, maxEpochs + 1, true},
		{"few of many weights", []Transaction{heavy}, 10 * 4096, false},
		{"too many of those", []Transaction{heavy}, 10 * 4097, true},
		{"none, if that is applied", []Transaction{never}, maxAdvance, true},
	} {
		s = sampleState(t)
		before := s.Digest()
		b := Block{Height: 1, Transactions: tc.with, Advance: tc.advance}
		if err := b.affordable(s.View()); (err != nil) != tc.refused {
			t.Errorf("%s, %d blocks: %v", tc.what, tc.advance, err)
		}
		if !tc.refused {
			continue
		}
		if _, err := b.Apply(s); err == nil || s.Digest() != before {
			t.Errorf("%s: refused by %v, but the state changed", tc.what, err)
		}
	}
}

func TestAStateReadBackIsTheState(t *testing.T) {
	s := sampleState(t)
	for _, when := range []string{"at genesis", "after a block"} {
		text := AppendState(nil, s)
		again, err := ReadState(text)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if again.Digest() != s.Digest() || !bytes.Equal(AppendState(nil, again), text) {
			t.Errorf("%s: another state was read than written", when)
		}
		if _, err := sampleBlock(t).Apply(s); err != nil && when == "at genesis" {
			t.Fatal(err)
		}
	}
	// In the middle of a block, with events that wait for its end.
	s = sampleState(t)
	if err := s.Apply(sampleBlock(t).Transactions[0].Tx); err != nil {
		t.Fatal(err)
	}
	again, err := ReadState(AppendState(nil, s))
	if err != nil {
		t.Fatal(err)
	}
	want, got := fmt.Sprint(s.EndBlock()), fmt.Sprint(again.EndBlock())
	if got != want || s.Digest() != again.Digest() {
		t.Errorf("the block ends with %s, want %s", got, want)
	}
}

// What one transition prints is the next one's state.
func TestATransitionMayBeReadAsAState(t *testing.T) {
	s := sampleState(t)
	done, err := sampleBlock(t).Apply(s)
	if err != nil {
		t.Fatal(err)
	}
	text := string(done.AppendJSON(nil, s))
	again, err := ReadState([]byte(text))
	if err != nil || again.Digest() != done.Digest {
		t.Fatalf("%v", err)
	}
	wrong := strings.Replace(text, done.Digest.String(), chain.Digest{}.String(), 1)
	_, err = ReadState([]byte(wrong))
	if err == nil || !strings.Contains(err.Error(), done.Digest.String()) {
		t.Errorf("a state with another digest was read: %v", err)
	}
	short := string(done.AppendJSON(nil, nil))
	if !strings.HasPrefix(text, strings.TrimSuffix(short, "\n}\n")) {
		t.Errorf("without the state the rest is another:\n%s", short)
	}
}

func TestEveryMessageIsReadAsItIsWritten(t *testing.T) {
	k, _ := keyOf(9)
	for _, m := range messages {
		s := chain.Sign(sampleChain, k, 3, 7, m.(chain.Msg))
		raw, err := s.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		typed := appendPlain(nil, reflect.ValueOf(s), "")
		for _, tx := range []string{`"` + hex.EncodeToString(raw) + `"`, string(typed)} {
			b, err := ReadBlock([]byte(`{"format": "taolab-block/1", "height": 1, "transactions": [` + tx + `]}`))
			if err != nil {
				t.Errorf("%T: %v", m, err)
				continue
			}
			again, err := b.Transactions[0].Tx.AppendBinary(nil)
			if err != nil || !bytes.Equal(again, raw) {
				t.Errorf("%T: read as %+v: %v", m, b.Transactions[0], err)
			}
		}
	}
}

var lengths = regexp.MustCompile(`^line \d+, column \d+: | of \d+ bytes`)

// TestDocumentsOfATransition changes a sample in one place, as the vectors' test does; "state" is
// the sample's state.
func TestDocumentsOfATransition(t *testing.T) {
	genesis, block := SampleTransition()[0].Text, SampleTransition()[1].Text
	datadriven.Walk(t, "testdata/transition", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			text := map[string]string{
				"genesis": string(genesis), "block": string(block),
				"state": string(AppendState(nil, sampleState(t))),
			}[d.Cmd]
			from, to, ok := strings.Cut(d.Input, "\n=>")
			if !ok || !strings.Contains(text, from) {
				d.Fatalf(t, "%q does not stand in the %s", from, d.Cmd)
			}
			text = strings.Replace(text, from, strings.TrimPrefix(to, "\n"), 1)
			var err error
			s := sampleState(t)
			switch d.Cmd {
			case "genesis":
				s, err = ReadGenesis([]byte(text))
			case "state":
				s, err = ReadState([]byte(text))
			case "block":
				var b Block
				var done Transition
				if b, err = ReadBlock([]byte(text)); err == nil {
					done, err = b.Apply(s)
				}
				if err == nil {
					out := ""
					for _, r := range done.Receipts {
						out += fmt.Sprintf("%v %s %d %d %s\n", r.OK, r.Code, r.Have, r.Want, r.Text)
					}
					return out
				}
			}
			if err != nil && d.Cmd == "state" { // its length is the ledger's business
				return "error: " + lengths.ReplaceAllString(err.Error(), "") + "\n"
			}
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			return fmt.Sprintf("height %d\n", s.Height())
		})
	})
}
