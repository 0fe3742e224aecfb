package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/chain/conformance"
	"taolab/sim/live/wallet"
)

func TestEveryMessageIsAVerbWithAFlagForEachField(t *testing.T) {
	tx, _, err := newRoot().Find([]string{"tx"})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range chain.Messages() {
		name := messageName(m)
		verb, rest, err := tx.Find([]string{name})
		if err != nil || len(rest) > 0 {
			t.Errorf("no verb tx %s", name)
			continue
		}
		if doc, known := messageDocs[name]; !known || doc[0] == "" || doc[1] == "" {
			t.Errorf("tx %s does not say what it is for", name)
		}
		of := reflect.TypeOf(m)
		for i := range of.NumField() {
			flag := verb.Flags().Lookup(flagName(of, of.Field(i).Name))
			filled := false
			for _, f := range consents[of].fills {
				filled = filled || f == of.Field(i).Name
			}
			if (flag == nil || flag.Usage == "") != filled && flagName(of, of.Field(i).Name) != "expiry" {
				t.Errorf("tx %s: field %s has the flag %v, filled by a consent %t", name, of.Field(i).Name, flag, filled)
			}
		}
		// The example has every flag that must be there, and no other.
		words := strings.Fields("tx " + name + " " + messageDocs[name][1] + " --offline --help")
		if code := execute(context.Background(), words, strings.NewReader(""), new(bytes.Buffer), new(bytes.Buffer)); code != 0 {
			t.Errorf("the example of tx %s is refused", name)
		}
	}
}

// TestFlagsMakeTheMessageThatTheySay reads a message of each kind of field from flags and compares it with the same
// in JSON.
func TestFlagsMakeTheMessageThatTheySay(t *testing.T) {
	alice := wallet.Address(wallet.Public(wallet.Known("alice")))
	key := wallet.Public(wallet.Known("alice")).String()
	for _, c := range []struct{ flags, json string }{
		{"transfer --to " + alice + " --amount 0.000000001", `{"transfer": {"to": "` + key + `", "amount_rao": 1}}`},
		{"transfer --to known:alice --amount 7rao", `{"transfer": {"to": "` + key + `", "amount_rao": 7}}`},
		{"register --hotkey " + key, `{"register": {"hotkey": "` + key + `", "limit_rao": 0}}`},
		{"set-weights --uids 0,2 --values 1,65535", `{"set_weights": {"version": 0, "uids": [0, 2], "values": [1, 65535]}}`},
		{"serve-axon --axon " + key + " --ip 203.0.113.7 --port 8091",
			`{"serve_axon": {"axon": "` + key + `", "ip": "00000000000000000000ffffcb007107", "port": 8091}}`},
		{"propose --changes ImmunityBlocks=7200,TempoBlocks=360",
			`{"propose": {"changes": [{"name": "ImmunityBlocks", "value": 7200}, {"name": "TempoBlocks", "value": 360}], "upgrade": {"rules": 0, "height": 0}, "members": [], "threshold": 0}}`},
		{"propose --upgrade 3@50000 --members " + key + " --threshold 1",
			`{"propose": {"changes": [], "upgrade": {"rules": 3, "height": 50000}, "members": ["` + key + `"], "threshold": 1}}`},
		{"approve --id 3 --withdraw true", `{"approve": {"id": 3, "withdraw": true}}`},
		{"set-params --name TempoBlocks --value 12", `{"set_params": {"name": "TempoBlocks", "value": 12}}`},
		{"commit-weights --commit " + key, `{"commit_weights": {"commit": "` + key + `"}}`},
	} {
		words := strings.Fields("tx " + c.flags + " --wallet known:signer --offline --chain-id net-00000000 --nonce 1 --expiry 2")
		var out, talk bytes.Buffer
		if code := execute(t.Context(), words, strings.NewReader(""), &out, &talk); code != 0 {
			t.Errorf("%s: exit code %d, %s", c.flags, code, talk.String())
			continue
		}
		raw := make([]byte, out.Len()/2)
		if _, err := hex.Decode(raw, bytes.TrimSpace(out.Bytes())); err != nil {
			t.Fatal(err)
		}
		tx, err := chain.DecodeTx(raw)
		if err != nil || !tx.Verify("net-00000000") || tx.Verify("net-00000001") {
			t.Errorf("%s: %v, or the signature is of another chain", c.flags, err)
		}
		want, err := conformance.ReadMessage([]byte(c.json))
		if err != nil {
			t.Fatal(err)
		}
		if got := conformance.AppendMessage(nil, tx.Msg); !bytes.Equal(got, conformance.AppendMessage(nil, want)) {
			t.Errorf("%s: %s", c.flags, got)
		}
	}
}

func TestAmountsAreReadToTheRao(t *testing.T) {
	for text, want := range map[string]uint64{ // order-free: each is a case of its own
		"0": 0, "1": 1e9, "1.5": 15e8, "0.000000001": 1, "18446744073.709551615": 1<<64 - 1, "1500rao": 1500, "2tao": 2e9,
	} {
		if got, err := parseAmount(text); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "-1", "1e3", "0.0000000001", "18446744073.709551616", "1.5rao", "1_0", "+1", "١"} {
		if got, err := parseAmount(text); err == nil {
			t.Errorf("%q is %d rao", text, got)
		}
	}
}

func FuzzAnAmountIsReadAsItIsWritten(f *testing.F) {
	f.Add(uint64(1500), "1.5")
	f.Fuzz(func(t *testing.T, rao uint64, text string) {
		if got, err := parseAmount(amount(rao)); err != nil || got != rao {
			t.Errorf("%s: %d, %v", amount(rao), got, err)
		}
		_, _ = parseAmount(text) // whatever it is, it does not panic
	})
}
