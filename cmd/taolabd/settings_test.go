package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestSettingsThatALiveNodeCannotKeepAreRefused(t *testing.T) {
	const miner = "[[miners]]\nlisten = \"127.0.0.1:0\"\n"
	for _, c := range []struct{ text, want string }{
		{"[node]\nlisten = \"nowhere\"\n", `node.listen: "nowhere"`},
		{"[node]\napi = \"127.0.0.1:70000\"\n", `node.api: "127.0.0.1:70000"`},
		{"[node]\nrpc = \"26657\"\n", `node.rpc: "26657"`},
		{"[node]\nmetrics = \"127.0.0.1:x\"\n", `node.metrics: "127.0.0.1:x"`},
		{"[[miners]]\nlisten = \"127.0.0.1\"\n", `miners[0].listen: "127.0.0.1"`},
		{"[[applications]]\npage = \"127.0.0.1\"\n", `applications[0].page: "127.0.0.1"`},
		{miner + "[miners.decide]\nevery_epochs = 5\n", "miners[0].decide: it moves money with a coldkey"},
		{"[[validators]]\n[validators.decide]\nevery_epochs = 5\n", "validators[0].decide: it moves money with a coldkey"},
		{"[[validators]]\ninvest_tao = 5\n", "validators[0].invest_tao: it moves money with a coldkey"},
		{"[[corpus.append]]\npath = \"more\"\nat_h = 1\n", "the text of a live network stays as it is"},
		{miner, ""},
	} {
		_, err := decodeSettings("node.toml", c.text)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s%v, want %q", c.text, err, c.want)
		}
	}
}

func TestATableOfAnAgentStandsWhereNoFlagIsGiven(t *testing.T) {
	for _, c := range []struct {
		name, wallet, listen, want string
		args                       []string
	}{
		{"table", "alice", "127.0.0.1:5", "alice default 127.0.0.1:5 miner-1 mine", nil},
		{"flags", "alice", "127.0.0.1:5", "bob default 127.0.0.1:6 miner-1 mine", []string{"--wallet", "bob", "--listen", "127.0.0.1:6"}},
		{"nothing", "", "", "default default 0.0.0.0:8091 miner-1 miners", nil},
	} {
		var f agentFlags
		cmd := &cobra.Command{}
		f.add(cmd, "0.0.0.0:8091")
		if err := cmd.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		var a agentTable
		if c.wallet != "" {
			a = agentTable{Name: "miner-1", Wallet: c.wallet, Hotkey: "default", Listen: c.listen, Group: "mine"}
		}
		err := f.into(cmd, &a, "miners")
		if got := strings.Join([]string{a.Wallet, a.Hotkey, a.Listen, a.Name, a.Group}, " "); got != c.want || err != nil {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
		}
	}
}
